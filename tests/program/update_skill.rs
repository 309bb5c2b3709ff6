//! `update_skill`: the seller alone changes terms; what is sold stays as it was sold.

use clawos_interface::ProgramError::*;
use clawos_interface::events::Event;
use clawos_interface::instruction::{Instruction, register_skill, set_skill_status, update_skill};
use clawos_interface::known::PROGRAM_ID;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Key, Kind, SkillStatus, pda, sha256, skill_id};

use crate::attack::{CLOCK, anywhere, read_only, refuses_forgeries, with};
use crate::forge::{CONFIG_VERSION_AT, SKILL_VERSION_AT};
use crate::harness::{World, refused};
use crate::people::*;
use crate::register_skill::BAD_TERMS;

/// A world with a skill that offers every kind in USDC.
fn listed() -> (World, Key, Terms) {
    let mut world = World::new();
    let terms = Terms {
        price_period: 2_000_000,
        price_unit: 50,
        period_secs: 86_400,
        kinds: Kind::MASK,
        ..world.terms(Currency::Usdc, Kind::OneTime, 3_000_000)
    };
    let skill = world.register("acme.skill", &terms);
    (world, skill, terms)
}

fn instruction(skill: &Key, terms: &Terms) -> Instruction {
    update_skill(&key(&seller()), skill, &[8; 32], terms)
}

#[test]
fn new_terms_replace_the_old_ones() {
    let (mut world, skill, old) = listed();
    let before = world.skill(&skill);
    world.pass(50);
    let new = Terms { payout: key(&attacker()), meter: [3; 32], price_once: 4_000_000, unit_kind: 1, ..old };
    let tx = world.send(&instruction(&skill, &new), &[&seller()]).expect("updating works");

    let after = world.skill(&skill);
    assert_eq!(after.terms(&[0; 32]), new);
    assert_eq!((after.terms_version(), after.listing_hash, after.updated_at()), (2, [8; 32], world.now()));
    let mut expected = before;
    (expected.payout, expected.meter, expected.unit_kind, expected.listing_hash) = (new.payout, new.meter, 1, [8; 32]);
    expected.price_once.set(4_000_000);
    expected.terms_version.set(2);
    expected.updated_at.set(world.now());
    assert_eq!(after, expected, "nothing else changes");
    let [Event::SkillUpdated(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
    assert_eq!((event.skill, event.terms_version()), (skill, 2));
    assert_eq!(event.terms_hash, new.hash(sha256, before.created_slot()));
}

#[test]
fn a_licence_keeps_what_it_was_sold_with() {
    let (mut world, skill, terms) = listed();
    world.purchase(&skill, Kind::Usage).expect("the purchase works");
    let before = world.licence(&skill);
    let dearer = Terms { price_unit: 5_000, meter: key(&attacker()), ..terms };
    world.send(&instruction(&skill, &dearer), &[&seller()]).expect("updating works");
    assert_eq!(world.licence(&skill), before);
    world.deposit(&skill, 1_000).expect("the deposit works");
    world.record(&skill, 10).expect("the old meter records");
    assert_eq!(world.licence(&skill).billed_total(), 500, "at the old price");
}

#[test]
fn only_the_seller_can() {
    let (mut world, skill, terms) = listed();
    let mine = Terms { payout: key(&attacker()), ..terms };
    let attack = update_skill(&key(&attacker()), &skill, &[0; 32], &mine);
    refused(world.send(&attack, &[&attacker()]), NotSeller);
    // Not even the market's authority.
    let attack = update_skill(&key(&authority()), &skill, &[0; 32], &mine);
    refused(world.send(&attack, &[&authority()]), NotSeller);
    // A seller of another skill.
    let own = register_skill(&key(&attacker()), &skill_id("evil.skill"), &[0; 32], &mine);
    world.send(&own, &[&attacker()]).expect("registering works");
    let evil = pda::skill(&key(&attacker()), &skill_id("evil.skill")).0;
    let attack = with(&update_skill(&key(&attacker()), &evil, &[0; 32], &mine), "skill", skill);
    refused(world.send(&attack, &[&attacker()]), NotSeller);
}

#[test]
fn terms_stay_inside_the_bounds() {
    let (mut world, skill, good) = listed();
    for (change, error) in BAD_TERMS {
        let mut terms = good;
        change(&mut terms);
        let error = if terms.currency == good.currency { *error } else { WrongCurrency };
        refused(world.send(&instruction(&skill, &terms), &[&seller()]), error);
    }
}

#[test]
fn the_payout_is_one_that_can_be_paid() {
    let (mut world, skill, terms) = listed();
    refused(world.send(&with(&instruction(&skill, &terms), "payout", anywhere()), &[&seller()]), WrongPayout);
    for payout in [CLOCK, PROGRAM_ID] {
        let ix = instruction(&skill, &Terms { payout, ..terms });
        refused(world.send(&ix, &[&seller()]), RecipientFrozen);
    }
    refused(world.send(&read_only(&instruction(&skill, &terms), "payout"), &[&seller()]), RecipientFrozen);
    let own = Terms { payout: key(&seller()), ..terms };
    world.send(&instruction(&skill, &own), &[&seller()]).expect("updating works");
}

#[test]
fn the_currency_stays() {
    let (mut world, skill, terms) = listed();
    let terms = Terms { currency: Currency::Sol as u8, ..terms };
    refused(world.send(&instruction(&skill, &terms), &[&seller()]), WrongCurrency);
}

#[test]
fn a_paused_skill_can_change_and_a_retired_one_cannot() {
    let (mut world, skill, terms) = listed();
    let set = |world: &mut World, status| {
        world.send(&set_skill_status(&key(&seller()), &skill, status), &[&seller()]).expect("the status changes");
    };
    set(&mut world, SkillStatus::Paused);
    world.send(&instruction(&skill, &terms), &[&seller()]).expect("updating works");
    set(&mut world, SkillStatus::Retired);
    refused(world.send(&instruction(&skill, &terms), &[&seller()]), SkillRetired);
}

#[test]
fn the_version_of_the_terms_never_wraps() {
    let (mut world, skill, terms) = listed();
    world.change_skill(&skill, |skill| skill.terms_version.set(u32::MAX));
    refused(world.send(&instruction(&skill, &terms), &[&seller()]), MathOverflow);
}

#[test]
fn it_refuses_newer_layouts() {
    let (mut world, skill, terms) = listed();
    world.poke(&skill, SKILL_VERSION_AT, 2);
    refused(world.send(&instruction(&skill, &terms), &[&seller()]), VersionUnsupported);
    world.poke(&skill, SKILL_VERSION_AT, 1);
    world.poke(&pda::config().0, CONFIG_VERSION_AT, 0);
    refused(world.send(&instruction(&skill, &terms), &[&seller()]), VersionUnsupported);
}

#[test]
fn no_account_can_be_forged() {
    let (mut world, skill, terms) = listed();
    refuses_forgeries(&mut world, &instruction(&skill, &terms), &seller());
}
