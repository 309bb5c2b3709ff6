//! `GET /skills/{id}/quote`: what a licence or some usage would cost, by the terms on chain.

use axum::Json;
use axum::extract::State;
use clawos_interface::rules::bill::cost;
use clawos_interface::rules::fee::fee_of;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Key, Kind, ProgramError, Tier, Unit};
use clawos_receipts::text::{decimal, to_base58, to_hex};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::LicensingError;
use super::accounts::ListingState;
use super::chain::Snapshot;
use crate::app::AppState;
use crate::error::{ApiError, Code};
use crate::http::{Money, Path, Query};

/// What to price.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteQuery {
    /// `one_time`, `subscription` or `usage`; by default the first of these the skill offers.
    kind: Option<String>,
    /// `personal` (default), `commercial` or `enterprise`.
    tier: Option<String>,
    /// Units of usage to price; by default none.
    #[serde(default)]
    units: u64,
}

/// What it would cost.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Quote {
    /// `publisher.name`
    pub skill: String,
    /// The address of its account.
    pub skill_account: String,
    /// `one_time`, `subscription` or `usage`.
    pub kind: String,
    /// `personal`, `commercial` or `enterprise`.
    pub tier: String,
    /// `SOL` or `USDC`.
    pub currency: String,
    /// Paid at purchase; 0 for usage.
    pub price: Money,
    /// The platform's part of the total.
    pub fee: Money,
    /// The seller's part of the total.
    pub seller_receives: Money,
    /// `call` or `megafuel`, for usage.
    pub unit_kind: Option<String>,
    /// Price of one unit, for usage.
    pub unit_price: Option<Money>,
    /// As asked.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub units: u64,
    /// Price and units together.
    pub total: Money,
    /// Counts changes of the terms; null when not registered.
    pub terms_version: Option<u32>,
    /// Hash of the terms, hex; null when not registered.
    pub terms_hash: Option<String>,
    /// Whether the skill is registered on chain. If not, these are the manifest's prices.
    pub registered: bool,
    /// The key that records usage of licences sold now.
    pub meter: String,
    /// Whether it can be bought now.
    pub purchasable: bool,
    /// Why it cannot; null when it can.
    pub reason: Option<String>,
    /// The slot the chain was read at.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub slot: u64,
}

/// Prices a licence or usage.
#[utoipa::path(get, path = "/skills/{id}/quote", tag = "marketplace", params(("id" = String, Path), QuoteQuery),
    responses((status = 200, body = Quote), (status = 404, body = crate::error::Problem), (status = 409, body = crate::error::Problem), (status = 503, body = crate::error::Problem)))]
pub(crate) async fn quote(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<QuoteQuery>,
) -> Result<Json<Quote>, ApiError> {
    let skill = app.registry.resolve(&id, None).await?;
    let Some(prices) = &skill.manifest.prices else {
        return Err(ApiError::new(Code::NotRegistered, "The skill is free; call it without a licence."));
    };
    let reading = app.licensing.listing(&skill.publisher_wallet, &id).await?;
    let state = &reading.snapshot.value;
    let terms = match &state.skill {
        Some(account) => account.terms(&state.config.meter),
        None => prices.terms(skill.publisher_wallet, state.config.meter),
    };
    let kind = query.kind.as_deref().map(parse_kind).transpose()?.unwrap_or_else(|| first_kind(&terms));
    let tier = query.tier.as_deref().map_or(Ok(Tier::Personal), parse_tier)?;
    let amounts = Amounts::of(&terms, kind, tier, query.units, state.config.fee_bps())?;
    let asked = Asked { kind, tier, units: query.units };
    let obstacle = app.licensing.sold_here(state).err();
    Ok(Json(render(&id, &reading.snapshot, &asked, amounts, terms.meter, obstacle)))
}

/// What was asked for, defaults filled in.
struct Asked {
    kind: Kind,
    tier: Tier,
    units: u64,
}

/// The numbers of a quote, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amounts {
    pub currency: Currency,
    pub price: u64,
    pub unit_price: Option<u64>,
    pub unit_kind: u8,
    pub total: u64,
    pub fee: u64,
}

