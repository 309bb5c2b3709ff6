//! `record_usage`: the meter anchors a batch once, in order, inside the buyer's caps, and what it costs is charged. The charge itself is in
//! [`crate::charging`].

use clawos_interface::ProgramError::*;
use clawos_interface::codes::PauseBits;
use clawos_interface::events::Event;
use clawos_interface::instruction::args::RecordArgs;
use clawos_interface::instruction::{self, Instruction, execute_exit, pause, request_exit, update_skill};
use clawos_interface::rules::terms::Terms;
use clawos_interface::rules::usage::next_root;
use clawos_interface::{Currency, ExitKind, Key, Kind, NO_KEY, pda, sha256};

use crate::attack::{refuses_forgeries, with};
use crate::deposit_credit::opened;
use crate::forge::{CONFIG_VERSION_AT, LICENCE_VERSION_AT};
use crate::harness::{START, World, refused};
use crate::people::*;

/// A world in which the buyer has a one-time licence: usage is anchored, nothing is charged.
fn anchored() -> (World, Key) {
    let mut world = World::new();
    let terms = world.terms(Currency::Sol, Kind::OneTime, 1_000_000);
    let skill = world.register("acme.once", &terms);
    world.purchase(&skill, Kind::OneTime).expect("the purchase works");
    (world, skill)
}

/// The next batch of `units`, changed by `change`.
fn batch(world: &World, skill: &Key, units: u64, change: impl FnOnce(&mut RecordArgs)) -> Instruction {
    let mut args = world.batch(skill, units);
    change(&mut args);
    let has_vault = world.licence(skill).vault_bump() != 0;
    instruction::record_usage(&key(&meter()), &world.route(skill), &key(&buyer()), has_vault, &args)
}

