//! Terms: what a seller may offer, and a hash that changes with every part of them.

use clawos_interface::rules::terms::Terms;
use clawos_interface::{sha256, Kind, ProgramError, Tier};
use proptest::prelude::*;

use crate::samples::{bounds, terms};

/// A change to terms, and what it must lead to.
type Change = (fn(&mut Terms), ProgramError);

#[test]
fn each_wrong_part_has_its_own_refusal() {
    assert_eq!(terms().check(&bounds()), Ok(()));
    let changes: &[Change] = &[
        (|t| t.payout = [0; 32], ProgramError::KeyMissing),
        (|t| t.currency = 2, ProgramError::UnknownCurrency),
        (|t| t.unit_kind = 2, ProgramError::UnknownUnitKind),
        (|t| t.kinds = 0, ProgramError::KindsInvalid),
        (|t| t.kinds = 8, ProgramError::KindsInvalid),
        (|t| t.refund_window = 1, ProgramError::RefundWindowTooLong),
        (|t| t.tier_bps[0] = 10_001, ProgramError::TierInvalid),
        (|t| t.tier_bps[1] = 9_999, ProgramError::TierInvalid),
        (|t| t.tier_bps[2] = 1_000_001, ProgramError::TierInvalid),
        (|t| t.period_secs = 3_599, ProgramError::PeriodInvalid),
        (|t| t.period_secs = 366 * 86_400 + 1, ProgramError::PeriodInvalid),
        (|t| t.price_once = 39, ProgramError::PriceOutOfRange),
        (|t| t.price_once = 200_000_001, ProgramError::PriceOutOfRange),
        (|t| t.price_period = 0, ProgramError::PriceOutOfRange),
        (|t| t.price_unit = 0, ProgramError::PriceOutOfRange),
        (|t| t.kinds = 6, ProgramError::PriceOutOfRange),
        (|t| (t.kinds, t.price_period) = (5, 0), ProgramError::PeriodInvalid),
    ];
    for (index, (change, error)) in changes.iter().enumerate() {
        let mut changed = terms();
        change(&mut changed);
        assert_eq!(changed.check(&bounds()), Err(*error), "change {index}");
    }
}

#[test]
fn the_price_is_of_the_kind_and_tier() {
    let terms = terms();
    assert_eq!(terms.price(Kind::OneTime, Tier::Personal), Ok(1_000_000));
    assert_eq!(terms.price(Kind::Subscription, Tier::Commercial), Ok(750_000));
    assert_eq!(terms.price(Kind::Usage, Tier::Commercial), Ok(2), "1.5 rounds up");
    let once_only = Terms { kinds: Kind::OneTime.bit(), ..terms };
    assert_eq!(once_only.price(Kind::Usage, Tier::Personal), Err(ProgramError::KindNotOffered));
}

proptest! {
    #[test]
    fn every_byte_counts_in_the_hash(at in 0usize..11, value in 1u64..u64::MAX, slot: u64, other: u64) {
        let hash = terms().hash(sha256, slot);
        let mut changed = terms();
        match at {
            0 => changed.payout[(value % 32) as usize] ^= 1,
            1 => changed.meter[(value % 32) as usize] ^= 1,
            2 => changed.price_once ^= value,
            3 => changed.price_period ^= value,
            4 => changed.price_unit ^= value,
            5 => changed.period_secs ^= (value as u32).max(1),
            6 => changed.refund_window ^= (value as u32).max(1),
            7 => changed.tier_bps[(value % 3) as usize] ^= 1,
            8 => changed.currency ^= 1,
            9 => changed.kinds ^= 1,
            _ => changed.unit_kind ^= 1,
        }
        prop_assert_ne!(changed.hash(sha256, slot), hash);
        prop_assert_eq!(terms().hash(sha256, other) == hash, other == slot);
    }
}

#[test]
fn the_hash_is_as_published() {
    // Computed apart from this code: SHA-256 of the domain and the fields in order, little-endian.
    let expected = "6d11926ce1327c0d0cb71f8560cefc8b48d3a6e4b1db175db2e1de7bcbfb7524";
    let hex: String = terms().hash(sha256, 9).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected);
}
