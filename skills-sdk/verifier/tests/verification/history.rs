//! A licence that was renewed, bought again or closed and opened anew: what its account says now is not held against a
//! receipt of before, and what the receipt says about that excuses nothing that the chain contradicts.

use clawos_interface::{Kind, Tier};
use clawos_receipts::Receipt;
use clawos_verifier::Verdict;
use clawos_verifier::receipt::is_proven;

use crate::sample::{ISSUED_AT, key};
use crate::world::{World, caught, certificate};

/// Chain times an hour before and after the receipt, Unix seconds.
const BEFORE_SECS: i64 = (ISSUED_AT / 1_000) as i64 - 3_600;
const AFTER_SECS: i64 = BEFORE_SECS + 7_200;

/// The licence was closed and bought anew after the receipt: nothing is recorded on its account yet.
fn reopened(world: &mut World) {
    world.licence.created_slot.set(world.signed.receipt.licence_slot.unwrap() + 1);
    world.licence.created_at.set(AFTER_SECS);
    world.licence.starts_at.set(AFTER_SECS);
    world.licence.usage_seq.set(0);
    world.licence.terms_version.set(9);
    world.licence.unit_price.set(1);
    world.licence.meter = key("new meter");
}

/// The right that the receipt rests on has ended, and the licence was bought again.
fn bought_again(world: &mut World) {
    world.licence.purchases.set(2);
    world.licence.starts_at.set(AFTER_SECS);
}

#[test]
fn a_receipt_of_an_earlier_opening_proves_what_it_can_and_the_rest_is_skipped() {
    let mut world = World::new();
    reopened(&mut world);
    let report = world.report();
    assert!(report.passed() && !is_proven(&report), "{report:#?}");
    for name in ["key", "terms", "anchored", "hash_chain"] {
        assert_eq!(report.check(name).unwrap().verdict, Verdict::Skipped, "{name}");
    }
    // Where the meter has stayed, it still vouches for the receipt.
    world.licence.meter = key("meter");
    assert!(is_proven(&world.report()));
    // It does not excuse a key that no certificate was ever published for.
    world.seal_again("stranger");
    assert_eq!(world.report().check("key").unwrap().verdict, Verdict::Failed);
}

#[test]
fn what_is_in_the_present_hash_chain_is_of_no_earlier_opening() {
    // A proxy over-bills, settles that, and says that the licence was read before its account was made.
    let over_billed = |world: &mut World| {
        let stamped = |receipt: &mut Receipt| {
            receipt.licence_slot = Some(0);
            receipt.unit_price *= 2;
            receipt.amount *= 2;
        };
        world.settle_alone(stamped, "receipt-key");
        world.licence.created_at.set(AFTER_SECS);
    };
    caught(&["opening", "terms"], over_billed);
    // Nor does that make a key good that the proxy certified itself.
    caught(&["opening", "key"], |world| {
        world.settle_alone(|receipt| receipt.licence_slot = Some(0), "stranger");
        world.keys.push(certificate("stranger", "stranger"));
        world.licence.created_at.set(AFTER_SECS);
    });
}

#[test]
fn a_call_after_the_account_was_made_is_of_no_earlier_opening() {
    caught(&["opening", "terms"], |world| {
        world.signed.receipt.licence_slot = Some(0);
        world.signed.receipt.terms_version = Some(2);
        world.seal_again("receipt-key");
        world.licence.usage_seq.set(0);
        world.licence.created_at.set(BEFORE_SECS);
    });
}

#[test]
fn after_another_purchase_an_earlier_meters_certificate_is_not_held_against_the_receipt() {
    let mut world = World::new();
    world.licence.meter = key("new meter");
    assert_eq!(world.report().check("key").unwrap().verdict, Verdict::Failed);
    bought_again(&mut world);
    let report = world.report();
    assert_eq!(report.check("key").unwrap().verdict, Verdict::Skipped);
    assert!(!is_proven(&report), "nor does it count for it");
    world.seal_again("stranger");
    assert_eq!(world.report().check("key").unwrap().verdict, Verdict::Failed);
}

#[test]
fn the_meter_before_vouches_for_the_calls_it_still_had_to_settle() {
    let mut world = World::new();
    (world.licence.meter, world.licence.previous_meter) = (key("new meter"), key("meter"));
    world.licence.meter_until.set(AFTER_SECS);
    assert!(is_proven(&world.report()), "{:#?}", world.report());
    caught(&["key"], |world| {
        (world.licence.meter, world.licence.previous_meter) = (key("new meter"), key("meter"));
        world.licence.meter_until.set(BEFORE_SECS);
    });
}

#[test]
fn another_purchase_before_the_call_excuses_nothing() {
    let before = |world: &mut World| {
        bought_again(world);
        world.licence.starts_at.set(BEFORE_SECS);
    };
    caught(&["key"], |world| {
        before(world);
        world.licence.meter = key("new meter");
    });
    caught(&["terms"], |world| {
        before(world);
        world.signed.receipt.terms_version = Some(2);
        world.signed.receipt.unit_price *= 2;
        world.signed.receipt.amount *= 2;
        world.seal_again("receipt-key");
    });
    // Terms that the seller has not made yet, or another currency, never were the licence's.
    caught(&["terms"], |world| {
        bought_again(world);
        world.licence.terms_version.set(2);
    });
    caught(&["terms"], |world| {
        bought_again(world);
        world.licence.currency = 0;
    });
}

#[test]
fn a_renewed_subscription_has_new_terms_but_the_same_kind_tier_and_price() {
    let renewed = |world: &mut World| {
        let receipt = &mut world.signed.receipt;
        (receipt.kind, receipt.unit_price, receipt.amount) = (Some(Kind::Subscription), 0, 0);
        world.seal_again("receipt-key");
        world.licence.kind = Kind::Subscription as u8;
        world.licence.unit_price.set(0);
        world.licence.purchases.set(2);
        world.licence.starts_at.set(BEFORE_SECS);
        world.licence.terms_version.set(4);
    };
    let mut world = World::new();
    renewed(&mut world);
    assert_eq!(world.report().check("terms").unwrap().verdict, Verdict::Skipped);
    caught(&["terms"], |world| {
        renewed(world);
        world.signed.receipt.tier = Some(Tier::Enterprise);
        world.seal_again("receipt-key");
    });
}

#[test]
fn a_licence_bought_again_has_other_terms_and_that_is_said() {
    let mut world = World::new();
    world.licence.terms_version.set(4);
    bought_again(&mut world);
    let report = world.report();
    assert!(report.passed());
    assert_eq!(report.check("terms").unwrap().verdict, Verdict::Skipped);
}
