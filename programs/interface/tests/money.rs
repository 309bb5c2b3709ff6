//! Money as text: what is shown reads back, and a price per unit is exact or the nearest ones are named.

use clawos_interface::money::{parse, parse_per, show, AmountError};
use clawos_interface::{Currency, MAX_AMOUNT};
use proptest::prelude::*;

proptest! {
    #[test]
    fn amounts_read_back(amount in 0..=MAX_AMOUNT, sol: bool) {
        let currency = if sol { Currency::Sol } else { Currency::Usdc };
        prop_assert_eq!(parse(&show(amount.into(), currency.decimals()), currency), Ok(amount));
    }

    #[test]
    fn a_unit_price_is_exact_or_the_nearest_are_named(whole in 0_u64..1_000_000, fraction in 0_u64..1_000_000_000, thousand: bool) {
        let text = format!("{whole}.{fraction:09}");
        let units = if thousand { 1_000 } else { 1 };
        // In 10^-9: what one unit of 10^-6 per call means for `units` calls.
        let written = u128::from(whole) * 1_000_000_000 + u128::from(fraction);
        let step = u128::from(units) * 1_000;
        match parse_per(&text, units, "call", Currency::Usdc) {
            Ok(price) => prop_assert_eq!(u128::from(price) * step, written),
            Err(AmountError::TooFine { nearest, .. }) => {
                prop_assert!(written % step != 0);
                let prices: Vec<_> = nearest.split(" and ").map(|price| price.trim_matches('"')).collect();
                let read = |text: &str| parse_per(text, units, "call", Currency::Usdc).expect("a price that was named");
                let below = u64::try_from(written / step).expect("small");
                prop_assert_eq!(read(prices[prices.len() - 1]), below + 1);
                if below > 0 { prop_assert_eq!(read(prices[0]), below); }
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn no_text_upsets_the_parser(text in "[-+0-9.eE ]{0,40}|.{0,20}", units in 1_u64..=1_000) {
        let _ = parse_per(&text, units, "call", Currency::Sol);
    }
}

#[test]
fn only_plain_decimal_text_is_an_amount() {
    for text in ["", ".", "5.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1 ", "05", "1.5.2", "0x10", "\u{661}", "1 USDC"]
    {
        assert_eq!(parse(text, Currency::Usdc), Err(AmountError::Form), "{text}");
    }
    assert_eq!(parse("12345678901234", Currency::Usdc), Err(AmountError::Form), "too many digits");
    assert_eq!(parse("9223372036854.775808", Currency::Usdc), Err(AmountError::TooLarge));
    assert_eq!(parse("9223372036854.775807", Currency::Usdc), Ok(MAX_AMOUNT));
    let nearest = "\"0.000001\"".to_owned();
    assert_eq!(parse("0.0000001", Currency::Usdc), Err(AmountError::TooFine { per: "amount", nearest }));
}

#[test]
fn the_largest_text_stays_inside_128_bits() {
    let text = format!("{}.{}1", "9".repeat(13), "0".repeat(12));
    assert!(matches!(parse_per(&text, 1_000, "call", Currency::Sol), Err(AmountError::TooFine { .. })));
}

#[test]
fn amounts_are_shown_without_trailing_zeros() {
    assert_eq!(show(2_500_000, 6), "2.5");
    assert_eq!(show(1, 9), "0.000000001");
    assert_eq!(show(0, 6), "0");
    assert_eq!(show(u64::MAX.into(), 0), "18446744073709551615");
}
