//! A sale: what the buyer agreed to is what is on offer, and the right that follows from it.

use anchor_lang::prelude::*;
use interface::accounts::{Config, Licence, Skill};
use interface::events::SCHEMA_VERSION;
use interface::rules::usage::{add, first_root, set_meter, Caps, Charge};
use interface::rules::validity::is_expired;
use interface::rules::{exit, fee};
use interface::{Currency, Key, Kind, LicenceStatus, SkillStatus, SuspendReason, Tier};

use crate::errors::{ensure, fail};
use crate::events;
use crate::hash::sha256;
use crate::state;

/// The buyer's own caps in units; 0 = none.
#[derive(AnchorSerialize, AnchorDeserialize, IdlType, Clone, Copy)]
pub struct LicenceCaps {
    /// Units the licence may ever use.
    pub usage_limit: u64,
    /// Units one batch may carry.
    pub max_units_per_batch: u64,
    /// Units that may be recorded per UTC day.
    pub max_units_per_day: u64,
}

impl LicenceCaps {
    /// The caps as the rules take them.
    pub fn rules(&self) -> Caps {
        Caps {
            usage_limit: self.usage_limit,
            max_units_per_batch: self.max_units_per_batch,
            max_units_per_day: self.max_units_per_day,
        }
    }
}

/// What a buyer orders.
pub struct Order {
    /// `Kind` code.
    pub kind: u8,
    /// `Tier` code.
    pub tier: u8,
    /// Highest price accepted, base units.
    pub max_price: u64,
    /// Hash of the terms agreed to.
    pub terms_hash: [u8; 32],
}

/// What was agreed.
pub struct Agreement {
    /// Kind of licence.
    pub kind: Kind,
    /// Tier of licence.
    pub tier: Tier,
    /// Price of the licence, the period, or (usage) one unit.
    pub price: u64,
    /// Hash of the terms.
    pub terms_hash: [u8; 32],
}

impl Agreement {
    /// What is paid now: a usage licence is paid out of credit later.
    pub fn due(&self, config: &Config) -> Charge {
        let amount = if self.kind == Kind::Usage { 0 } else { self.price };
        Charge { amount, fee: fee::fee_of(amount, config.fee_bps()) }
    }
}

/// Checks that `skill` is on sale in `currency` on exactly the terms that `buyer` agreed to.
pub fn agree(config: &Config, skill: &Skill, buyer: &Key, currency: Currency, order: &Order) -> Result<Agreement> {
    ensure!(!config.is_paused(interface::codes::PauseBits::PURCHASE), Paused);
    ensure!(skill.status == SkillStatus::Active as u8, SkillInactive);
    ensure!(skill.currency == currency as u8, WrongCurrency);
    ensure!(buyer != &skill.seller && buyer != &skill.payout, SelfPurchase);
    let kind = Kind::try_from(order.kind).map_err(fail)?;
    let tier = Tier::try_from(order.tier).map_err(fail)?;
    let terms = skill.terms(&config.meter);
    ensure!(terms.hash(sha256, skill.created_slot()) == order.terms_hash, TermsChanged);
    let price = terms.price(kind, tier).map_err(fail)?;
    ensure!(price <= order.max_price, PriceAboveMax);
    Ok(Agreement { kind, tier, price, terms_hash: order.terms_hash })
}

/// What a purchase is made from: the accounts it names and the clock.
pub struct PurchaseContext<'a> {
    /// Config.
    pub config: &'a Config,
    /// The skill's address.
    pub skill_key: &'a Key,
    /// The buyer's address.
    pub buyer: &'a Key,
    /// The licence's address.
    pub licence_key: &'a Key,
    /// Bump of the licence's address.
    pub bump: u8,
    /// The chain's clock.
    pub clock: &'a Clock,
}

/// Gives the right that `agreement` promises: opens the licence account, or re-opens one whose right has ended.
pub fn grant(
    purchase: &PurchaseContext,
    skill: &mut Skill,
    account: &mut state::Licence,
    agreement: &Agreement,
    caps: &LicenceCaps,
) -> Result<()> {
    let now = purchase.clock.unix_timestamp;
    // A new account is all zeros; version 0 does not exist.
    if account.version == 0 {
        let licence = account.layout_mut();
        open(purchase, skill, licence)?;
        caps.rules().set_fresh(licence);
    } else {
        let licence = account.write()?;
        may_repurchase(purchase.config, licence, agreement.kind, now)?;
        caps.rules().set(licence, purchase.config, now).map_err(fail)?;
    }
    let licence = account.write()?;
    licence.expires_at.set(if agreement.kind == Kind::Subscription { end_of_period(now, skill)? } else { 0 });
    licence.starts_at.set(now);
    licence.kind = agreement.kind as u8;
    licence.tier = agreement.tier as u8;
    licence.status = LicenceStatus::Active as u8;
    licence.suspended_reason = SuspendReason::None as u8;
    licence.unit_price.set(if agreement.kind == Kind::Usage { agreement.price } else { 0 });
    take_terms(purchase.config, skill, licence, agreement, now)?;
    count_sale(skill, licence, agreement.due(purchase.config).amount)?;
    log_purchase(purchase, licence, &agreement.due(purchase.config));
    Ok(())
}

