//! The validity rule against its sentence: exists, not suspended, not refunded, not closing, not expired, below the limit.

use clawos_interface::rules::usage::Caps;
use clawos_interface::rules::validity::{validity, Reason, Validity};
use clawos_interface::{ExitKind, LicenceStatus};
use proptest::prelude::*;

use crate::samples::{config, licence};

proptest! {
    #[test]
    fn is_what_its_sentence_says(
        status in 1u8..=3, exit in 0u8..=3, expires in prop_oneof![Just(0i64), 1i64..1_000], now in 0i64..1_000,
        limit in 0u64..20, used in 0u64..20,
    ) {
        let mut account = licence();
        account.status = status;
        account.exit_kind = exit;
        account.expires_at.set(expires);
        account.usage_limit.set(limit);
        account.usage_total.set(used);
        let expected = status == LicenceStatus::Active as u8
            && exit == ExitKind::None as u8
            && (expires == 0 || now < expires)
            && (limit == 0 || used < limit);
        let answer = validity(&account, now);
        prop_assert_eq!(answer.valid, expected);
        prop_assert_eq!(answer.reason == Reason::Ok, expected);
        prop_assert_eq!(answer.units_left > 0, expected, "no unit is left to an invalid licence, some to a valid one");
    }

    #[test]
    fn units_left_fit_limit_day_and_credit(
        limit in 0u64..100, used in 0u64..100, per_day in 0u64..100, today in 0u64..100, credit in 0u64..10_000, price in 0u64..100,
    ) {
        let mut account = licence();
        account.usage_limit.set(limit);
        account.usage_total.set(used);
        account.max_units_per_day.set(per_day);
        account.day_units.set(today);
        account.day.set(3);
        account.credit.set(credit);
        account.unit_price.set(price);
        let left = validity(&account, 3 * 86_400 + 5).units_left;
        prop_assert!(limit == 0 || left <= limit.saturating_sub(used));
        prop_assert!(per_day == 0 || left <= per_day.saturating_sub(today));
        prop_assert!(price == 0 || left.checked_mul(price).is_some_and(|cost| cost <= credit));
        // A day later the day's cap is whole again.
        let tomorrow = validity(&account, 4 * 86_400).units_left;
        prop_assert!(tomorrow >= left);
    }

    #[test]
    fn the_return_data_decodes_to_the_same_answer(valid: bool, kind in 0u8..4, tier in 0u8..3, expires: i64, units: u64, meter: [u8; 32], reason in 0usize..7) {
        let answer = Validity { valid, kind, tier, expires_at: expires, units_left: units, meter, reason: Reason::ALL[reason] };
        let mut bytes = vec![u8::from(valid), kind, tier];
        bytes.extend(expires.to_le_bytes());
        bytes.extend(units.to_le_bytes());
        bytes.extend(meter);
        bytes.push(reason as u8);
        prop_assert_eq!(Validity::decode(&bytes), Some(answer));
        bytes.push(0);
        prop_assert_eq!(Validity::decode(&bytes), None);
    }
}

#[test]
fn stricter_caps_bind_new_calls_at_once() {
    let mut account = licence();
    account.usage_total.set(10);
    assert_eq!(validity(&account, 1_000).units_left, u64::MAX);
    let caps = Caps { usage_limit: 12, ..Caps::default() };
    caps.set(&mut account, &config(), 1_000).expect("in time");
    assert_eq!(validity(&account, 1_000).units_left, 2);
    account.usage_total.set(12);
    assert_eq!(validity(&account, 1_000).reason, Reason::LimitReached);
}