#[test]
fn it_counts_and_chains() {
    let (mut world, skill) = anchored();
    let mut expected = world.licence(&skill);
    for (seq, units, total, in_day) in [(1, 5, 5, 5), (2, 7, 12, 12), (3, 1, 13, 1)] {
        if seq == 3 {
            world.pass(86_400);
        }
        let tx = world.record(&skill, units).expect("recording works");
        expected.usage_seq.set(seq);
        expected.usage_total.set(total);
        expected.day_units.set(in_day);
        expected.day.set(u32::try_from(world.now() / 86_400).expect("a day"));
        expected.chain_root = next_root(sha256, &expected.chain_root, &[units as u8; 32]);
        assert_eq!(world.licence(&skill), expected, "nothing else changes");
        let [Event::UsageRecorded(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
        assert_eq!((event.licence, event.seq(), event.units()), (pda::licence(&skill, &key(&buyer())).0, seq, units));
        assert_eq!(event.root, [units as u8; 32]);
        assert_eq!((event.billed(), event.fee(), event.credit(), event.unbilled()), (0, 0, 0, 0));
    }
}

#[test]
fn only_the_licences_meter_records() {
    let (mut world, skill) = anchored();
    for person in [attacker(), seller(), buyer(), authority()] {
        let ix = with(&batch(&world, &skill, 1, |_| ()), "meter", key(&person));
        refused(world.send(&ix, &[&person]), NotMeter);
    }
}

#[test]
fn a_licence_keeps_its_meter() {
    let (mut world, skill) = anchored();
    let terms = Terms { meter: key(&attacker()), ..world.skill(&skill).terms(&NO_KEY) };
    world.send(&update_skill(&key(&seller()), &skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
    world.change_config(|config| config.meter = key(&attacker()));
    let ix = with(&batch(&world, &skill, 1, |_| ()), "meter", key(&attacker()));
    refused(world.send(&ix, &[&attacker()]), NotMeter);
    world.record(&skill, 1).expect("the old meter settles what it metered");
}

#[test]
fn a_batch_is_recorded_once_and_in_order() {
    let (mut world, skill) = anchored();
    let first = batch(&world, &skill, 5, |_| ());
    for seq in [0, 2, 3, u64::MAX] {
        refused(world.send(&batch(&world, &skill, 5, |args| args.seq = seq), &[&meter()]), BadSequence);
    }
    world.send(&first, &[&meter()]).expect("recording works");
    refused(world.send(&first, &[&meter()]), BadSequence);
    assert_eq!(world.licence(&skill).usage_total(), 5);
}

#[test]
fn a_batch_builds_on_the_present_root() {
    let (mut world, skill) = anchored();
    let start = world.licence(&skill).chain_root;
    for root in [[0; 32], [5; 32]] {
        refused(world.send(&batch(&world, &skill, 5, |args| args.prev_root = root), &[&meter()]), RootMismatch);
    }
    world.record(&skill, 5).expect("recording works");
    let stale = batch(&world, &skill, 5, |args| args.prev_root = start);
    refused(world.send(&stale, &[&meter()]), RootMismatch);
}

#[test]
fn a_licence_made_anew_refuses_the_batches_of_the_old_one() {
    let (mut world, skill) = anchored();
    let old = batch(&world, &skill, 5, |_| ());
    let exit = request_exit(&key(&buyer()), &skill, ExitKind::Close);
    world.send(&exit, &[&buyer()]).expect("asking works");
    world.pass(600);
    let exit = execute_exit(&key(&buyer()), &world.route(&skill), false);
    world.send(&exit, &[&buyer()]).expect("the exit works");
    world.svm.warp_to_slot(world.skill(&skill).created_slot() + 100);
    world.purchase(&skill, Kind::OneTime).expect("the purchase works");
    refused(world.send(&old, &[&meter()]), RootMismatch);
}

#[test]
fn a_batch_of_another_licence_does_not_fit() {
    let (mut world, skill) = anchored();
    let terms = world.terms(Currency::Sol, Kind::OneTime, 1_000_000);
    let other = world.register("acme.other", &terms);
    world.purchase(&other, Kind::OneTime).expect("the purchase works");
    let ix = batch(&world, &skill, 5, |_| ());
    let others = pda::licence(&other, &key(&buyer())).0;
    refused(world.send(&with(&ix, "licence", others), &[&meter()]), WrongSkill);
    let moved = with(&with(&ix, "licence", others), "skill", other);
    refused(world.send(&moved, &[&meter()]), RootMismatch);
}

/// Sets the caps in force.
fn caps(world: &mut World, skill: &Key, limit: u64, batch: u64, day: u64) {
    world.change_licence(skill, |licence| {
        licence.usage_limit.set(limit);
        licence.max_units_per_batch.set(batch);
        licence.max_units_per_day.set(day);
    });
}

#[test]
fn the_buyers_caps_bind_to_the_unit() {
    let (mut world, skill) = anchored();
    refused(world.record(&skill, 0), UnitsMissing);
    caps(&mut world, &skill, 0, 10, 0);
    refused(world.record(&skill, 11), BatchTooLarge);
    world.record(&skill, 10).expect("the cap itself is allowed");
    caps(&mut world, &skill, 0, 0, 15);
    refused(world.record(&skill, 6), DayCapExceeded);
    world.record(&skill, 5).expect("the cap itself is allowed");
    refused(world.record(&skill, 1), DayCapExceeded);
    world.set_time((START / 86_400 + 1) * 86_400 - 1);
    refused(world.record(&skill, 1), DayCapExceeded);
    world.pass(1);
    world.record(&skill, 1).expect("the next day has begun");
    caps(&mut world, &skill, 20, 0, 0);
    refused(world.record(&skill, 5), UsageLimitExceeded);
    world.record(&skill, 4).expect("the limit itself is allowed");
    refused(world.record(&skill, 1), UsageLimitExceeded);
}

#[test]
fn stricter_caps_bind_recording_after_the_delay_only() {
    let (mut world, skill) = anchored();
    let ix = instruction::set_licence_caps(
        &key(&buyer()),
        &skill,
        &clawos_interface::rules::usage::Caps { max_units_per_batch: 5, ..Default::default() },
    );
    world.send(&ix, &[&buyer()]).expect("capping works");
    world.pass(599);
    world.record(&skill, 100).expect("calls already served can still be recorded");
    world.pass(1);
    refused(world.record(&skill, 6), BatchTooLarge);
}

#[test]
fn counters_end_at_63_bits() {
    let (mut world, skill) = anchored();
    let max = i64::MAX as u64;
    refused(world.record(&skill, max + 1), MathOverflow);
    world.record(&skill, max).expect("the boundary itself is allowed");
    refused(world.record(&skill, 1), MathOverflow);
    world.change_licence(&skill, |licence| licence.usage_total.set(0));
    refused(world.record(&skill, 1), MathOverflow);
    world.change_licence(&skill, |licence| {
        licence.day_units.set(0);
        licence.usage_seq.set(max);
    });
    refused(world.record(&skill, 1), MathOverflow);
    world.change_licence(&skill, |licence| licence.usage_seq.set(u64::MAX));
    refused(world.send(&batch_after_the_last(&world, &skill), &[&meter()]), BadSequence);
}

/// The batch that would follow number 2^64 - 1.
fn batch_after_the_last(world: &World, skill: &Key) -> Instruction {
    let args = RecordArgs { seq: 0, prev_root: world.licence(skill).chain_root, units: 1, root: [0; 32] };
    instruction::record_usage(&key(&meter()), &world.route(skill), &key(&buyer()), false, &args)
}

#[test]
fn a_clock_out_of_range_is_refused() {
    let (mut world, skill) = anchored();
    for time in [-1, i64::from(u32::MAX) + 1] {
        world.set_time(time);
        refused(world.record(&skill, 1), DayInvalid);
    }
    world.set_time(0);
    world.record(&skill, 1).expect("1970 has begun");
    world.set_time(i64::from(u32::MAX));
    world.record(&skill, 1).expect("the last second counts");
}

#[test]
fn it_can_be_paused_but_not_by_an_exit_or_a_suspension() {
    let (mut world, skill) = opened(Currency::Sol);
    world.record(&skill, 1).expect("recording works");
    world.record(&skill, 1).expect("a suspended licence is recorded further");
    let exit = request_exit(&key(&buyer()), &skill, ExitKind::Close);
    world.send(&exit, &[&buyer()]).expect("asking works");
    world.record(&skill, 1).expect("an exit that is pending waits for this");
    world.send(&pause(&key(&guardian()), PauseBits::USAGE), &[&guardian()]).expect("pausing works");
    refused(world.record(&skill, 1), Paused);
}

#[test]
fn it_refuses_newer_layouts() {
    let (mut world, skill) = anchored();
    let ix = batch(&world, &skill, 1, |_| ());
    let licence = pda::licence(&skill, &key(&buyer())).0;
    for (address, at) in [(pda::config().0, CONFIG_VERSION_AT), (licence, LICENCE_VERSION_AT)] {
        world.poke(&address, at, 2);
        refused(world.send(&ix, &[&meter()]), VersionUnsupported);
        world.poke(&address, at, 1);
    }
}

#[test]
fn no_account_can_be_forged() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.deposit(&skill, 100_000_000).expect("the deposit works");
        let ix = batch(&world, &skill, 5, |_| ());
        refuses_forgeries(&mut world, &ix, &meter());
    }
}
