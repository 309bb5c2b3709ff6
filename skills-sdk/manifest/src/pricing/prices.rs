//! The prices of a skill in base units, as listings show them and as they are registered on chain.

use clawos_interface::money::{self, AmountError};
use clawos_interface::rules::price::tier_price;
use clawos_interface::rules::terms::MAX_REFUND_WINDOW_SECS;
use clawos_interface::{Currency, Unit};
use clawos_receipts::text::decimal;
use serde::{Deserialize, Serialize};

use crate::error::ManifestError;
use crate::source::{Per, PricingSource, TiersSource, UsageSource};

/// Lowest price of a purchase or period, in base units: the least of which the platform's 2.5 % is one whole unit.
/// The program's own bounds may be narrower.
pub const MIN_PURCHASE: u64 = 40;
/// Tier multipliers are kept in 1/10,000.
const BPS: f64 = 10_000.0;
const HOUR_SECS: u32 = 3_600;

/// What a skill costs. At least one of `once`, `period` and `unit` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Prices {
    /// What everything is paid in.
    #[cfg_attr(feature = "openapi", schema(value_type = clawos_receipts::schema::CurrencyWord))]
    pub currency: Currency,
    /// Price of a licence that never expires, in base units.
    #[serde(with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<clawos_receipts::schema::Decimal>))]
    pub once: Option<u64>,
    /// Price of a period.
    pub period: Option<PeriodPrice>,
    /// Price of a unit of usage.
    pub unit: Option<UnitPrice>,
    /// What the price is multiplied by for personal, commercial and enterprise use, in 1/10,000; the first is 10,000.
    pub tier_bps: [u32; 3],
    /// Calls every wallet may make before it needs a licence.
    pub free_calls: u32,
    /// Seconds in which an unused purchase can be taken back.
    pub refund_secs: u32,
}

/// Price of a subscription's period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeriodPrice {
    /// Base units per period.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = clawos_receipts::schema::Decimal))]
    pub amount: u64,
    /// Seconds of a period.
    pub secs: u32,
}

/// Price of a unit of usage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitPrice {
    /// Base units per unit; at least 1.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = clawos_receipts::schema::Decimal))]
    pub amount: u64,
    /// What a unit is.
    #[cfg_attr(feature = "openapi", schema(value_type = clawos_receipts::schema::UnitWord))]
    pub kind: Unit,
    /// The price as its author wrote it.
    pub shown: ShownPrice,
}

/// A usage price as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShownPrice {
    /// Decimal text such as "1" or "0.25".
    pub amount: String,
    /// What the amount is for.
    pub per: Per,
}

impl Prices {
    /// The prices a `[pricing]` section means; a docker skill can only count calls. Errors with all that is wrong.
    pub fn from_source(source: &PricingSource, docker: bool) -> Result<Self, Vec<ManifestError>> {
        let mut errors = Vec::new();
        let currency = source.currency;
        let tier_bps = tiers(source.tiers, &mut errors);
        let purchase = |key: &str, text: &str| {
            let price = money::parse(text, currency).map_err(|error| amount_error(key, text, &error));
            price.and_then(|price| check_purchase(key, price, tier_bps, currency))
        };
        let once = source.once.as_ref().map(|text| purchase("pricing.once", text));
        let period = source.period.as_ref().map(|period| {
            let amount = purchase("pricing.period.amount", &period.amount)?;
            Ok(PeriodPrice { amount, secs: period.every.secs() })
        });
        let unit = source.usage.as_ref().map(|usage| usage_price(usage, tier_bps, currency, docker));
        if once.is_none() && period.is_none() && unit.is_none() {
            let hint = "add `once`, `period` or `usage`, or leave out [pricing] to make the skill free";
            errors.push(ManifestError::new("pricing", "names no price", hint));
        }
        let refund_secs = source.refund_hours.saturating_mul(HOUR_SECS);
        if refund_secs > MAX_REFUND_WINDOW_SECS {
            let problem = format!("the program accepts at most {} hours for now", MAX_REFUND_WINDOW_SECS / HOUR_SECS);
            errors.push(ManifestError::new("pricing.refund_hours", problem, "leave it out"));
        }
        let once = keep(once, &mut errors);
        let period = keep(period, &mut errors);
        let unit = keep(unit, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self { currency, once, period, unit, tier_bps, free_calls: source.free_calls, refund_secs })
    }
}

