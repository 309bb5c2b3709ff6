//! The fee: equal to the exact floor, conserving, and not to be avoided by slicing.

use clawos_interface::rules::fee::{fee_delta, fee_of, MAX_FEE_BPS};
use clawos_interface::{ProgramError, MAX_AMOUNT};
use proptest::prelude::*;

/// The fee by wide arithmetic, which the program does not have.
fn exact(total: u64, bps: u16) -> u64 {
    (u128::from(total) * u128::from(bps) / 10_000) as u64
}

proptest! {
    #[test]
    fn equals_the_exact_floor(total: u64, bps in 0u16..=10_000) {
        prop_assert_eq!(fee_of(total, bps), exact(total, bps));
    }

    #[test]
    fn slicing_changes_nothing(pieces in prop::collection::vec(1u64..1 << 40, 1..60), bps in 0u16..=MAX_FEE_BPS) {
        let (mut total, mut fees, mut sellers) = (0, 0, 0);
        for piece in &pieces {
            let fee = fee_delta(total, *piece, bps).expect("the total stays small");
            prop_assert!(fee <= *piece);
            total += piece;
            fees += fee;
            sellers += piece - fee;
        }
        prop_assert_eq!(fees, exact(total, bps));
        prop_assert_eq!(fees + sellers, total);
    }

    #[test]
    fn never_exceeds_what_is_paid(old in 0..=MAX_AMOUNT, add in 0..=MAX_AMOUNT, bps in 0u16..=MAX_FEE_BPS) {
        match fee_delta(old, add, bps) {
            Ok(fee) => prop_assert!(fee <= add && u128::from(old) + u128::from(add) <= u128::from(MAX_AMOUNT)),
            Err(error) => {
                prop_assert_eq!(error, ProgramError::MathOverflow);
                prop_assert!(u128::from(old) + u128::from(add) > u128::from(MAX_AMOUNT));
            }
        }
    }
}

#[test]
fn known_splits() {
    assert_eq!(fee_of(10_000, 250), 250);
    assert_eq!(fee_of(39, 250), 0);
    assert_eq!(fee_of(40, 250), 1);
    assert_eq!(fee_of(u64::MAX, 10_000), u64::MAX);
    // 40 single units pay what one batch of 40 pays.
    assert_eq!((0..40).map(|paid| fee_delta(paid, 1, 250).expect("small")).sum::<u64>(), 1);
}
