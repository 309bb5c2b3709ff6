//! `renew`: the next period of a subscription, at the present terms, which the buyer names.

use interface::events::SCHEMA_VERSION;
use interface::{Currency, Kind, LicenceStatus};

use super::*;
use crate::errors::{ensure, fail};
use crate::events;
use crate::money::{with_token_program, Recipients};
use crate::sale::{agree, extend};
use crate::state::{key, Config, Licence, Skill};

/// Accounts of `renew`.
#[derive(Accounts)]
pub struct Renew {
    /// Pays and owns the licence.
    #[account(mut)]
    pub buyer: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The skill.
    #[account(mut)]
    pub skill: Account<Skill>,
    /// The buyer's licence.
    #[account(mut)]
    pub licence: Account<Licence>,
    /// The seller's receiving account: payout wallet (SOL) or a token account of it (USDC).
    #[account(mut, unsafe(dup))]
    pub payout: UncheckedAccount,
    /// The platform's receiving account: treasury wallet (SOL) or a token account of it (USDC).
    #[account(mut, unsafe(dup))]
    pub treasury: UncheckedAccount,
    /// USDC: the buyer's token account.
    #[account(mut)]
    pub source: Option<UncheckedAccount>,
    /// USDC: the Token program.
    pub token_program: Option<Program<Token>>,
    /// The System program.
    pub system_program: Program<System>,
}

/// Runs `renew`.
pub fn run(ctx: &mut Context<Renew>, max_price: u64, terms_hash: &[u8; 32]) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    let buyer = *key(accounts.buyer.address());
    let skill_key = *key(accounts.skill.address());
    let licence_key = *key(accounts.licence.address());
    let skill = accounts.skill.write()?;
    let licence = accounts.licence.write()?;
    ensure!(licence.skill == skill_key, WrongSkill);
    ensure!(licence.buyer == buyer, NotBuyer);
    ensure!(licence.exit_kind == 0, LicenceClosing);
    ensure!(licence.status != LicenceStatus::Refunded as u8, LicenceRefunded);
    ensure!(licence.kind == Kind::Subscription as u8, NotRenewable);
    let currency = Currency::try_from(licence.currency).map_err(fail)?;
    let order = Order { kind: licence.kind, tier: licence.tier, max_price, terms_hash: *terms_hash };
    let agreement = agree(config, skill, &buyer, currency, &order)?;
    let due = agreement.due(config);
    let recipients = Recipients { payout: *accounts.payout.account(), treasury: *accounts.treasury.account() };
    recipients.check(currency, skill, config, &due).map_err(fail)?;

    extend(config, skill, licence, &agreement, Clock::get()?.unix_timestamp)?;
    events::log(
        &interface::events::LicenceRenewed {
            schema_version: SCHEMA_VERSION,
            licence: licence_key,
            n: licence.purchases,
            currency: licence.currency,
            amount: due.amount.into(),
            fee: due.fee.into(),
            expires_at: licence.expires_at,
            terms_hash: licence.terms_hash,
        }
        .encode(),
    );
    let source = with_token_program(&accounts.source, &accounts.token_program);
    recipients.pay_from_buyer(currency, &accounts.buyer, source.as_ref(), &config.usdc_mint, &due)
}