/// Fills a licence account that was just made.
fn open(purchase: &PurchaseContext, skill: &mut Skill, licence: &mut Licence) -> Result<()> {
    licence.version = Licence::VERSION;
    licence.bump = purchase.bump;
    licence.skill = *purchase.skill_key;
    licence.buyer = *purchase.buyer;
    licence.created_slot.set(purchase.clock.slot);
    licence.created_at.set(purchase.clock.unix_timestamp);
    licence.currency = skill.currency;
    licence.chain_root = first_root(sha256, purchase.licence_key, purchase.clock.slot);
    let open = skill.open_licences().checked_add(1).ok_or_else(|| fail(interface::ProgramError::MathOverflow))?;
    skill.open_licences.set(open);
    Ok(())
}

/// Whether a licence's right has ended, so that a new purchase may replace it. Usage recorded so far stays counted.
fn may_repurchase(config: &Config, licence: &Licence, kind: Kind, now: i64) -> Result<()> {
    ensure!(licence.exit_kind == 0, LicenceClosing);
    ensure!(licence.unbilled() == 0, LicenceUnpaid);
    let refunded = licence.status == LicenceStatus::Refunded as u8;
    ensure!(refunded || is_expired(licence, now), LicenceActive);
    // What was used under the old kind must be recorded at its price before another price applies.
    if licence.kind != kind as u8 && licence.expires_at() != 0 {
        let settled = exit::eta(config, licence.expires_at()).and_then(|eta| exit::after_pauses(eta, config));
        ensure!(now >= settled.map_err(fail)?, KindChangeTooEarly);
    }
    Ok(())
}

/// Extends a subscription by one period of the present terms.
pub fn extend(
    config: &Config,
    skill: &mut Skill,
    licence: &mut Licence,
    agreement: &Agreement,
    now: i64,
) -> Result<()> {
    if is_expired(licence, now) {
        licence.starts_at.set(now);
    }
    licence.expires_at.set(end_of_period(licence.expires_at().max(now), skill)?);
    take_terms(config, skill, licence, agreement, now)?;
    count_sale(skill, licence, agreement.price)
}

/// The end of a period of `skill` that begins at `start`.
fn end_of_period(start: i64, skill: &Skill) -> Result<i64> {
    start.checked_add(skill.period_secs() as i64).ok_or_else(|| fail(interface::ProgramError::MathOverflow))
}

/// Copies the terms that the buyer agreed to.
fn take_terms(config: &Config, skill: &Skill, licence: &mut Licence, agreement: &Agreement, now: i64) -> Result<()> {
    licence.terms_hash = agreement.terms_hash;
    licence.terms_version = skill.terms_version;
    licence.period_secs = skill.period_secs;
    licence.unit_kind = skill.unit_kind;
    set_meter(licence, config, &skill.effective_meter(&config.meter), now).map_err(fail)
}

fn count_sale(skill: &mut Skill, licence: &mut Licence, amount: u64) -> Result<()> {
    let overflow = || fail(interface::ProgramError::MathOverflow);
    licence.purchases.set(licence.purchases().checked_add(1).ok_or_else(overflow)?);
    skill.sales.set(add(skill.sales(), 1).map_err(fail)?);
    skill.gross.set(add(skill.gross(), amount).map_err(fail)?);
    Ok(())
}

fn log_purchase(purchase: &PurchaseContext, licence: &Licence, due: &Charge) {
    events::log(
        &interface::events::LicencePurchased {
            schema_version: SCHEMA_VERSION,
            licence: *purchase.licence_key,
            skill: *purchase.skill_key,
            buyer: *purchase.buyer,
            n: licence.purchases,
            kind: licence.kind,
            tier: licence.tier,
            currency: licence.currency,
            amount: due.amount.into(),
            fee: due.fee.into(),
            expires_at: licence.expires_at,
            terms_hash: licence.terms_hash,
        }
        .encode(),
    );
}
