//! `record_usage`: anchors one batch of a licence's usage and charges it. The sequence and the previous root make a
//! replay impossible.

use interface::codes::PauseBits;
use interface::events::SCHEMA_VERSION;
use interface::rules::usage::{count, may_record, next_root, Charge};

use super::*;
use crate::billing::bill;
use crate::errors::{ensure, fail};
use crate::events;
use crate::hash::sha256;
use crate::money::{is_outdated, with_token_program, Recipient, Recipients};
use crate::state::{key, Config, Licence, Skill};

/// Accounts of `record_usage`.
///
/// Any of them may also be the payout, which the seller chooses: that must not make the instruction fail, and can do no
/// harm, since their types exclude each other and lamports are moved one step at a time.
#[derive(Accounts)]
pub struct RecordUsage {
    /// The licence's meter.
    pub meter: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The skill.
    #[account(mut, unsafe(dup))]
    pub skill: Account<Skill>,
    /// The licence.
    #[account(mut, unsafe(dup))]
    pub licence: Account<Licence>,
    /// The seller's receiving account: payout wallet (SOL) or a token account of it (USDC).
    #[account(mut, unsafe(dup))]
    pub payout: Recipient,
    /// The platform's receiving account: treasury wallet (SOL) or a token account of it (USDC).
    #[account(mut, unsafe(dup))]
    pub treasury: Recipient,
    /// USDC: the licence's credit vault, where it has one.
    #[account(mut, unsafe(dup))]
    pub vault: Option<UncheckedAccount>,
    /// USDC: the Token program.
    pub token_program: Option<Program<Token>>,
}

/// Runs `record_usage`.
pub fn run(ctx: &mut Context<RecordUsage>, seq: u64, prev_root: &[u8; 32], units: u64, root: &[u8; 32]) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    ensure!(!config.is_paused(PauseBits::USAGE), Paused);
    let licence_key = *key(accounts.licence.address());

    let now = Clock::get()?.unix_timestamp;
    let licence = accounts.licence.write()?;
    ensure!(&licence.skill == key(accounts.skill.address()), WrongSkill);
    ensure!(may_record(licence, config, key(accounts.meter.address()), now).map_err(fail)?, NotMeter);
    ensure!(licence.usage_seq().checked_add(1) == Some(seq), BadSequence);
    ensure!(&licence.chain_root == prev_root, RootMismatch);
    count(licence, config, units, now).map_err(fail)?;
    licence.chain_root = next_root(sha256, prev_root, root);

    let recipients = Recipients { payout: *accounts.payout.account(), treasury: *accounts.treasury.account() };
    let vault = with_token_program(&accounts.vault, &accounts.token_program);
    // Only what is owed can be charged; a licence that pays no units never owes.
    let mut paid = Charge { amount: 0, fee: 0 };
    if accounts.licence.unbilled.get() != 0 {
        match bill(&mut accounts.licence, accounts.skill.write()?, config, &recipients, vault.as_ref()) {
            // One licence never fails another's batch. Nothing was moved, and the next batch names the present
            // accounts.
            Err(error) if is_outdated(&error) => {}
            billed => paid = billed?,
        }
    }
    let licence = accounts.licence.read()?;
    events::log(
        &interface::events::UsageRecorded {
            schema_version: SCHEMA_VERSION,
            licence: licence_key,
            seq: licence.usage_seq,
            units: units.into(),
            root: *root,
            billed: paid.amount.into(),
            fee: paid.fee.into(),
            credit: licence.credit,
            unbilled: licence.unbilled,
        }
        .encode(),
    );
    Ok(())
}
