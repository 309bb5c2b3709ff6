//! Tier prices: the exact product rounded up, or a refusal.

use clawos_interface::rules::price::{check_bounds, check_price, tier_price, MAX_TIER_BPS};
use clawos_interface::{ProgramError, MAX_AMOUNT};
use proptest::prelude::*;

proptest! {
    #[test]
    fn is_the_exact_product_rounded_up(base in 0..=MAX_AMOUNT, bps in 10_000u32..=MAX_TIER_BPS) {
        let exact = (u128::from(base) * u128::from(bps)).div_ceil(10_000);
        match tier_price(base, bps) {
            Ok(price) => prop_assert_eq!(u128::from(price), exact),
            Err(error) => {
                prop_assert_eq!(error, ProgramError::MathOverflow);
                // The guard may refuse a little early, at amounts no currency has.
                prop_assert!(exact > u128::from(MAX_AMOUNT) - 10_000 * u128::from(bps));
            }
        }
    }

    #[test]
    fn small_bases_round_up(base in 0u64..100_000, bps in 10_000u32..=MAX_TIER_BPS) {
        let price = tier_price(base, bps).expect("small");
        prop_assert!(price >= base);
        prop_assert_eq!(price, (base * u64::from(bps)).div_ceil(10_000));
    }

    #[test]
    fn other_multipliers_are_refused(base: u64, bps: u32) {
        prop_assume!(!(10_000..=MAX_TIER_BPS).contains(&bps));
        prop_assert_eq!(tier_price(base, bps), Err(ProgramError::TierInvalid));
    }
}

#[test]
fn bounds_are_themselves_bounded() {
    assert_eq!(check_bounds(1, MAX_AMOUNT), Ok(()));
    for (min, max) in [(0, 5), (6, 5), (1, MAX_AMOUNT + 1)] {
        assert_eq!(check_bounds(min, max), Err(ProgramError::PriceBoundsInvalid));
    }
    assert_eq!(check_price(40, 40, 50), Ok(()));
    assert_eq!(check_price(50, 40, 50), Ok(()));
    assert_eq!(check_price(39, 40, 50), Err(ProgramError::PriceOutOfRange));
    assert_eq!(check_price(51, 40, 50), Err(ProgramError::PriceOutOfRange));
}
