//! `register_skill`: anybody lists a skill under an own address, with terms inside the market's bounds.

use clawos_interface::ProgramError::*;
use clawos_interface::accounts::Skill;
use clawos_interface::codes::PauseBits;
use clawos_interface::events::Event;
use clawos_interface::instruction::args::PurchaseArgs;
use clawos_interface::instruction::{Instruction, pause, purchase, register_skill};
use clawos_interface::known::PROGRAM_ID;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Kind, NO_KEY, ProgramError, SkillStatus, Tier, Unit, pda, sha256, skill_id};
use solana_instruction::error::InstructionError;

use crate::attack::{CLOCK, anywhere, read_only, refuses_forgeries, with, with_data};
use crate::forge::CONFIG_VERSION_AT;
use crate::harness::{START, World, refused};
use crate::people::*;

const NAME: &str = "acme.skill";

/// Terms that offer every kind.
fn all_kinds(world: &World) -> Terms {
    Terms {
        price_once: 3_000_000,
        price_period: 2_000_000,
        price_unit: 50,
        period_secs: 3_600,
        kinds: Kind::MASK,
        unit_kind: Unit::Megafuel as u8,
        meter: [7; 32],
        ..world.terms(Currency::Usdc, Kind::OneTime, 0)
    }
}

fn instruction(terms: &Terms) -> Instruction {
    register_skill(&key(&seller()), &skill_id(NAME), &[9; 32], terms)
}

