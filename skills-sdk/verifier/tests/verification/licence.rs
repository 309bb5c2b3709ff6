//! Licences from the chain alone: valid, not valid and why, and accounts that prove nothing.

use clawos_interface::{ExitKind, LicenceStatus};
use clawos_verifier::licence::{LicenceReport, verify};

use crate::sample::key;
use crate::world::World;

const NOW: i64 = 1_795_000_000;

fn judge(change: impl FnOnce(&mut World)) -> LicenceReport {
    let mut world = World::new();
    change(&mut world);
    let bytes = world.licence.encode();
    verify(&world.skill_address, &key("buyer"), Some(&world.account(world.licence_address, &bytes)), NOW)
}

#[test]
fn a_good_licence_is_valid_and_described() {
    let report = judge(|_| ());
    assert!(report.valid && report.report.is_complete(), "{report:#?}");
    let details = report.details.unwrap();
    assert_eq!((details.kind, details.tier, details.status), ("usage", "personal", "active"));
    assert_eq!(details.units_left, Some((1_000_000 - 100) / 250));
    assert_eq!(details.usage_seq, 3);
}

#[test]
fn each_reason_against_a_licence_is_named() {
    let reason = |change: fn(&mut World)| {
        let report = judge(change);
        assert!(!report.valid && !report.report.passed());
        report.reason
    };
    assert_eq!(reason(|world| world.licence.expires_at.set(NOW)), "expired");
    assert_eq!(reason(|world| world.licence.status = LicenceStatus::Suspended as u8), "suspended");
    assert_eq!(reason(|world| world.licence.status = LicenceStatus::Refunded as u8), "refunded");
    assert_eq!(reason(|world| world.licence.exit_kind = ExitKind::Withdraw as u8), "closing");
    assert_eq!(reason(|world| world.licence.usage_limit.set(1)), "limit_reached");
    assert!(judge(|world| world.licence.expires_at.set(NOW + 1)).valid);
}

#[test]
fn an_account_that_is_not_that_licence_proves_nothing() {
    let unproven = |change: fn(&mut World)| {
        let report = judge(change);
        assert_eq!((report.valid, report.reason, report.details), (false, "unproven", None));
    };
    unproven(|world| world.owner = [1; 32]);
    unproven(|world| world.licence_address = [1; 32]);
    unproven(|world| world.licence.buyer = key("stranger"));
    unproven(|world| world.licence.skill = key("stranger"));
    unproven(|world| world.licence.version = 9);

    // Another buyer's true licence, offered as this one's.
    let world = World::new();
    let bytes = world.licence.encode();
    let account = world.account(world.licence_address, &bytes);
    let report = verify(&world.skill_address, &key("stranger"), Some(&account), NOW);
    assert_eq!(report.reason, "unproven");
    for length in [0, 7, 8, bytes.len() - 1] {
        let account = world.account(world.licence_address, &bytes[..length]);
        assert!(!verify(&world.skill_address, &key("buyer"), Some(&account), NOW).valid);
    }
}

#[test]
fn where_there_is_no_account_there_is_no_licence() {
    let world = World::new();
    let report = verify(&world.skill_address, &key("buyer"), None, NOW);
    assert_eq!((report.valid, report.reason), (false, "missing"));
    assert_eq!(report.licence, world.licence_address);
}

#[test]
fn the_report_is_json_with_stable_names() {
    let json = serde_json::to_value(judge(|_| ())).unwrap();
    assert_eq!(json["valid"], true);
    assert_eq!(json["details"]["units_left"], "3999");
    assert_eq!(json["checks"][0]["verdict"], "ok");
}