impl Amounts {
    pub(super) fn of(
        terms: &Terms,
        kind: Kind,
        tier: Tier,
        units: u64,
        fee_bps: u16,
    ) -> Result<Amounts, LicensingError> {
        let currency = Currency::try_from(terms.currency).map_err(LicensingError::NotForSale)?;
        let base = terms.price(kind, tier).map_err(LicensingError::NotForSale)?;
        let too_many = |_: ProgramError| LicensingError::TooManyUnits { units };
        let usage = kind == Kind::Usage;
        let price = if usage { 0 } else { base };
        let total = if usage { cost(units, base).map_err(too_many)? } else { base };
        let fee = fee_of(total, fee_bps);
        Ok(Amounts { currency, price, unit_price: usage.then_some(base), unit_kind: terms.unit_kind, total, fee })
    }
}

fn render(
    id: &str,
    snapshot: &Snapshot<ListingState>,
    asked: &Asked,
    amounts: Amounts,
    meter: Key,
    obstacle: Option<LicensingError>,
) -> Quote {
    let state = &snapshot.value;
    let money = |amount| Money::new(amount, amounts.currency);
    let price = money(amounts.price);
    Quote {
        skill: id.to_owned(),
        skill_account: to_base58(&state.skill_account),
        kind: asked.kind.to_string(),
        tier: asked.tier.to_string(),
        currency: price.currency.clone(),
        price,
        fee: money(amounts.fee),
        seller_receives: money(amounts.total - amounts.fee),
        unit_kind: amounts.unit_price.and(Unit::try_from(amounts.unit_kind).ok()).map(|kind| kind.to_string()),
        unit_price: amounts.unit_price.map(money),
        units: asked.units,
        total: money(amounts.total),
        terms_version: state.skill.as_ref().map(|skill| skill.terms_version()),
        terms_hash: state.terms_hash().map(|hash| to_hex(&hash)),
        registered: state.skill.is_some(),
        meter: to_base58(&meter),
        purchasable: obstacle.is_none(),
        reason: obstacle.map(|obstacle| obstacle.to_string()),
        slot: snapshot.slot,
    }
}

fn first_kind(terms: &Terms) -> Kind {
    let offered = |kind: &&Kind| terms.kinds & kind.bit() != 0;
    Kind::ALL.iter().find(offered).copied().unwrap_or(Kind::OneTime)
}

/// Reads a kind's name.
pub(super) fn parse_kind(name: &str) -> Result<Kind, ApiError> {
    let refuse = || ApiError::new(Code::ValidationFailed, "kind must be one_time, subscription or usage.");
    Kind::from_name(name).ok_or_else(refuse)
}

/// Reads a tier's name.
pub(super) fn parse_tier(name: &str) -> Result<Tier, ApiError> {
    let refuse = || ApiError::new(Code::ValidationFailed, "tier must be personal, commercial or enterprise.");
    Tier::from_name(name).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn terms() -> Terms {
        Terms {
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
        }
    }

    #[test]
    fn a_tier_multiplies_and_rounds_up_and_the_fee_rounds_down() {
        let amounts = Amounts::of(&terms(), Kind::OneTime, Tier::Commercial, 0, 250).unwrap();
        assert_eq!((amounts.price, amounts.total, amounts.fee), (1_502, 1_502, 37));
    }

    #[test]
    fn usage_costs_nothing_at_purchase_and_its_units_in_total() {
        let amounts = Amounts::of(&terms(), Kind::Usage, Tier::Personal, 1_000, 250).unwrap();
        assert_eq!((amounts.price, amounts.unit_price, amounts.total, amounts.fee), (0, Some(3), 3_000, 75));
    }

    #[test]
    fn more_units_than_money_can_count_are_refused() {
        let refused = Amounts::of(&terms(), Kind::Usage, Tier::Personal, u64::MAX, 250);
        assert!(matches!(refused, Err(LicensingError::TooManyUnits { .. })));
    }

    #[test]
    fn a_kind_that_is_not_offered_has_no_price() {
        let refused = Amounts::of(&terms(), Kind::Subscription, Tier::Personal, 0, 250);
        assert!(matches!(refused, Err(LicensingError::NotForSale(ProgramError::KindNotOffered))));
    }
}
