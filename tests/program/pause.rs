//! `pause`: the guardian or the authority stops groups of instructions; never an exit.

use clawos_interface::ProgramError::*;
use clawos_interface::codes::PauseBits;
use clawos_interface::events::Event;
use clawos_interface::instruction::{execute_exit, pause, request_exit, set_licence_caps, verify_access};
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, ExitKind, pda};

use crate::attack::{refuses_forgeries, with_data};
use crate::deposit_credit::opened;
use crate::forge::CONFIG_VERSION_AT;
use crate::harness::{World, refused};
use crate::people::*;

#[test]
fn bits_add_up() {
    let mut world = World::new();
    let mut expected = world.config();
    for (person, bits, now) in [(guardian(), 1, 1), (authority(), 2 | 4, 7), (guardian(), 1, 7), (guardian(), 15, 15)] {
        let old = world.config().pause_bits();
        let tx = world.send(&pause(&key(&person), bits), &[&person]).expect("pausing works");
        expected.pause_bits.set(now);
        assert_eq!(world.config(), expected, "nothing else changes");
        let [Event::PauseChanged(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
        assert_eq!((event.old(), event.new(), event.by), (old, now, key(&person)));
    }
}

#[test]
fn only_guardian_and_authority_can() {
    let mut world = World::new();
    for person in [attacker(), deployer(), treasury(), arbiter(), meter(), seller()] {
        refused(world.send(&pause(&key(&person), 1), &[&person]), NotGuardian);
    }
}

#[test]
fn the_bits_must_be_known() {
    let mut world = World::new();
    for bits in [0, 16, PauseBits::ALL + 1, u16::MAX] {
        refused(world.send(&pause(&key(&guardian()), bits), &[&guardian()]), PauseBitsInvalid);
    }
    let ix = with_data(&pause(&key(&guardian()), 1), 1, &[1]);
    refused(world.send(&ix, &[&guardian()]), PauseBitsInvalid);
}

#[test]
fn no_exit_is_ever_paused() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.deposit(&skill, 1_000).expect("the deposit works");
        world.send(&pause(&key(&guardian()), PauseBits::ALL), &[&guardian()]).expect("pausing works");
        let has_vault = *currency == Currency::Usdc;
        let execute = execute_exit(&key(&buyer()), &world.route(&skill), has_vault);
        for exit in [ExitKind::Withdraw, ExitKind::Close] {
            world.send(&request_exit(&key(&buyer()), &skill, exit), &[&buyer()]).expect("asking works");
            world.pass(600);
            world.send(&execute, &[&buyer()]).expect("the exit works");
        }
        assert!(world.data(&pda::licence(&skill, &key(&buyer())).0).is_empty());
    }
}

#[test]
fn questions_and_caps_are_never_paused() {
    let (mut world, skill) = opened(Currency::Sol);
    world.send(&pause(&key(&guardian()), PauseBits::ALL), &[&guardian()]).expect("pausing works");
    world.send(&verify_access(&skill, &key(&buyer())), &[&attacker()]).expect("asking works");
    let caps = Caps { usage_limit: 1, ..Caps::default() };
    world.send(&set_licence_caps(&key(&buyer()), &skill, &caps), &[&buyer()]).expect("capping works");
}

#[test]
fn it_refuses_a_newer_layout() {
    let mut world = World::new();
    world.poke(&pda::config().0, CONFIG_VERSION_AT, 2);
    refused(world.send(&pause(&key(&guardian()), 1), &[&guardian()]), VersionUnsupported);
}

#[test]
fn no_account_can_be_forged() {
    let mut world = World::new();
    refuses_forgeries(&mut world, &pause(&key(&guardian()), 1), &guardian());
}
