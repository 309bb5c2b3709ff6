//! Recording: the chain of roots, the caps, and charges that conserve money whatever the order of deposits and batches.

use clawos_interface::rules::usage::{
    add, charge, count, day_of, first_root, may_record, next_root, set_meter, settle, Caps, Charge,
};
use clawos_interface::{sha256, LicenceStatus, ProgramError, SuspendReason, MAX_AMOUNT, NO_KEY};
use proptest::prelude::*;

use crate::samples::{config, licence};

/// One thing that happens to a licence.
#[derive(Clone, Debug)]
enum Step {
    Deposit(u64),
    Record(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![(1u64..50_000).prop_map(Step::Deposit), (1u64..500).prop_map(Step::Record)];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn money_is_conserved_in_any_order(steps in steps(), price in 0u64..300, bps in 0u16..=1_000) {
        let mut account = licence();
        account.unit_price.set(price);
        let (mut deposited, mut sellers, mut fees, mut units) = (0, 0, 0, 0);
        for step in steps {
            match step {
                Step::Deposit(amount) => {
                    account.credit.set(account.credit() + amount);
                    deposited += amount;
                }
                Step::Record(n) => {
                    count(&mut account, &config(), n, 1_000).expect("no caps");
                    units += n;
                }
            }
            let due = charge(&account, bps).expect("small");
            settle(&mut account, &due, true);
            sellers += due.seller();
            fees += due.fee;
            // Everything recorded so far is paid as far as the deposits reach.
            let paid = (units * price).min(deposited);
            prop_assert_eq!((account.credit(), account.unbilled()), (deposited - paid, units * price - paid));
            prop_assert_eq!((account.billed_total(), sellers + fees), (paid, paid));
            prop_assert_eq!(fees, paid * u64::from(bps) / 10_000);
            let standing = if units * price == paid {
                (LicenceStatus::Active, SuspendReason::None)
            } else {
                (LicenceStatus::Suspended, SuspendReason::Unpaid)
            };
            prop_assert_eq!((account.status, account.suspended_reason), (standing.0 as u8, standing.1 as u8));
        }
        prop_assert_eq!(account.usage_total(), units);
    }

    #[test]
    fn a_refused_batch_changes_nothing(units: u64, used in 0..=MAX_AMOUNT, price in 0..=MAX_AMOUNT, unbilled in 0..=MAX_AMOUNT, limit: u64, batch: u64, per_day: u64) {
        let mut account = licence();
        account.usage_total.set(used);
        account.unit_price.set(price);
        account.unbilled.set(unbilled);
        account.usage_limit.set(limit);
        account.max_units_per_batch.set(batch);
        account.max_units_per_day.set(per_day);
        let before = account;
        match count(&mut account, &config(), units, 5) {
            Err(_) => prop_assert!(account == before),
            Ok(()) => {
                prop_assert_eq!(account.usage_total(), used + units);
                prop_assert_eq!(account.usage_seq(), 1);
                prop_assert!(limit == 0 || account.usage_total() <= limit);
                prop_assert!(batch == 0 || units <= batch);
                prop_assert!(per_day == 0 || units <= per_day);
                prop_assert_eq!(u128::from(account.unbilled()), u128::from(unbilled) + u128::from(units) * u128::from(price));
            }
        }
    }

    #[test]
    fn roots_depend_on_everything(licence: [u8; 32], slot: u64, root: [u8; 32], other: [u8; 32]) {
        prop_assume!(root != other);
        let first = first_root(sha256, &licence, slot);
        prop_assert_ne!(first, first_root(sha256, &licence, slot ^ 1));
        prop_assert_ne!(next_root(sha256, &first, &root), next_root(sha256, &first, &other));
    }
}

#[test]
fn what_cannot_be_received_stays_credit_and_debt_and_suspends() {
    let mut account = licence();
    account.credit.set(70);
    account.unbilled.set(50);
    settle(&mut account, &Charge { amount: 0, fee: 0 }, false);
    assert_eq!((account.credit(), account.unbilled(), account.billed_total()), (70, 50, 0));
    assert_eq!(account.status, LicenceStatus::Suspended as u8);
    assert_eq!(account.suspended_reason, SuspendReason::Recipient as u8);
    let due = charge(&account, 250).expect("small");
    settle(&mut account, &due, true);
    assert_eq!((account.credit(), account.unbilled(), account.billed_total()), (20, 0, 50));
    assert_eq!((account.status, account.suspended_reason), (LicenceStatus::Active as u8, SuspendReason::None as u8));
}

#[test]
fn a_refunded_licence_stays_refunded() {
    let mut account = licence();
    account.status = LicenceStatus::Refunded as u8;
    for unbilled in [1, 0] {
        account.unbilled.set(unbilled);
        settle(&mut account, &Charge { amount: 0, fee: 0 }, true);
        assert_eq!(account.status, LicenceStatus::Refunded as u8);
    }
}

#[test]
fn roots_are_as_specified() {
    let mut text = vec![0x03];
    text.extend([7; 32]);
    text.extend(9u64.to_le_bytes());
    assert_eq!(first_root(sha256, &[7; 32], 9), sha256(&[&text]));
    let mut text = vec![0x04];
    text.extend([1; 32]);
    text.extend([2; 32]);
    assert_eq!(next_root(sha256, &[1; 32], &[2; 32]), sha256(&[&text]));
}

#[test]
fn each_cap_has_its_own_refusal() {
    let refuse = |caps: Caps, units| {
        let mut account = licence();
        caps.set_fresh(&mut account);
        count(&mut account, &config(), units, 100)
    };
    let caps = Caps { usage_limit: 10, max_units_per_batch: 5, max_units_per_day: 4 };
    assert_eq!(refuse(caps, 0), Err(ProgramError::UnitsMissing));
    assert_eq!(refuse(caps, 6), Err(ProgramError::BatchTooLarge));
    assert_eq!(refuse(caps, 5), Err(ProgramError::DayCapExceeded));
    assert_eq!(refuse(caps, 4), Ok(()));
    assert_eq!(refuse(Caps { max_units_per_batch: 0, ..caps }, 11), Err(ProgramError::UsageLimitExceeded));
    assert_eq!(refuse(Caps::default(), MAX_AMOUNT + 1), Err(ProgramError::MathOverflow));
}

#[test]
fn the_daily_cap_starts_anew_each_day() {
    let mut account = licence();
    Caps { max_units_per_day: 10, ..Caps::default() }.set_fresh(&mut account);
    assert_eq!(count(&mut account, &config(), 10, 86_399), Ok(()));
    assert_eq!(count(&mut account, &config(), 1, 86_399), Err(ProgramError::DayCapExceeded));
    assert_eq!(count(&mut account, &config(), 10, 86_400), Ok(()));
    assert_eq!(account.day(), 1);
}

#[test]
fn stricter_caps_bind_recording_only_after_the_delay() {
    let mut account = licence();
    let mut config = config();
    Caps { max_units_per_batch: 1, ..Caps::default() }.set(&mut account, &config, 1_000).expect("in time");
    assert_eq!(count(&mut account, &config, 100, 1_599), Ok(()), "served before, so it can be recorded");
    assert_eq!(count(&mut account, &config, 100, 1_600), Err(ProgramError::BatchTooLarge));
    // Recording was resumed meanwhile: the delay starts again.
    config.usage_resumed_at.set(1_500);
    assert_eq!(count(&mut account, &config, 100, 2_099), Ok(()));
    assert_eq!(count(&mut account, &config, 100, 2_100), Err(ProgramError::BatchTooLarge));
    // Looser ones count at once.
    Caps { max_units_per_batch: 200, ..Caps::default() }.set(&mut account, &config, 3_000).expect("in time");
    assert_eq!(account.caps_eta(), 0);
    assert_eq!(count(&mut account, &config, 200, 3_000), Ok(()));
}

#[test]
fn a_looser_cap_does_not_wait_for_a_stricter_one() {
    let mut account = licence();
    account.usage_total.set(100);
    Caps { usage_limit: 100, ..Caps::default() }.set_fresh(&mut account);
    let wanted = Caps { max_units_per_day: 50, ..Caps::default() };
    wanted.set(&mut account, &config(), 1_000).expect("in time");
    // The limit is lifted at once, for calls and for recording; the daily cap waits for recording.
    assert_eq!(Caps::for_spending(&account), wanted);
    assert_eq!(Caps::for_recording(&account, &config(), 1_599), Ok(Caps::default()));
    assert_eq!(Caps::for_recording(&account, &config(), 1_600), Ok(wanted));
    assert_eq!(Caps::for_spending(&account), wanted, "what calls may use stays after the delay");
    assert_eq!(count(&mut account, &config(), 51, 1_600), Err(ProgramError::DayCapExceeded));
    assert_eq!(count(&mut account, &config(), 50, 1_600), Ok(()));
}

proptest! {
    #[test]
    fn the_caps_set_last_bind_calls_and_nothing_served_before_is_lost(sets in prop::collection::vec((0u64..4, 0u64..4, 0u64..4, 0i64..900), 1..8)) {
        let (mut account, config, mut now) = (licence(), config(), 10_000);
        // What bound calls during the last settle delay, with the time until which it did.
        let mut served: Vec<(Caps, i64)> = Vec::new();
        for (usage_limit, max_units_per_batch, max_units_per_day, wait) in sets {
            let caps = Caps { usage_limit, max_units_per_batch, max_units_per_day };
            served.push((Caps::for_spending(&account), now));
            caps.set(&mut account, &config, now).expect("in time");
            prop_assert_eq!(Caps::for_spending(&account), caps);
            now += wait;
            let recording = Caps::for_recording(&account, &config, now).expect("in time");
            let allows = |of: fn(&Caps) -> u64, before: &Caps| of(&recording) == 0 || (of(before) != 0 && of(before) <= of(&recording));
            for (before, _) in served.iter().filter(|(_, until)| now < until + 600) {
                prop_assert!(allows(|caps| caps.usage_limit, before));
                prop_assert!(allows(|caps| caps.max_units_per_batch, before));
                prop_assert!(allows(|caps| caps.max_units_per_day, before));
            }
            prop_assert!(wait < 600 || recording == caps, "after the delay they bind recording too");
        }
    }
}

#[test]
fn the_meter_before_records_until_the_delay_has_passed() {
    let (mut account, mut config) = (licence(), config());
    let [first, second, third] = [[1; 32], [2; 32], [3; 32]];
    set_meter(&mut account, &config, &first, 1_000).expect("in time");
    assert_eq!((account.meter, account.previous_meter), (first, NO_KEY), "nobody metered before");
    set_meter(&mut account, &config, &first, 1_500).expect("in time");
    assert_eq!(account.previous_meter, NO_KEY, "the same meter goes on");
    set_meter(&mut account, &config, &second, 2_000).expect("in time");
    assert_eq!(may_record(&account, &config, &second, 2_000), Ok(true));
    assert_eq!(may_record(&account, &config, &first, 2_599), Ok(true));
    assert_eq!(may_record(&account, &config, &first, 2_600), Ok(false));
    assert_eq!(may_record(&account, &config, &third, 2_000), Ok(false));
    account.unit_price.set(1);
    assert_eq!(may_record(&account, &config, &first, 2_000), Ok(false), "it charges nobody who never agreed to it");
    account.unit_price.set(0);
    // There is room for one: another change waits for it. A resumption of recording prolongs its time.
    assert_eq!(set_meter(&mut account, &config, &third, 2_599), Err(ProgramError::MeterChangeTooEarly));
    config.usage_resumed_at.set(2_100);
    assert_eq!(may_record(&account, &config, &first, 2_699), Ok(true));
    assert_eq!(set_meter(&mut account, &config, &third, 2_699), Err(ProgramError::MeterChangeTooEarly));
    set_meter(&mut account, &config, &third, 2_700).expect("the delay has passed");
    assert_eq!((account.meter, account.previous_meter, account.meter_until()), (third, second, 3_300));
    assert_eq!(set_meter(&mut account, &config, &NO_KEY, 9_999), Err(ProgramError::KeyMissing));
}

#[test]
fn days_and_sums_end() {
    assert_eq!(day_of(0), Ok(0));
    assert_eq!(day_of(86_400), Ok(1));
    assert_eq!(day_of(-1), Err(ProgramError::DayInvalid));
    assert_eq!(day_of(i64::MAX), Err(ProgramError::DayInvalid));
    assert_eq!(add(MAX_AMOUNT - 1, 1), Ok(MAX_AMOUNT));
    assert_eq!(add(MAX_AMOUNT, 1), Err(ProgramError::MathOverflow));
    assert_eq!(add(u64::MAX, 1), Err(ProgramError::MathOverflow));
}
