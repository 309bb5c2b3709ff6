//! `unpause`: the authority alone resumes; resuming `record_usage` restarts the delay of exits that waited meanwhile.

use clawos_interface::ProgramError::*;
use clawos_interface::codes::PauseBits;
use clawos_interface::events::Event;
use clawos_interface::instruction::{execute_exit, pause, request_exit, unpause};
use clawos_interface::{Currency, ExitKind, Key, pda};

use crate::attack::refuses_forgeries;
use crate::deposit_credit::opened;
use crate::forge::CONFIG_VERSION_AT;
use crate::harness::{World, refused};
use crate::people::*;

/// A world in which everything is paused.
fn paused() -> World {
    let mut world = World::new();
    world.send(&pause(&key(&guardian()), PauseBits::ALL), &[&guardian()]).expect("pausing works");
    world
}

fn resume(world: &mut World, bits: u16) {
    world.send(&unpause(&key(&authority()), bits), &[&authority()]).expect("resuming works");
}

#[test]
fn bits_are_taken_away() {
    let mut world = paused();
    world.pass(100);
    let mut expected = world.config();
    for (bits, now) in [(1, 14), (1, 14), (8, 6), (8, 6), (15, 0)] {
        let old = world.config().pause_bits();
        world.pass(1);
        let tx = world.send(&unpause(&key(&authority()), bits), &[&authority()]).expect("resuming works");
        expected.pause_bits.set(now);
        // The delay of exits restarts only where recording was paused.
        if bits == 8 && old & 8 != 0 {
            expected.usage_resumed_at.set(world.now());
        }
        assert_eq!(world.config(), expected, "nothing else changes");
        let [Event::PauseChanged(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
        assert_eq!((event.old(), event.new(), event.by), (old, now, key(&authority())));
    }
}

#[test]
fn only_the_authority_can() {
    let mut world = paused();
    for person in [guardian(), attacker(), deployer(), treasury(), arbiter()] {
        refused(world.send(&unpause(&key(&person), 1), &[&person]), NotAuthority);
    }
}

#[test]
fn the_bits_must_be_known() {
    let mut world = paused();
    for bits in [0, 16, u16::MAX] {
        refused(world.send(&unpause(&key(&authority()), bits), &[&authority()]), PauseBitsInvalid);
    }
    assert_eq!(world.config().usage_resumed_at(), 0);
}

/// A world in which an exit was asked for, and the instruction that executes it.
fn leaving() -> (World, Key, clawos_interface::instruction::Instruction) {
    let (mut world, skill) = opened(Currency::Sol);
    world.deposit(&skill, 20_000_000).expect("the deposit works");
    let ask = request_exit(&key(&buyer()), &skill, ExitKind::Close);
    world.send(&ask, &[&buyer()]).expect("asking works");
    let execute = execute_exit(&key(&buyer()), &world.route(&skill), false);
    (world, skill, execute)
}

#[test]
fn what_was_metered_during_a_pause_can_be_recorded_before_the_exit() {
    let (mut world, skill, execute) = leaving();
    world.send(&pause(&key(&guardian()), PauseBits::USAGE), &[&guardian()]).expect("pausing works");
    world.pass(590);
    resume(&mut world, PauseBits::USAGE);
    world.pass(599);
    refused(world.send(&execute, &[&buyer()]), ExitNotReady);
    world.record(&skill, 1).expect("recording works");
    world.pass(1);
    world.send(&execute, &[&buyer()]).expect("the exit works");
}

#[test]
fn a_pause_before_the_exit_changes_nothing() {
    let (mut world, skill) = opened(Currency::Sol);
    world.send(&pause(&key(&guardian()), PauseBits::USAGE), &[&guardian()]).expect("pausing works");
    resume(&mut world, PauseBits::USAGE);
    world.pass(1);
    world.send(&request_exit(&key(&buyer()), &skill, ExitKind::Close), &[&buyer()]).expect("asking works");
    let execute = execute_exit(&key(&buyer()), &world.route(&skill), false);
    world.pass(600);
    world.send(&execute, &[&buyer()]).expect("the exit works");
}

#[test]
fn resuming_other_groups_does_not_restart_the_delay() {
    let (mut world, _, execute) = leaving();
    world.send(&pause(&key(&guardian()), PauseBits::DEPOSIT), &[&guardian()]).expect("pausing works");
    world.pass(600);
    resume(&mut world, PauseBits::ALL);
    world.send(&execute, &[&buyer()]).expect("the exit works");
}

#[test]
fn it_refuses_a_newer_layout() {
    let mut world = paused();
    world.poke(&pda::config().0, CONFIG_VERSION_AT, 2);
    refused(world.send(&unpause(&key(&authority()), 1), &[&authority()]), VersionUnsupported);
}

#[test]
fn no_account_can_be_forged() {
    let mut world = paused();
    refuses_forgeries(&mut world, &unpause(&key(&authority()), 1), &authority());
}