#[test]
fn it_writes_the_listing() {
    let mut world = World::new();
    let terms = all_kinds(&world);
    let tx = world.send(&instruction(&terms), &[&seller()]).expect("registering works");

    let (address, bump) = pda::skill(&key(&seller()), &skill_id(NAME));
    let skill = world.skill(&address);
    assert_eq!((skill.creator, skill.seller, skill.pending_seller), (key(&seller()), key(&seller()), NO_KEY));
    assert_eq!((skill.skill_id, skill.listing_hash), (skill_id(NAME), [9; 32]));
    assert_eq!((skill.created_at(), skill.updated_at()), (START, START));
    assert_eq!((skill.terms_version(), skill.sales(), skill.gross(), skill.open_licences()), (1, 0, 0, 0));
    assert_eq!((skill.status, skill.version, skill.bump), (SkillStatus::Active as u8, 1, bump));
    assert!(skill.reserved.iter().all(|byte| *byte == 0));
    // The skill names its own meter, so Config's plays no part.
    assert_eq!(skill.terms(&NO_KEY), terms);
    assert_eq!(world.lamports(&address), world.svm.minimum_balance_for_rent_exemption(Skill::LEN));

    let [Event::SkillRegistered(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
    assert_eq!((event.skill, event.seller, event.skill_id), (address, key(&seller()), skill_id(NAME)));
}

#[test]
fn without_a_meter_configs_is_agreed_to() {
    let mut world = World::new();
    let terms = world.terms(Currency::Sol, Kind::Usage, 10);
    let skill = world.register(NAME, &terms);
    let agreed = Terms { meter: key(&meter()), ..terms };
    let terms_hash = agreed.hash(sha256, world.skill(&skill).created_slot());
    let order = PurchaseArgs { terms_hash, ..world.order(&skill, Kind::Usage, Tier::Personal) };
    let ix = purchase(&key(&buyer()), &world.route(&skill), &order);
    world.send(&ix, &[&buyer()]).expect("those are the terms");
    assert_eq!(world.licence(&skill).meter, key(&meter()));
}

/// A change of good terms, and the refusal it must meet.
type Case = (fn(&mut Terms), ProgramError);

/// Every way in which terms can be wrong; [`crate::update_skill`] tries them too.
pub const BAD_TERMS: &[Case] = &[
    (|terms| terms.payout = NO_KEY, KeyMissing),
    (|terms| terms.currency = 2, UnknownCurrency),
    (|terms| terms.unit_kind = 2, UnknownUnitKind),
    (|terms| terms.kinds = 0, KindsInvalid),
    (|terms| terms.kinds = 8, KindsInvalid),
    (|terms| terms.refund_window = 1, RefundWindowTooLong),
    (|terms| terms.tier_bps[0] = 9_999, TierInvalid),
    (|terms| terms.tier_bps[0] = 10_001, TierInvalid),
    (|terms| terms.tier_bps[1] = 9_999, TierInvalid),
    (|terms| terms.tier_bps[2] = 1_000_001, TierInvalid),
    (|terms| terms.period_secs = 3_599, PeriodInvalid),
    (|terms| terms.period_secs = 366 * 86_400 + 1, PeriodInvalid),
    (|terms| terms.kinds = Kind::OneTime.bit() | Kind::Usage.bit(), PeriodInvalid),
    (|terms| terms.kinds = Kind::Subscription.bit() | Kind::Usage.bit(), PriceOutOfRange),
    (|terms| terms.price_once = 39, PriceOutOfRange),
    (|terms| terms.price_period = 39, PriceOutOfRange),
    (|terms| terms.price_unit = 0, PriceOutOfRange),
    (|terms| terms.price_once = 200_000_000_001, PriceOutOfRange),
    (|terms| terms.price_once = i64::MAX as u64, PriceOutOfRange),
    (|terms| terms.price_unit = u64::MAX, MathOverflow),
];

#[test]
fn every_term_has_its_bounds() {
    let mut world = World::new();
    for (change, error) in BAD_TERMS {
        let mut terms = all_kinds(&world);
        change(&mut terms);
        refused(world.send(&instruction(&terms), &[&seller()]), *error);
    }
    // The bounds themselves: five times the highest base price is the highest price.
    let mut terms = all_kinds(&world);
    (terms.price_once, terms.price_period, terms.price_unit) = (200_000_000_000, 40, 1);
    terms.period_secs = 366 * 86_400;
    world.send(&instruction(&terms), &[&seller()]).expect("the bounds are allowed");
}

#[test]
fn the_payout_is_one_that_can_be_paid() {
    for currency in Currency::ALL {
        let mut world = World::new();
        let terms = world.terms(*currency, Kind::OneTime, 1_000_000);
        refused(world.send(&with(&instruction(&terms), "payout", anywhere()), &[&seller()]), WrongPayout);
        // The runtime lets nobody change a sysvar or the program that runs, whatever the transaction says.
        for payout in [CLOCK, PROGRAM_ID] {
            let ix = instruction(&Terms { payout, ..terms });
            refused(world.send(&ix, &[&seller()]), RecipientFrozen);
        }
        refused(world.send(&read_only(&instruction(&terms), "payout"), &[&seller()]), RecipientFrozen);
        // The usual payout is the seller's own wallet.
        world.send(&instruction(&Terms { payout: key(&seller()), ..terms }), &[&seller()]).expect("registering works");
    }
}

#[test]
fn a_multiplier_of_a_hundred_is_the_highest() {
    let mut world = World::new();
    let mut terms = all_kinds(&world);
    terms.tier_bps = [10_000, 10_000, 1_000_000];
    world.send(&instruction(&terms), &[&seller()]).expect("the bound is allowed");
}

#[test]
fn it_can_be_paused() {
    let mut world = World::new();
    let terms = all_kinds(&world);
    world.send(&pause(&key(&guardian()), PauseBits::REGISTER), &[&guardian()]).expect("pausing works");
    refused(world.send(&instruction(&terms), &[&seller()]), Paused);
}

#[test]
fn it_refuses_a_newer_config() {
    let mut world = World::new();
    world.poke(&pda::config().0, CONFIG_VERSION_AT, 2);
    let terms = world.terms(Currency::Sol, Kind::OneTime, 1_000);
    refused(world.send(&instruction(&terms), &[&seller()]), VersionUnsupported);
}

#[test]
fn nobody_takes_anothers_name() {
    let mut world = World::new();
    let terms = all_kinds(&world);
    let victims = pda::skill(&key(&seller()), &skill_id(NAME)).0;
    let own = register_skill(&key(&attacker()), &skill_id(NAME), &[9; 32], &terms);
    refused(world.send(&with(&own, "skill", victims), &[&attacker()]), InstructionError::InvalidSeeds);
    // Another id than the address was derived from.
    let other_id = with_data(&instruction(&terms), 0, &skill_id("acme.other"));
    refused(world.send(&other_id, &[&seller()]), InstructionError::InvalidSeeds);
    // The same id under one's own address takes nothing from anybody.
    world.send(&own, &[&attacker()]).expect("registering works");
    world.send(&instruction(&terms), &[&seller()]).expect("registering works");
    assert_eq!(world.skill(&victims).seller, key(&seller()));
}

#[test]
fn it_works_once() {
    let mut world = World::new();
    let terms = all_kinds(&world);
    let ix = instruction(&terms);
    world.send(&ix, &[&seller()]).expect("registering works");
    refused(world.send(&ix, &[&seller()]), InstructionError::Custom(0));
}

#[test]
fn lamports_sent_ahead_do_not_block_it() {
    let mut world = World::new();
    let terms = all_kinds(&world);
    let address = pda::skill(&key(&seller()), &skill_id(NAME)).0;
    world.svm.airdrop(&address.into(), 1_000_000).expect("an airdrop works");
    world.send(&instruction(&terms), &[&seller()]).expect("registering works");
}

#[test]
fn no_account_can_be_forged() {
    let mut world = World::new();
    let terms = all_kinds(&world);
    refuses_forgeries(&mut world, &instruction(&terms), &seller());
}
