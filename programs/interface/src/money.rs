//! Money as text: decimal text to base units and back, exactly or not at all.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use crate::{Currency, MAX_AMOUNT};

/// Most digits before the point, and most after it: every amount of a currency fits, and the products below stay inside
/// 128 bits.
const MAX_DIGITS: usize = 13;

/// Why a text is no amount of a currency. Shown after the text: `"1e3" is not decimal text …`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AmountError {
    /// Not decimal text.
    Form,
    /// Finer than the base unit, or than a whole base unit per unit.
    TooFine {
        /// What one price is for: `amount`, `call`, `megafuel`.
        per: &'static str,
        /// The nearest prices that do, as they would be written, in quotes: one, or two joined by "and".
        nearest: String,
    },
    /// More than [`MAX_AMOUNT`].
    TooLarge,
}

impl core::fmt::Display for AmountError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Form => write!(
                f,
                "is not decimal text such as \"5\" or \"0.25\", with at most {MAX_DIGITS} digits on either side of the point"
            ),
            Self::TooFine { per, nearest } => {
                write!(f, "does not come out as a whole number of base units per {per}: the nearest prices are {nearest}")
            }
            Self::TooLarge => f.write_str("is more than 2^63 - 1 base units"),
        }
    }
}

impl core::error::Error for AmountError {}

/// The base units of decimal text such as "0.25".
///
/// # Errors
/// [`AmountError`] when it is not plain decimal text (no sign, exponent, spaces or leading zeros; a digit on both sides
/// of a point), finer than the currency, or above [`MAX_AMOUNT`].
pub fn parse(text: &str, currency: Currency) -> Result<u64, AmountError> {
    parse_per(text, 1, "amount", currency)
}

/// The base units per unit when `text` is the price of `units` of them (1 to 1,000). It may be 0.
///
/// # Errors
/// As [`parse`]; [`AmountError::TooFine`] names the nearest prices that come out whole, each called `unit`.
pub fn parse_per(text: &str, units: u64, unit: &'static str, currency: Currency) -> Result<u64, AmountError> {
    let (total, places) = scaled(text, currency)?;
    let scale = places * u128::from(units);
    let (price, rest) = (total / scale, total % scale);
    if rest != 0 {
        let shown = |price: u128| format!("\"{}\"", show(price * u128::from(units), currency.decimals()));
        let above = shown(price + 1);
        let nearest = if price == 0 { above } else { format!("{} and {above}", shown(price)) };
        return Err(AmountError::TooFine { per: unit, nearest });
    }
    u64::try_from(price).ok().filter(|price| *price <= MAX_AMOUNT).ok_or(AmountError::TooLarge)
}

/// The text as base units × 10^(digits after the point), and that power.
fn scaled(text: &str, currency: Currency) -> Result<(u128, u128), AmountError> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !digits(whole) || !digits(part) || leading_zero {
        return Err(AmountError::Form);
    }
    let value: u128 = format!("{whole}{part}").parse().map_err(|_| AmountError::Form)?;
    let places = part.bytes().fold(1, |power, _| power * 10);
    Ok((value * 10_u128.pow(currency.decimals().into()), places))
}

/// Base units as decimal text without trailing zeros: `show(2_500_000, 6)` is `2.5`. `decimals` is at most 38
/// ([`Currency::decimals`] gives that of a currency).
pub fn show(amount: u128, decimals: u8) -> String {
    let scale = 10_u128.pow(decimals.into());
    let width = usize::from(decimals);
    let text = format!("{}.{:0width$}", amount / scale, amount % scale);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
