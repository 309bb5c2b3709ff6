//! Money as people write it: decimal text, with or without its currency, to base units and back.

use clawos_client::api::Money;
use clawos_interface::{Currency, MAX_AMOUNT};

use crate::error::{CliError, Result};

/// Reads `2.5`, `2.5 USDC` or `0.1sol` as base units of `currency`.
///
/// # Errors
/// [`CliError::Usage`] for signs, another currency, more decimals than the currency has, and amounts above 2^63 − 1.
pub fn parse(text: &str, currency: Currency) -> Result<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let named = &text[digits.len()..];
    if !named.is_empty() && !named.eq_ignore_ascii_case(currency.as_str()) {
        return Err(wrong(text, &format!("the currency here is {}", name(currency))));
    }
    let digits = digits.trim_end();
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || !numeric(whole) || !numeric(part) || digits.ends_with('.') {
        return Err(wrong(text, "write it like 2.5"));
    }
    let decimals = usize::from(currency.decimals());
    if part.len() > decimals {
        return Err(wrong(text, &format!("{} has {decimals} decimals", name(currency))));
    }
    let padded = format!("{whole}{part:0<decimals$}");
    let amount = padded.parse::<u64>().ok().filter(|amount| *amount <= MAX_AMOUNT);
    amount.ok_or_else(|| wrong(text, "it is too large"))
}

/// The currency that `text` names at its end, if any.
pub fn named_currency(text: &str) -> Option<Currency> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    Currency::from_name(&text[digits.len()..].to_ascii_lowercase())
}

/// `USDC`, `SOL`.
pub fn name(currency: Currency) -> String {
    currency.as_str().to_ascii_uppercase()
}

/// Base units as money.
pub fn money(amount: u64, currency: Currency) -> Money {
    Money { amount, currency: name(currency), decimals: currency.decimals() }
}

fn wrong(text: &str, why: &str) -> CliError {
    CliError::Usage(format!("`{text}` is not an amount that can be used here: {why}"))
}

#[cfg(test)]
mod tests {
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
