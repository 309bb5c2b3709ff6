//! `set_licence_caps`: the buyer bounds what a licence may use; looser at once, stricter for recording after the settle delay.

use clawos_interface::ProgramError::*;
use clawos_interface::codes::PauseBits;
use clawos_interface::events::Event;
use clawos_interface::instruction::{pause, set_licence_caps, unpause};
use clawos_interface::rules::usage::Caps;
use clawos_interface::rules::validity::Reason;
use clawos_interface::{Currency, Key, pda};
use solana_instruction::error::InstructionError;

use crate::attack::refuses_forgeries;
use crate::deposit_credit::opened;
use crate::forge::{CONFIG_VERSION_AT, LICENCE_VERSION_AT};
use crate::harness::{START, Tx, World, refused};
use crate::people::*;
use crate::verify_access::ask;

/// The attacker pays the network's fee, so that only the instruction's own accounts change.
fn set(world: &mut World, skill: &Key, usage_limit: u64, max_units_per_batch: u64, max_units_per_day: u64) -> Tx {
    let caps = Caps { usage_limit, max_units_per_batch, max_units_per_day };
    let ix = set_licence_caps(&key(&buyer()), skill, &caps);
    world.send(&ix, &[&attacker(), &buyer()]).expect("capping works")
}

/// Caps in force and those that wait.
fn caps_of(world: &World, skill: &Key) -> ([u64; 3], [u64; 3], i64) {
    let licence = world.licence(skill);
    (
        [licence.usage_limit(), licence.max_units_per_batch(), licence.max_units_per_day()],
        [licence.next_usage_limit(), licence.next_units_per_batch(), licence.next_units_per_day()],
        licence.caps_eta(),
    )
}

#[test]
fn stricter_caps_wait_and_looser_ones_do_not() {
    let (mut world, skill) = opened(Currency::Sol);
    let before = world.licence(&skill);
    let tx = set(&mut world, &skill, 100, 10, 50);
    assert_eq!(caps_of(&world, &skill), ([0; 3], [100, 10, 50], START + 600));
    let [Event::LicenceCapsSet(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
    assert_eq!((event.licence, event.effective_at()), (pda::licence(&skill, &key(&buyer())).0, START + 600));
    assert_eq!((event.usage_limit(), event.max_units_per_batch(), event.max_units_per_day()), (100, 10, 50));

    // They wait anew when they change before their time; the ones in force stay.
    world.pass(599);
    set(&mut world, &skill, 100, 10, 40);
    assert_eq!(caps_of(&world, &skill), ([0; 3], [100, 10, 40], START + 599 + 600));
    world.pass(600);
    // Now those are in force, and looser ones replace them at once.
    let tx = set(&mut world, &skill, 100, 0, 41);
    assert_eq!(caps_of(&world, &skill), ([100, 0, 41], [0; 3], 0));
    assert!(matches!(tx.events[..], [Event::LicenceCapsSet(event)] if event.effective_at() == 0));
    // Of one looser and one stricter only the stricter waits.
    set(&mut world, &skill, 0, 5, 41);
    assert_eq!(caps_of(&world, &skill), ([0, 0, 41], [0, 5, 41], world.now() + 600));
    set(&mut world, &skill, 0, 0, 0);
    assert_eq!(caps_of(&world, &skill), ([0; 3], [0; 3], 0));
    assert_eq!(world.licence(&skill), before, "nothing else changed");
}

#[test]
fn a_used_up_limit_is_lifted_together_with_a_stricter_daily_cap() {
    let (mut world, skill) = opened(Currency::Sol);
    world.deposit(&skill, 2_000_000_000).expect("the deposit works");
    set(&mut world, &skill, 100, 0, 0);
    world.pass(600);
    world.record(&skill, 100).expect("the limit itself is allowed");
    assert_eq!(ask(&mut world, &skill).reason, Reason::LimitReached);
    set(&mut world, &skill, 0, 0, 150);
    assert_eq!(ask(&mut world, &skill).units_left, 50, "at once");
    world.pass(600);
    assert_eq!(ask(&mut world, &skill).units_left, 50, "and after the delay");
    refused(world.record(&skill, 51), DayCapExceeded);
    world.record(&skill, 50).expect("the cap itself is allowed");
}

#[test]
fn resuming_record_usage_restarts_their_delay() {
    let (mut world, skill) = opened(Currency::Sol);
    world.deposit(&skill, 1_000_000_000).expect("the deposit works");
    set(&mut world, &skill, 0, 5, 0);
    world.send(&pause(&key(&guardian()), PauseBits::USAGE), &[&guardian()]).expect("pausing works");
    world.pass(700);
    world.send(&unpause(&key(&authority()), PauseBits::USAGE), &[&authority()]).expect("resuming works");
    world.pass(599);
    world.record(&skill, 6).expect("what was served before can still be recorded");
    world.pass(1);
    refused(world.record(&skill, 6), BatchTooLarge);
    world.record(&skill, 5).expect("the cap itself is allowed");
}

#[test]
fn only_the_buyer_can() {
    let (mut world, skill) = opened(Currency::Sol);
    for person in [attacker(), seller(), meter(), authority()] {
        let mut ix = set_licence_caps(&key(&buyer()), &skill, &Caps::default());
        ix.accounts[0].key = key(&person);
        refused(world.send(&ix, &[&person]), NotBuyer);
    }
    // Who has no licence has nothing to cap.
    let own = set_licence_caps(&key(&attacker()), &skill, &Caps::default());
    refused(world.send(&own, &[&attacker()]), InstructionError::AccountDataTooSmall);
}

#[test]
fn the_delay_ends_with_time() {
    let (mut world, skill) = opened(Currency::Sol);
    let caps = Caps { usage_limit: 1, ..Caps::default() };
    let ix = set_licence_caps(&key(&buyer()), &skill, &caps);
    world.set_time(i64::MAX - 599);
    refused(world.send(&ix, &[&buyer()]), MathOverflow);
    world.set_time(i64::MAX - 600);
    world.send(&ix, &[&buyer()]).expect("the boundary itself is allowed");
}

#[test]
fn it_refuses_newer_layouts() {
    let (mut world, skill) = opened(Currency::Sol);
    let ix = set_licence_caps(&key(&buyer()), &skill, &Caps::default());
    let licence = pda::licence(&skill, &key(&buyer())).0;
    for (address, at) in [(pda::config().0, CONFIG_VERSION_AT), (licence, LICENCE_VERSION_AT)] {
        world.poke(&address, at, 2);
        refused(world.send(&ix, &[&buyer()]), VersionUnsupported);
        world.poke(&address, at, 1);
    }
}

#[test]
fn no_account_can_be_forged() {
    let (mut world, skill) = opened(Currency::Sol);
    let ix = set_licence_caps(&key(&buyer()), &skill, &Caps::default());
    refuses_forgeries(&mut world, &ix, &buyer());
}
