//! `purchase_usdc`: a licence paid in USDC, split between seller and treasury in the same instruction.

use interface::Currency;

use super::*;
use crate::errors::fail;
use crate::money::Recipients;
use crate::sale::{agree, grant, PurchaseContext};
use crate::state::{key, Config, Licence, Skill};

/// Accounts of `purchase_usdc`.
#[derive(Accounts)]
pub struct PurchaseUsdc {
    /// Pays and owns the licence.
    #[account(mut)]
    pub buyer: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The skill.
    #[account(mut)]
    pub skill: Account<Skill>,
    /// The buyer's licence, made here if need be.
    #[account(init_if_needed, payer = buyer, seeds = [b"licence", skill, buyer], bump)]
    pub licence: Account<Licence>,
    /// The buyer's token account.
    #[account(mut)]
    pub source: UncheckedAccount,
    /// A token account of the seller's payout wallet.
    #[account(mut, unsafe(dup))]
    pub payout: UncheckedAccount,
    /// A token account of the treasury wallet.
    #[account(mut, unsafe(dup))]
    pub treasury: UncheckedAccount,
    /// The Token program.
    pub token_program: Program<Token>,
    /// The System program.
    pub system_program: Program<System>,
}

/// Runs `purchase_usdc`.
pub fn run(ctx: &mut Context<PurchaseUsdc>, order: &Order, caps: &LicenceCaps) -> Result<()> {
    let bump = ctx.bumps.licence;
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    let buyer = *key(accounts.buyer.address());
    let skill_key = *key(accounts.skill.address());
    let licence_key = *key(accounts.licence.address());
    let skill = accounts.skill.write()?;
    let agreement = agree(config, skill, &buyer, Currency::Usdc, order)?;
    let due = agreement.due(config);
    let recipients = Recipients { payout: *accounts.payout.account(), treasury: *accounts.treasury.account() };
    recipients.check(Currency::Usdc, skill, config, &due).map_err(fail)?;

    let clock = Clock::get()?;
    let purchase = PurchaseContext {
        config,
        skill_key: &skill_key,
        buyer: &buyer,
        licence_key: &licence_key,
        bump,
        clock: &clock,
    };
    grant(&purchase, skill, &mut accounts.licence, &agreement, caps)?;
    recipients.pay_from_buyer(Currency::Usdc, &accounts.buyer, Some(accounts.source.account()), &config.usdc_mint, &due)
}
