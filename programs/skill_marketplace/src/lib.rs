//! The ClawOS marketplace program. This file is its table of contents: each instruction is one file under
//! `instructions`, each account one under `state`. Layouts, addresses, errors, events and every rule of money and
//! rights live in `interface`, which hosts use too; what is here checks accounts, calls those rules and moves the
//! money.
//!
//! An account that this program owns and that carries a discriminator of ours was made by us at its derived address, so
//! instructions check the relation between accounts (`licence.skill`, `licence.buyer`) rather than deriving addresses
//! again.

use anchor_lang::prelude::*;

pub mod billing;
pub mod errors;
pub mod events;
pub mod hash;
pub mod instructions;
#[cfg(target_arch = "bpf")]
mod intrinsics;
pub mod money;
pub mod sale;
pub mod state;

use instructions::*;

declare_id!("6SPvkMXN7kJjcHFioeqyoEWZArufXPm8Bo6hM6moBxW8");

const _: () = {
    let (ours, theirs) = (ID.as_array(), &interface::PROGRAM_ID);
    let mut i = 0;
    while i < 32 {
        assert!(ours[i] == theirs[i], "declare_id! and interface::PROGRAM_ID differ");
        i += 1;
    }
};

#[program]
pub mod skill_marketplace {
    use super::*;

    /// Makes Config; only the program's upgrade authority can.
    pub fn initialize(ctx: &mut Context<initialize::Initialize>, args: InitializeArgs) -> Result<()> {
        initialize::run(ctx, &args)
    }

    /// Lists a skill with its terms.
    pub fn register_skill(
        ctx: &mut Context<register_skill::RegisterSkill>,
        skill_id: [u8; 32],
        listing_hash: [u8; 32],
        terms: SkillTerms,
    ) -> Result<()> {
        register_skill::run(ctx, &skill_id, &listing_hash, &terms)
    }

    /// Replaces a skill's terms; licences already sold keep theirs.
    pub fn update_skill(
        ctx: &mut Context<update_skill::UpdateSkill>,
        listing_hash: [u8; 32],
        terms: SkillTerms,
    ) -> Result<()> {
        update_skill::run(ctx, &listing_hash, &terms)
    }

    /// Puts a skill on sale, off sale, or retires it.
    pub fn set_skill_status(ctx: &mut Context<set_skill_status::SetSkillStatus>, status: u8) -> Result<()> {
        set_skill_status::run(ctx, status)
    }

    /// Buys a licence, paid in lamports.
    pub fn purchase_sol(
        ctx: &mut Context<purchase_sol::PurchaseSol>,
        kind: u8,
        tier: u8,
        max_price: u64,
        terms_hash: [u8; 32],
        caps: LicenceCaps,
    ) -> Result<()> {
        purchase_sol::run(ctx, &Order { kind, tier, max_price, terms_hash }, &caps)
    }

    /// Buys a licence, paid in USDC.
    pub fn purchase_usdc(
        ctx: &mut Context<purchase_usdc::PurchaseUsdc>,
        kind: u8,
        tier: u8,
        max_price: u64,
        terms_hash: [u8; 32],
        caps: LicenceCaps,
    ) -> Result<()> {
        purchase_usdc::run(ctx, &Order { kind, tier, max_price, terms_hash }, &caps)
    }

    /// Pays the next period of a subscription.
    pub fn renew(ctx: &mut Context<renew::Renew>, max_price: u64, terms_hash: [u8; 32]) -> Result<()> {
        renew::run(ctx, max_price, &terms_hash)
    }

    /// Answers whether a buyer may use a skill now; never fails for a "no".
    pub fn verify_access(ctx: &mut Context<verify_access::VerifyAccess>) -> Result<Access> {
        verify_access::run(ctx)
    }

    /// Prepays usage, and pays what is unbilled.
    pub fn deposit_credit(ctx: &mut Context<deposit_credit::DepositCredit>, amount: u64) -> Result<()> {
        deposit_credit::run(ctx, amount)
    }

    /// Anchors a batch of usage and charges what the credit covers.
    pub fn record_usage(
        ctx: &mut Context<record_usage::RecordUsage>,
        seq: u64,
        prev_root: [u8; 32],
        units: u64,
        root: [u8; 32],
    ) -> Result<()> {
        record_usage::run(ctx, seq, &prev_root, units, &root)
    }

    /// Stops groups of instructions; exits are never stopped.
    pub fn pause(ctx: &mut Context<pause::ChangePause>, bits: u16) -> Result<()> {
        pause::pause(ctx, bits)
    }

    /// Resumes groups of instructions.
    pub fn unpause(ctx: &mut Context<pause::ChangePause>, bits: u16) -> Result<()> {
        pause::unpause(ctx, bits)
    }

    /// Sets the buyer's own caps on a licence.
    pub fn set_licence_caps(ctx: &mut Context<set_licence_caps::SetLicenceCaps>, caps: LicenceCaps) -> Result<()> {
        set_licence_caps::run(ctx, &caps)
    }

    /// Freezes a licence's spending and starts the delay after which its credit can leave.
    pub fn request_exit(ctx: &mut Context<request_exit::RequestExit>, exit: u8) -> Result<()> {
        request_exit::run(ctx, exit)
    }

    /// Pays a licence's credit back, and closes it when that was asked for.
    pub fn execute_exit(ctx: &mut Context<execute_exit::ExecuteExit>) -> Result<()> {
        execute_exit::run(ctx)
    }
}
