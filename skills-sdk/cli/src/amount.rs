//! Money as people type it: with or without its currency, `.5` for `0.5`. The digits are read by `clawos_interface::money`.

use clawos_client::api::Money;
use clawos_interface::{Currency, money};

use crate::error::{CliError, Result};

/// Reads `2.5`, `2.5 USDC` or `0.1sol` as base units of `currency`.
///
/// # Errors
/// [`CliError::Usage`] for signs, another currency, more decimals than the currency has, and amounts above 2^63 − 1.
pub fn parse(text: &str, currency: Currency) -> Result<u64> {
    let (digits, named) = split(text);
    if !named.is_empty() && !named.eq_ignore_ascii_case(currency.as_str()) {
        return Err(wrong(text, &format!("is in the wrong currency: {currency} is expected")));
    }
    let amount = money::parse(&plain(digits), currency).map_err(|error| wrong(text, &error.to_string()))?;
    let most = usize::from(currency.decimals());
    match digits.split_once('.') {
        Some((_, decimals)) if decimals.len() > most => {
            Err(wrong(text, &format!("has too many decimals: {currency} has {most}")))
        }
        _ => Ok(amount),
    }
}

/// The currency that `text` names at its end, if any.
pub fn named_currency(text: &str) -> Option<Currency> {
    Currency::from_name(&split(text).1.to_ascii_uppercase())
}

/// Base units as money.
pub fn money(amount: u64, currency: Currency) -> Money {
    Money::new(amount, currency)
}

/// The digits, and the letters at the end.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    (digits.trim_end(), &text[digits.len()..])
}

/// `.5` as `0.5`, `007` as `7`.
fn plain(digits: &str) -> String {
    let bare = digits.trim_start_matches('0');
    let zero = if bare.starts_with('.') || (bare.is_empty() && !digits.is_empty()) { "0" } else { "" };
    format!("{zero}{bare}")
}

fn wrong(text: &str, why: &str) -> CliError {
    CliError::Usage(format!("`{}` {why}", text.trim()))
}

#[cfg(test)]
mod tests {
    use clawos_interface::MAX_AMOUNT;

    use super::*;

    #[test]
    fn reads_what_people_write() {
        let good = [
            ("5", 5_000_000),
            ("2.5", 2_500_000),
            ("0.000001", 1),
            (".5", 500_000),
            (" 1 USDC ", 1_000_000),
            ("1usdc", 1_000_000),
            ("0", 0),
            ("00", 0),
            ("007.50", 7_500_000),
        ];
        for (text, amount) in good {
            assert_eq!(parse(text, Currency::Usdc).expect(text), amount, "{text}");
        }
        assert_eq!(parse("0.000000001 SOL", Currency::Sol).expect("a lamport"), 1);
        assert_eq!(parse("9223372036.854775807", Currency::Sol).expect("the largest"), MAX_AMOUNT);
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            ".",
            "5.",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "0.0000001",
            "1.0000000",
            "1.0000000 USDC",
            "1 SOL",
            "1 EUR",
            "9223372036854.775808",
            "99999999999999999999",
            "1.5.2",
            "0x10",
            "١",
        ] {
            assert!(parse(text, Currency::Usdc).is_err(), "{text}");
        }
    }

    #[test]
    fn the_currency_can_be_named() {
        assert_eq!(named_currency("5USDC"), Some(Currency::Usdc));
        assert_eq!(named_currency("5 sol"), Some(Currency::Sol));
        assert_eq!(named_currency("5"), None);
    }
}
