//! `set_skill_status`: on sale, off sale, retired. It stops sales, never what is sold.

use clawos_interface::ProgramError::*;
use clawos_interface::events::Event;
use clawos_interface::instruction::{execute_exit, request_exit, set_skill_status};
use clawos_interface::{Currency, ExitKind, Key, Kind, SkillStatus};

use crate::attack::{refuses_forgeries, with_data};
use crate::forge::SKILL_VERSION_AT;
use crate::harness::{World, refused};
use crate::people::*;

fn listed() -> (World, Key) {
    let mut world = World::new();
    let terms = world.terms(Currency::Sol, Kind::Usage, 1_000);
    let skill = world.register("acme.skill", &terms);
    (world, skill)
}

#[test]
fn it_goes_off_sale_and_on_again() {
    let (mut world, skill) = listed();
    world.pass(7);
    for (old, new) in [(SkillStatus::Active, SkillStatus::Paused), (SkillStatus::Paused, SkillStatus::Active)] {
        let mut expected = world.skill(&skill);
        expected.status = new as u8;
        expected.updated_at.set(world.now());
        let tx = world.send(&set_skill_status(&key(&seller()), &skill, new), &[&seller()]).expect("it changes");
        assert_eq!(world.skill(&skill), expected);
        let [Event::SkillStatusChanged(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
        assert_eq!((event.skill, event.old, event.new), (skill, old as u8, new as u8));
    }
}

#[test]
fn retired_is_for_good() {
    let (mut world, skill) = listed();
    let set = |status| set_skill_status(&key(&seller()), &skill, status);
    world.send(&set(SkillStatus::Retired), &[&seller()]).expect("it changes");
    for status in [SkillStatus::Active, SkillStatus::Paused, SkillStatus::Retired] {
        refused(world.send(&set(status), &[&seller()]), SkillRetired);
    }
}

#[test]
fn off_sale_nothing_is_sold_but_what_is_sold_works_on() {
    for status in [SkillStatus::Paused, SkillStatus::Retired] {
        let (mut world, skill) = listed();
        world.purchase(&skill, Kind::Usage).expect("the purchase works");
        world.send(&set_skill_status(&key(&seller()), &skill, status), &[&seller()]).expect("it changes");
        let order = world.order(&skill, Kind::Usage, clawos_interface::Tier::Personal);
        let route = world.route(&skill);
        let other = clawos_interface::instruction::purchase(&key(&attacker()), &route, &order);
        refused(world.send(&other, &[&attacker()]), SkillInactive);

        world.deposit(&skill, 10_000_000).expect("the deposit works");
        world.record(&skill, 3).expect("recording works");
        let exit = request_exit(&key(&buyer()), &skill, ExitKind::Close);
        world.send(&exit, &[&buyer()]).expect("asking works");
        world.pass(600);
        world.send(&execute_exit(&key(&buyer()), &route, false), &[&buyer()]).expect("the exit works");
    }
}

#[test]
fn only_the_seller_can() {
    let (mut world, skill) = listed();
    for person in [attacker(), authority(), payout()] {
        let ix = set_skill_status(&key(&person), &skill, SkillStatus::Retired);
        refused(world.send(&ix, &[&person]), NotSeller);
    }
}

#[test]
fn the_status_must_be_known() {
    let (mut world, skill) = listed();
    let ix = set_skill_status(&key(&seller()), &skill, SkillStatus::Paused);
    for code in [0, 4, 255] {
        refused(world.send(&with_data(&ix, 0, &[code]), &[&seller()]), UnknownStatus);
    }
}

#[test]
fn it_refuses_a_newer_layout() {
    let (mut world, skill) = listed();
    world.poke(&skill, SKILL_VERSION_AT, 2);
    let ix = set_skill_status(&key(&seller()), &skill, SkillStatus::Paused);
    refused(world.send(&ix, &[&seller()]), VersionUnsupported);
}

#[test]
fn no_account_can_be_forged() {
    let (mut world, skill) = listed();
    let ix = set_skill_status(&key(&seller()), &skill, SkillStatus::Paused);
    refuses_forgeries(&mut world, &ix, &seller());
}
