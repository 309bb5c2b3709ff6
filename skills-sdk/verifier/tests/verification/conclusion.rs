//! The one line at the end: it hides no check that was not made.

use clawos_verifier::anchor::{Placement, is_anchored};
use clawos_verifier::receipt::is_proven;
use clawos_verifier::{Conclusion, Report};

use crate::sample::key;
use crate::world::World;

fn concluded(report: &Report) -> (Conclusion, String) {
    let conclusion = Conclusion::of(report, is_proven(report));
    (conclusion, conclusion.line(report))
}

fn placed(placement: Placement) -> (Conclusion, String) {
    let mut world = World::new();
    world.placement = placement;
    let report = world.report();
    assert!(!is_anchored(&report));
    concluded(&report)
}

#[test]
fn a_true_receipt_is_verified() {
    let report = World::new().report();
    assert!(is_anchored(&report));
    assert_eq!(concluded(&report), (Conclusion::Verified, "verified: all 19 checks passed".to_owned()));
}

#[test]
fn what_the_server_says_differs_from_what_it_did_not_say() {
    let (pending, line) = placed(Placement::Pending);
    assert_eq!(pending, Conclusion::VerifiedExcept);
    assert!(
        line.starts_with("verified except: anchor not checked (the server says that the receipt is not in"),
        "{line}"
    );
    let (unknown, line) = placed(Placement::Unknown("the server did not answer".to_owned()));
    assert_eq!(unknown, Conclusion::VerifiedExcept);
    assert!(
        line.contains("anchor not checked (whether the receipt is in a batch is not known: the server did"),
        "{line}"
    );
    let (never, line) = placed(Placement::NeverCharged("it was waived"));
    assert_eq!(never, Conclusion::VerifiedExcept);
    assert!(line.contains("will never be charged: it was waived"), "{line}");
}

#[test]
fn a_failed_call_has_no_place_on_chain_and_needs_none() {
    let mut world = World::new();
    let receipt = &mut world.signed.receipt;
    (receipt.units, receipt.amount, receipt.output_sha256) = (0, 0, None);
    receipt.outcome = clawos_receipts::receipt::Outcome::Trap;
    world.seal_again("receipt-key");
    world.placement = Placement::Pending;
    assert_eq!(concluded(&world.report()).0, Conclusion::Verified, "{:#?}", world.report());
}

#[test]
fn what_failed_and_what_nobody_vouches_for_is_named() {
    let mut world = World::new();
    world.signed.receipt.wall_us += 1;
    let (invalid, line) = concluded(&world.report());
    assert_eq!(invalid, Conclusion::Invalid);
    assert!(line.starts_with("INVALID: ") && line.contains("path failed (leaf "), "{line}");
    let mut world = World::new();
    world.licence.meter = key("new meter");
    world.licence.purchases.set(2);
    world.licence.starts_at.set(i64::MAX / 1_000);
    let (unproven, line) = concluded(&world.report());
    assert_eq!(unproven, Conclusion::Unproven, "{line}");
    assert!(line.starts_with("not proven: ") && line.contains("key not checked"), "{line}");
}