/// Moves a failure to the list of errors.
fn keep<T>(price: Option<Result<T, ManifestError>>, errors: &mut Vec<ManifestError>) -> Option<T> {
    price.transpose().unwrap_or_else(|error| {
        errors.push(error);
        None
    })
}

fn amount_error(key: &str, text: &str, error: &AmountError) -> ManifestError {
    let hint = match error {
        AmountError::TooFine { nearest, .. } => {
            format!("write {}", nearest.replace(" and ", " or "))
        }
        _ => "write decimal text such as \"5\" or \"0.25\"".to_owned(),
    };
    ManifestError::new(key, format!("\"{text}\" {error}"), hint)
}

fn check_purchase(key: &str, price: u64, tier_bps: [u32; 3], currency: Currency) -> Result<u64, ManifestError> {
    if price < MIN_PURCHASE {
        let least = money::show(MIN_PURCHASE.into(), currency.decimals());
        return Err(ManifestError::new(key, "is too small to take a fee from", format!("write at least \"{least}\"")));
    }
    check_tiers(key, price, tier_bps)
}

/// No tier's price may leave the range of amounts.
fn check_tiers(key: &str, price: u64, tier_bps: [u32; 3]) -> Result<u64, ManifestError> {
    if tier_bps.iter().any(|bps| tier_price(price, *bps).is_err()) {
        let problem = "times the highest tier is more than 2^63 - 1 base units";
        return Err(ManifestError::new(key, problem, "lower the price or the multiplier"));
    }
    Ok(price)
}

fn usage_price(
    usage: &UsageSource,
    tier_bps: [u32; 3],
    currency: Currency,
    docker: bool,
) -> Result<UnitPrice, ManifestError> {
    let (kind, units, unit) = match usage.per {
        Per::Call => (Unit::Call, 1, "call"),
        Per::ThousandCalls => (Unit::Call, 1_000, "call"),
        Per::Megafuel => (Unit::Megafuel, 1, "megafuel"),
        Per::Gigafuel => (Unit::Megafuel, 1_000, "megafuel"),
    };
    if docker && kind == Unit::Megafuel {
        let hint = "write per = \"call\" or \"1000-calls\"";
        return Err(ManifestError::new("pricing.usage.per", "a docker skill has no fuel to count", hint));
    }
    let key = "pricing.usage.amount";
    let amount = money::parse_per(&usage.amount, units, unit, currency)
        .map_err(|error| amount_error(key, &usage.amount, &error))?;
    if amount == 0 {
        let least = money::show(units.into(), currency.decimals());
        let hint = format!("write at least \"{least}\", or leave out [pricing] to make the skill free");
        return Err(ManifestError::new(key, "must not be zero", hint));
    }
    check_tiers(key, amount, tier_bps)?;
    Ok(UnitPrice { amount, kind, shown: ShownPrice { amount: usage.amount.clone(), per: usage.per } })
}

fn tiers(source: TiersSource, errors: &mut Vec<ManifestError>) -> [u32; 3] {
    let mut bps = |name: &str, multiplier: f64| {
        let scaled = multiplier * BPS;
        let rounded = scaled.round();
        // The schema bounds it to 1..=100; a double this small holds four decimals to far better than this.
        if !(10_000.0..=1_000_000.0).contains(&rounded) || (scaled - rounded).abs() > 1e-6 {
            let key = format!("pricing.tiers.{name}");
            errors.push(ManifestError::new(key, "is not a multiplier", "write 1.0 to 100 with at most four decimals"));
            return 10_000;
        }
        rounded as u32
    };
    [10_000, bps("commercial", source.commercial), bps("enterprise", source.enterprise)]
}
