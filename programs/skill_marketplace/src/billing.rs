//! Billing: recorded usage is paid out of credit as far as it goes and the recipients can receive; the rest suspends
//! the licence.

use anchor_lang::prelude::*;
use interface::accounts::{Config, Skill};
use interface::events::SCHEMA_VERSION;
use interface::known::LICENCE_SEED;
use interface::rules::usage::{charge, settle, Charge};
use interface::{Currency, ProgramError as Refusal, MAX_AMOUNT};

use crate::errors::fail;
use crate::events;
use crate::money::{cannot_receive, sol, usdc, Recipients};
use crate::state::{self, key};

/// Pays what the credit of `licence` covers of its unbilled usage and sets its standing; returns what was paid, which
/// the caller's event must say. `vault` is its USDC credit vault, where it has one.
///
/// A recipient that cannot receive leaves everything unbilled instead of failing, so that one licence never fails
/// another's instruction.
pub fn bill(
    licence: &mut Account<state::Licence>,
    skill: &mut Skill,
    config: &Config,
    recipients: &Recipients,
    vault: Option<&AccountView>,
) -> Result<Charge> {
    let before = licence.read()?;
    let currency = Currency::try_from(before.currency).map_err(fail)?;
    let due = charge(before, config.fee_bps()).map_err(fail)?;
    let receivable =
        if due.amount == 0 { Ok(()) } else { receivable(licence, currency, skill, config, recipients, vault, &due) };
    let paid = match receivable {
        Ok(()) => due,
        Err(refusal) if cannot_receive(refusal) => Charge { amount: 0, fee: 0 },
        Err(refusal) => return Err(fail(refusal)),
    };
    settle(licence.write()?, &paid, receivable.is_ok());
    skill.gross.set(skill.gross().saturating_add(paid.amount).min(MAX_AMOUNT));
    if paid.amount != 0 {
        pay(licence, currency, recipients, vault, &paid)?;
    }
    Ok(paid)
}

/// Logs what [`bill`] paid, if anything.
pub fn log_billed(licence: &Account<state::Licence>, paid: &Charge) {
    if paid.amount == 0 {
        return;
    }
    events::log(
        &interface::events::UsageBilled {
            schema_version: SCHEMA_VERSION,
            licence: *key(licence.address()),
            currency: licence.currency,
            amount: paid.amount.into(),
            fee: paid.fee.into(),
        }
        .encode(),
    );
}

/// Whether the vault can give and both recipients can take.
fn receivable(
    licence: &Account<state::Licence>,
    currency: Currency,
    skill: &Skill,
    config: &Config,
    recipients: &Recipients,
    vault: Option<&AccountView>,
    due: &Charge,
) -> core::result::Result<(), Refusal> {
    if currency == Currency::Usdc {
        let vault = vault.ok_or(Refusal::TokenAccountsMissing)?;
        usdc::check_vault(vault, key(licence.address()), &config.usdc_mint, licence.vault_bump)?;
        if usdc::balance(vault).is_none_or(|balance| balance < due.amount) {
            return Err(Refusal::RecipientFrozen);
        }
    }
    recipients.check(currency, skill, config, due)
}

/// Moves a checked charge out of the licence's credit.
fn pay(
    licence: &Account<state::Licence>,
    currency: Currency,
    recipients: &Recipients,
    vault: Option<&AccountView>,
    paid: &Charge,
) -> Result<()> {
    match (currency, vault) {
        (Currency::Sol, _) => {
            sol::move_out(licence.account(), &recipients.payout, paid.seller())?;
            sol::move_out(licence.account(), &recipients.treasury, paid.fee)?;
        }
        (Currency::Usdc, Some(vault)) => {
            pay_from_vault(licence, vault, &recipients.payout, paid.seller());
            pay_from_vault(licence, vault, &recipients.treasury, paid.fee);
        }
        (Currency::Usdc, None) => return Err(fail(Refusal::TokenAccountsMissing)),
    }
    Ok(())
}

/// Moves USDC out of a licence's vault; the licence signs for it.
pub fn pay_from_vault(licence: &Account<state::Licence>, vault: &AccountView, to: &AccountView, amount: u64) {
    usdc::transfer(vault, to, licence.account(), amount, &[&licence_seeds(licence, &[licence.bump])]);
}

/// The seeds with which a licence signs.
pub fn licence_seeds<'a>(licence: &'a state::Licence, bump: &'a [u8; 1]) -> [&'a [u8]; 4] {
    [LICENCE_SEED, licence.skill.as_ref(), licence.buyer.as_ref(), bump]
}
