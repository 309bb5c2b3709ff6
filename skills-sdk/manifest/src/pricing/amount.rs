//! Money as text: decimal text to base units and back, exactly or not at all.

use clawos_receipts::codes::Currency;
use thiserror::Error;

/// Most digits before the point, and most after it: their product with 10^9 stays far inside 128 bits.
const MAX_DIGITS: usize = 12;

/// Why a text is no amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AmountError {
    /// Not decimal text.
    #[error(
        "is not decimal text such as \"5\" or \"0.25\", with at most {MAX_DIGITS} digits on either side of the point"
    )]
    Form,
    /// Finer than the base unit, or than a whole base unit per unit.
    #[error("does not come out as a whole number of base units per {per}: the nearest prices are {nearest}")]
    TooFine {
        /// What one price is for.
        per: &'static str,
        /// The nearest prices that do, as they would be written.
        nearest: String,
    },
    /// More than 2^63 − 1 base units.
    #[error("is more than 2^63 - 1 base units")]
    TooLarge,
}

/// The base units of decimal text such as "0.25". Errors when it is finer than the currency or too large.
pub fn parse_amount(text: &str, currency: Currency) -> Result<u64, AmountError> {
    let (numerator, denominator) = ratio(text, currency)?;
    whole(numerator, denominator, 1, currency, "amount")
}

/// The base units per unit when `text` is the price of `units` of them (1 or 1,000). It may be 0.
///
/// Errors when that is not whole, naming the nearest prices that would be.
pub fn unit_price(text: &str, units: u64, unit: &'static str, currency: Currency) -> Result<u64, AmountError> {
    let (numerator, denominator) = ratio(text, currency)?;
    whole(numerator, denominator * u128::from(units), units, currency, unit)
}

/// Base units as decimal text without trailing zeros.
pub fn format_amount(amount: u64, currency: Currency) -> String {
    format_wide(amount.into(), currency)
}

fn format_wide(amount: u128, currency: Currency) -> String {
    let scale = 10_u128.pow(currency.decimals());
    let width = currency.decimals() as usize;
    let text = format!("{}.{:0width$}", amount / scale, amount % scale);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The text as a fraction of base units.
fn ratio(text: &str, currency: Currency) -> Result<(u128, u128), AmountError> {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| (1..=MAX_DIGITS).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = integer.len() > 1 && integer.starts_with('0');
    if !digits(integer) || !digits(fraction) || leading_zero {
        return Err(AmountError::Form);
    }
    let value: u128 = format!("{integer}{fraction}").parse().map_err(|_| AmountError::Form)?;
    let places = u32::try_from(fraction.len()).map_err(|_| AmountError::Form)?;
    Ok((value * 10_u128.pow(currency.decimals()), 10_u128.pow(places)))
}

fn whole(
    numerator: u128,
    denominator: u128,
    units: u64,
    currency: Currency,
    per: &'static str,
) -> Result<u64, AmountError> {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    if rest != 0 {
        let price = |each: u128| format!("\"{}\"", format_wide(each * u128::from(units), currency));
        let above = price(quotient + 1);
        let nearest = if quotient == 0 { above } else { format!("{} and {above}", price(quotient)) };
        return Err(AmountError::TooFine { per, nearest });
    }
    u64::try_from(quotient).ok().filter(|amount| i64::try_from(*amount).is_ok()).ok_or(AmountError::TooLarge)
}
