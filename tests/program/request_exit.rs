//! `request_exit`: the buyer freezes spending at once and starts the delay.

use clawos_interface::ProgramError::*;
use clawos_interface::events::Event;
use clawos_interface::instruction::{Instruction, request_exit};
use clawos_interface::rules::validity::Reason;
use clawos_interface::{Currency, ExitKind, Key, Kind, pda};

use crate::attack::{refuses_forgeries, with_data};
use crate::deposit_credit::opened;
use crate::forge::{CONFIG_VERSION_AT, LICENCE_VERSION_AT};
use crate::harness::{START, World, refused};
use crate::people::*;
use crate::verify_access::ask;

fn instruction(skill: &Key, exit: ExitKind) -> Instruction {
    request_exit(&key(&buyer()), skill, exit)
}

/// A world in which the buyer has a usage licence with some credit.
fn credited() -> (World, Key) {
    let (mut world, skill) = opened(Currency::Sol);
    world.deposit(&skill, 100_000_000).expect("the deposit works");
    (world, skill)
}

#[test]
fn it_freezes_spending_at_once() {
    for exit in [ExitKind::Withdraw, ExitKind::Close] {
        let (mut world, skill) = credited();
        assert!(ask(&mut world, &skill).valid);
        let mut expected = world.licence(&skill);
        let tx = world.send(&instruction(&skill, exit), &[&buyer()]).expect("asking works");
        expected.exit_kind = exit as u8;
        expected.exit_requested_at.set(START);
        expected.exit_at.set(START + 600);
        assert_eq!(world.licence(&skill), expected, "nothing else changes");
        assert_eq!(ask(&mut world, &skill).reason, Reason::Closing);
        let [Event::ExitRequested(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
        assert_eq!((event.exit_kind, event.exit_at()), (exit as u8, START + 600));
        assert_eq!(event.licence, pda::licence(&skill, &key(&buyer())).0);
    }
}

#[test]
fn every_kind_of_licence_can_be_closed() {
    for kind in [Kind::OneTime, Kind::Subscription] {
        let mut world = World::new();
        let terms = world.terms(Currency::Sol, kind, 1_000_000);
        let skill = world.register("acme.skill", &terms);
        world.purchase(&skill, kind).expect("the purchase works");
        refused(world.send(&instruction(&skill, ExitKind::Withdraw), &[&buyer()]), NothingToWithdraw);
        world.send(&instruction(&skill, ExitKind::Close), &[&buyer()]).expect("asking works");
    }
}

#[test]
fn only_the_buyer_can() {
    let (mut world, skill) = credited();
    for person in [attacker(), seller(), meter(), authority()] {
        let mut ix = instruction(&skill, ExitKind::Close);
        ix.accounts[0].key = key(&person);
        refused(world.send(&ix, &[&person]), NotBuyer);
    }
}

#[test]
fn a_second_request_neither_shortens_nor_changes_the_first() {
    let (mut world, skill) = credited();
    world.send(&instruction(&skill, ExitKind::Withdraw), &[&buyer()]).expect("asking works");
    let before = world.licence(&skill);
    world.pass(300);
    for exit in [ExitKind::Withdraw, ExitKind::Close] {
        refused(world.send(&instruction(&skill, exit), &[&buyer()]), ExitPending);
    }
    assert_eq!(world.licence(&skill), before);
}

#[test]
fn the_exit_must_be_one_of_the_two() {
    let (mut world, skill) = credited();
    let ix = instruction(&skill, ExitKind::Close);
    for code in [ExitKind::None as u8, ExitKind::Refund as u8, 4, 255] {
        refused(world.send(&with_data(&ix, 0, &[code]), &[&buyer()]), UnknownExitKind);
    }
}

#[test]
fn without_credit_there_is_nothing_to_withdraw() {
    let (mut world, skill) = opened(Currency::Usdc);
    refused(world.send(&instruction(&skill, ExitKind::Withdraw), &[&buyer()]), NothingToWithdraw);
}

#[test]
fn the_delay_ends_with_time() {
    let (mut world, skill) = credited();
    world.set_time(i64::MAX - 599);
    refused(world.send(&instruction(&skill, ExitKind::Close), &[&buyer()]), MathOverflow);
    world.set_time(i64::MAX - 600);
    world.send(&instruction(&skill, ExitKind::Close), &[&buyer()]).expect("the boundary itself is allowed");
}

#[test]
fn it_refuses_newer_layouts() {
    let (mut world, skill) = credited();
    let licence = pda::licence(&skill, &key(&buyer())).0;
    for (address, at) in [(pda::config().0, CONFIG_VERSION_AT), (licence, LICENCE_VERSION_AT)] {
        world.poke(&address, at, 2);
        refused(world.send(&instruction(&skill, ExitKind::Close), &[&buyer()]), VersionUnsupported);
        world.poke(&address, at, 1);
    }
}

#[test]
fn no_account_can_be_forged() {
    let (mut world, skill) = credited();
    refuses_forgeries(&mut world, &instruction(&skill, ExitKind::Close), &buyer());
}
