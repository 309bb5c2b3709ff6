//! What a licence or some usage would cost, by the terms on chain.

use clawos_api::Money;
use clawos_api::market::{Quote, QuoteQuery};
use clawos_interface::accounts::Skill;
use clawos_interface::rules::bill::cost;
use clawos_interface::rules::fee::fee_of;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Kind, ProgramError, Tier, Unit};
use clawos_receipts::text::{to_base58, to_hex};
use clawos_registry::Registry;

use crate::{Licensing, LicensingError};

impl Licensing {
    /// Prices a licence or usage of the skill `id` (`publisher.name`).
    ///
    /// # Errors
    /// When the skill does not exist, is free or is not sold like that; when the amount is above 2^63 - 1 base units; when
    /// the chain cannot be read.
    pub async fn quote(&self, registry: &Registry, id: &str, query: &QuoteQuery) -> Result<Quote, LicensingError> {
        let skill = registry.resolve(id, None).await?;
        let prices = skill.manifest.prices.as_ref().ok_or(LicensingError::Free)?;
        let reading = self.listing(&skill.publisher_wallet, id).await?;
        let state = &reading.snapshot.value;
        let terms = match &state.skill {
            Some(account) => account.terms(&state.config.meter),
            None => prices.terms(skill.publisher_wallet, state.config.meter),
        };
        let asked = Asked::read(query, &terms)?;
        let amounts = asked.amounts(&terms, state.config.fee_bps())?;
        let obstacle = self.sold_here(state).err();
        let money = |amount| Money::new(amount, amounts.currency);
        let price = money(amounts.price);
        Ok(Quote {
            skill: id.to_owned(),
            skill_account: to_base58(&state.skill_account),
            kind: asked.kind.to_string(),
            tier: asked.tier.to_string(),
            currency: price.currency.clone(),
            price,
            fee: money(amounts.fee),
            seller_receives: money(amounts.total - amounts.fee),
            unit_kind: amounts.unit_price.and(Unit::try_from(terms.unit_kind).ok()).map(|kind| kind.to_string()),
            unit_price: amounts.unit_price.map(money),
            units: asked.units,
            total: money(amounts.total),
            terms_version: state.skill.as_ref().map(Skill::terms_version),
            terms_hash: state.terms_hash().map(|hash| to_hex(&hash)),
            registered: state.skill.is_some(),
            meter: to_base58(&terms.meter),
            purchasable: obstacle.is_none(),
            reason: obstacle.map(|obstacle| obstacle.to_string()),
            slot: reading.snapshot.slot,
        })
    }
}

/// What to price, defaults filled in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) tier: Tier,
    pub(crate) units: u64,
}

/// What it costs, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) currency: Currency,
    /// Paid at purchase; 0 for usage.
    pub(crate) price: u64,
    /// Of one unit, for usage.
    pub(crate) unit_price: Option<u64>,
    pub(crate) total: u64,
    /// The platform's part of the total.
    pub(crate) fee: u64,
}

impl Asked {
    /// A licence of this kind and tier, without usage.
    pub(crate) fn licence(kind: &str, tier: &str) -> Result<Asked, LicensingError> {
        Ok(Asked { kind: parse_kind(kind)?, tier: parse_tier(tier)?, units: 0 })
    }

    fn read(query: &QuoteQuery, terms: &Terms) -> Result<Asked, LicensingError> {
        let kind = query.kind.as_deref().map(parse_kind).transpose()?.unwrap_or_else(|| first_kind(terms));
        let tier = query.tier.as_deref().map_or(Ok(Tier::Personal), parse_tier)?;
        Ok(Asked { kind, tier, units: query.units })
    }

    /// What it costs by these terms, when the platform takes `fee_bps` basis points.
    pub(crate) fn amounts(self, terms: &Terms, fee_bps: u16) -> Result<Amounts, LicensingError> {
        let Asked { kind, tier, units } = self;
        let currency = Currency::try_from(terms.currency).map_err(LicensingError::NotForSale)?;
        let base = terms.price(kind, tier).map_err(LicensingError::NotForSale)?;
        let too_many = |_: ProgramError| LicensingError::TooManyUnits { units };
        let usage = kind == Kind::Usage;
        let price = if usage { 0 } else { base };
        let total = if usage { cost(units, base).map_err(too_many)? } else { base };
        Ok(Amounts { currency, price, unit_price: usage.then_some(base), total, fee: fee_of(total, fee_bps) })
    }
}

fn first_kind(terms: &Terms) -> Kind {
    let offered = |kind: &&Kind| terms.kinds & kind.bit() != 0;
    Kind::ALL.iter().find(offered).copied().unwrap_or(Kind::OneTime)
}

fn parse_kind(name: &str) -> Result<Kind, LicensingError> {
    Kind::from_name(name).ok_or(LicensingError::UnknownKind)
}

fn parse_tier(name: &str) -> Result<Tier, LicensingError> {
    Tier::from_name(name).ok_or(LicensingError::UnknownTier)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(kind: Kind, tier: Tier, units: u64) -> Result<Amounts, LicensingError> {
        let terms = Terms {
            payout: [1; 32],
            meter: [2; 32],
            price_once: 1_001,
            price_period: 0,
            price_unit: 3,
            period_secs: 0,
            refund_window: 0,
            tier_bps: [10_000, 15_000, 50_000],
            currency: Currency::Usdc as u8,
            kinds: Kind::OneTime.bit() | Kind::Usage.bit(),
            unit_kind: Unit::Call as u8,
        };
        Asked { kind, tier, units }.amounts(&terms, 250)
    }

    #[test]
    fn a_tier_multiplies_and_rounds_up_and_the_fee_rounds_down() {
        let amounts = amounts(Kind::OneTime, Tier::Commercial, 0).unwrap();
        assert_eq!((amounts.price, amounts.total, amounts.fee), (1_502, 1_502, 37));
    }

    #[test]
    fn usage_costs_nothing_at_purchase_and_its_units_in_total() {
        let amounts = amounts(Kind::Usage, Tier::Personal, 1_000).unwrap();
        assert_eq!((amounts.price, amounts.unit_price, amounts.total, amounts.fee), (0, Some(3), 3_000, 75));
    }

    #[test]
    fn more_units_than_money_can_count_are_refused() {
        let refused = amounts(Kind::Usage, Tier::Personal, u64::MAX);
        assert!(matches!(refused, Err(LicensingError::TooManyUnits { .. })));
    }

    #[test]
    fn a_kind_that_is_not_offered_has_no_price() {
        let refused = amounts(Kind::Subscription, Tier::Personal, 0);
        assert!(matches!(refused, Err(LicensingError::NotForSale(ProgramError::KindNotOffered))));
    }
}
