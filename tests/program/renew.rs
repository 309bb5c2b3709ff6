//! `renew`: the buyer pays the next period at the present terms, in either currency.

use clawos_interface::ProgramError::*;
use clawos_interface::codes::PauseBits;
use clawos_interface::events::Event;
use clawos_interface::instruction::{self, Instruction, pause, request_exit, set_skill_status, update_skill};
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, NO_KEY, SkillStatus, pda};
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;

use crate::attack::{anywhere, refuses_forgeries, with, without};
use crate::forge::{CONFIG_VERSION_AT, LICENCE_VERSION_AT, SKILL_VERSION_AT};
use crate::harness::{START, World, refused};
use crate::people::*;
use crate::sale::money;

const PRICE: u64 = 5_000_001;
const FEE: u64 = 125_000;
const PERIOD: i64 = 30 * 86_400;

/// A world in which the buyer has subscribed.
fn subscribed(currency: Currency) -> (World, Key) {
    let mut world = World::new();
    let terms = world.terms(currency, Kind::Subscription, PRICE);
    let skill = world.register("acme.monthly", &terms);
    world.purchase(&skill, Kind::Subscription).expect("subscribing works");
    (world, skill)
}

fn instruction(world: &World, skill: &Key) -> Instruction {
    instruction::renew(&key(&buyer()), &world.route(skill), PRICE, &world.terms_hash(skill))
}

/// Lets the seller change the terms.
fn update(world: &mut World, skill: &Key, change: impl FnOnce(&mut Terms)) {
    let mut terms = world.skill(skill).terms(&NO_KEY);
    change(&mut terms);
    world.send(&update_skill(&key(&seller()), skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
}

#[test]
fn it_adds_a_period_to_the_end_and_pays_both() {
    for currency in Currency::ALL {
        let (mut world, skill) = subscribed(*currency);
        world.pass(1_000);
        let wallets = [buyer(), payout(), treasury()].map(|person| key(&person));
        let before = wallets.map(|wallet| money(&world, *currency, &wallet));
        let mut expected = world.licence(&skill);
        let tx = world.send(&instruction(&world, &skill), &[&attacker(), &buyer()]).expect("renewing works");

        let after = wallets.map(|wallet| money(&world, *currency, &wallet));
        assert_eq!([before[0] - after[0], after[1] - before[1], after[2] - before[2]], [PRICE, PRICE - FEE, FEE]);
        expected.expires_at.set(START + 2 * PERIOD);
        expected.purchases.set(2);
        assert_eq!(world.licence(&skill), expected, "nothing else changes");
        assert_eq!((world.skill(&skill).sales(), world.skill(&skill).gross()), (2, 2 * PRICE));
        let [Event::LicenceRenewed(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
        assert_eq!(
            (event.licence, event.n(), event.currency),
            (pda::licence(&skill, &wallets[0]).0, 2, *currency as u8)
        );
        assert_eq!((event.amount(), event.fee(), event.expires_at()), (PRICE, FEE, START + 2 * PERIOD));
        assert_eq!(event.terms_hash, world.terms_hash(&skill));
    }
}

#[test]
fn after_the_end_it_starts_now() {
    let (mut world, skill) = subscribed(Currency::Sol);
    world.set_time(START + PERIOD + 10);
    world.send(&instruction(&world, &skill), &[&buyer()]).expect("renewing works");
    let licence = world.licence(&skill);
    assert_eq!((licence.starts_at(), licence.expires_at()), (START + PERIOD + 10, START + PERIOD + 10 + PERIOD));
}

#[test]
fn it_takes_the_present_terms_that_the_buyer_names() {
    let (mut world, skill) = subscribed(Currency::Usdc);
    let old = instruction(&world, &skill);
    update(&mut world, &skill, |terms| {
        (terms.price_period, terms.period_secs, terms.meter) = (PRICE - 1, 86_400, [3; 32]);
    });
    refused(world.send(&old, &[&buyer()]), TermsChanged);
    world.send(&instruction(&world, &skill), &[&buyer()]).expect("renewing works");
    let licence = world.licence(&skill);
    assert_eq!((licence.expires_at(), licence.period_secs()), (START + PERIOD + 86_400, 86_400));
    assert_eq!((licence.terms_version(), licence.meter, licence.terms_hash), (2, [3; 32], world.terms_hash(&skill)));
    assert_eq!((licence.previous_meter, licence.meter_until()), (key(&meter()), START + 600));

    update(&mut world, &skill, |terms| terms.price_period = PRICE + 1);
    refused(world.send(&instruction(&world, &skill), &[&buyer()]), PriceAboveMax);
}

#[test]
fn the_old_meter_still_settles_what_it_metered() {
    let (mut world, skill) = subscribed(Currency::Sol);
    update(&mut world, &skill, |terms| terms.meter = key(&attacker()));
    world.send(&instruction(&world, &skill), &[&buyer()]).expect("renewing works");
    world.pass(599);
    world.record(&skill, 5).expect("calls that the old meter served can be recorded");
    let batch = |world: &World, meter: &Keypair| {
        instruction::record_usage(&key(meter), &world.route(&skill), &key(&buyer()), false, &world.batch(&skill, 1))
    };
    let ix = batch(&world, &attacker());
    world.send(&ix, &[&attacker()]).expect("the new meter records");
    // There is room for one meter before the present one.
    update(&mut world, &skill, |terms| terms.meter = key(&seller()));
    refused(world.send(&instruction(&world, &skill), &[&buyer()]), MeterChangeTooEarly);
    world.pass(1);
    refused(world.record(&skill, 1), NotMeter);
    let ix = batch(&world, &seller());
    refused(world.send(&ix, &[&seller()]), NotMeter);
    world.send(&instruction(&world, &skill), &[&buyer()]).expect("renewing works");
    assert_eq!(world.licence(&skill).previous_meter, key(&attacker()));
}

#[test]
fn only_the_buyer_renews_only_that_skills_licence() {
    for currency in Currency::ALL {
        let (mut world, skill) = subscribed(*currency);
        let ix = instruction(&world, &skill);
        let foreign = with(&ix, "buyer", key(&attacker()));
        refused(world.send(&foreign, &[&attacker()]), NotBuyer);
        // The buyer's licence of another skill, to get this one's cheap price there.
        let terms = world.terms(*currency, Kind::Subscription, 5 * PRICE);
        let dear = world.register("acme.dear", &terms);
        world.purchase(&dear, Kind::Subscription).expect("subscribing works");
        let other = pda::licence(&dear, &key(&buyer())).0;
        refused(world.send(&with(&ix, "licence", other), &[&buyer()]), WrongSkill);
    }
}

#[test]
fn sales_can_be_stopped() {
    let (mut world, skill) = subscribed(Currency::Sol);
    world.send(&set_skill_status(&key(&seller()), &skill, SkillStatus::Paused), &[&seller()]).expect("it changes");
    refused(world.send(&instruction(&world, &skill), &[&buyer()]), SkillInactive);
    world.send(&set_skill_status(&key(&seller()), &skill, SkillStatus::Active), &[&seller()]).expect("it changes");
    world.send(&pause(&key(&guardian()), PauseBits::PURCHASE), &[&guardian()]).expect("pausing works");
    refused(world.send(&instruction(&world, &skill), &[&buyer()]), Paused);
}

#[test]
fn only_a_subscription_in_good_standing_is_renewed() {
    let (mut world, skill) = subscribed(Currency::Sol);
    let ix = instruction(&world, &skill);
    world.change_licence(&skill, |licence| licence.status = LicenceStatus::Refunded as u8);
    refused(world.send(&ix, &[&buyer()]), LicenceRefunded);
    world.change_licence(&skill, |licence| licence.status = LicenceStatus::Active as u8);
    for kind in [Kind::OneTime, Kind::Usage] {
        world.change_licence(&skill, |licence| licence.kind = kind as u8);
        refused(world.send(&ix, &[&buyer()]), NotRenewable);
    }
    world.change_licence(&skill, |licence| licence.kind = Kind::Subscription as u8);
    let exit = request_exit(&key(&buyer()), &skill, ExitKind::Close);
    world.send(&exit, &[&buyer()]).expect("asking works");
    refused(world.send(&ix, &[&buyer()]), LicenceClosing);
}

#[test]
fn what_is_no_longer_offered_is_not_renewed() {
    let (mut world, skill) = subscribed(Currency::Sol);
    update(&mut world, &skill, |terms| {
        (terms.kinds, terms.price_once, terms.price_period, terms.period_secs) = (1, PRICE, 0, 0);
    });
    refused(world.send(&instruction(&world, &skill), &[&buyer()]), KindNotOffered);
}

#[test]
fn a_seller_that_names_the_buyer_as_payout_is_refused() {
    let (mut world, skill) = subscribed(Currency::Sol);
    update(&mut world, &skill, |terms| terms.payout = key(&buyer()));
    let ix = with(&instruction(&world, &skill), "payout", anywhere());
    refused(world.send(&ix, &[&buyer()]), SelfPurchase);
}

#[test]
fn damaged_codes_are_refused() {
    let (mut world, skill) = subscribed(Currency::Sol);
    let ix = instruction(&world, &skill);
    world.change_licence(&skill, |licence| licence.currency = 2);
    refused(world.send(&ix, &[&buyer()]), UnknownCurrency);
    world.change_licence(&skill, |licence| licence.currency = Currency::Usdc as u8);
    refused(world.send(&ix, &[&buyer()]), WrongCurrency);
    world.change_licence(&skill, |licence| (licence.currency, licence.tier) = (Currency::Sol as u8, 3));
    refused(world.send(&ix, &[&buyer()]), UnknownTier);
    world.change_licence(&skill, |licence| licence.tier = 0);
    world.change_config(|config| config.meter = NO_KEY);
    refused(world.send(&instruction(&world, &skill), &[&buyer()]), KeyMissing);
}

#[test]
fn the_money_goes_to_the_right_accounts_only() {
    for currency in Currency::ALL {
        let (mut world, skill) = subscribed(*currency);
        let (ix, route) = (instruction(&world, &skill), world.route(&skill));
        let mine = route.account_of(&key(&attacker()));
        refused(world.send(&with(&ix, "payout", mine), &[&buyer()]), WrongPayout);
        refused(world.send(&with(&ix, "treasury", mine), &[&buyer()]), WrongTreasury);
        let payout = route.account_of(&route.payout);
        refused(world.send(&with(&ix, "treasury", payout), &[&buyer()]), WrongTreasury);
    }
}

#[test]
fn a_recipient_that_cannot_receive_is_named() {
    let (mut world, skill) = subscribed(Currency::Sol);
    world.remove(&key(&treasury()));
    refused(world.send(&instruction(&world, &skill), &[&buyer()]), RecipientNotRentExempt);
    let (mut world, skill) = subscribed(Currency::Usdc);
    world.freeze(&key(&payout()));
    refused(world.send(&instruction(&world, &skill), &[&buyer()]), RecipientFrozen);
}

#[test]
fn usdc_comes_from_the_buyers_own_token_account() {
    let (mut world, skill) = subscribed(Currency::Usdc);
    let ix = instruction(&world, &skill);
    refused(world.send(&without(&ix, "source"), &[&buyer()]), TokenAccountsMissing);
    let victims = world.ata(&key(&attacker()));
    refused(world.send(&with(&ix, "source", victims), &[&buyer()]), WrongSource);
    let (mint, toy) = (world.mint, key(&keypair(150)));
    world.make_mint(toy, 6);
    world.make_token_account(&anywhere(), &key(&buyer()), &toy, PRICE);
    refused(world.send(&with(&ix, "source", anywhere()), &[&buyer()]), WrongSource);
    world.make_token_account(&anywhere(), &key(&buyer()), &mint, PRICE - 1);
    refused(world.send(&with(&ix, "source", anywhere()), &[&buyer()]), InstructionError::Custom(1));
    let wrong = with(&ix, "token_program", clawos_interface::known::ASSOCIATED_TOKEN_PROGRAM);
    refused(world.send(&wrong, &[&buyer()]), InstructionError::IncorrectProgramId);
}

#[test]
fn sums_never_wrap() {
    let (mut world, skill) = subscribed(Currency::Sol);
    let ix = instruction(&world, &skill);
    world.change_licence(&skill, |licence| licence.expires_at.set(i64::MAX - PERIOD + 1));
    refused(world.send(&ix, &[&buyer()]), MathOverflow);
    world.change_licence(&skill, |licence| {
        licence.expires_at.set(i64::MAX - PERIOD);
        licence.purchases.set(u32::MAX);
    });
    refused(world.send(&ix, &[&buyer()]), MathOverflow);
    world.change_licence(&skill, |licence| licence.purchases.set(u32::MAX - 1));
    world.change_skill(&skill, |skill| skill.sales.set(i64::MAX as u64));
    refused(world.send(&ix, &[&buyer()]), MathOverflow);
    world.change_skill(&skill, |skill| {
        skill.sales.set(0);
        skill.gross.set(i64::MAX as u64 - PRICE + 1);
    });
    refused(world.send(&ix, &[&buyer()]), MathOverflow);
    world.change_skill(&skill, |skill| skill.gross.set(i64::MAX as u64 - PRICE));
    world.send(&ix, &[&buyer()]).expect("the boundary itself is allowed");
    assert_eq!((world.licence(&skill).expires_at(), world.licence(&skill).purchases()), (i64::MAX, u32::MAX));
}

#[test]
fn it_refuses_newer_layouts() {
    let (mut world, skill) = subscribed(Currency::Sol);
    let ix = instruction(&world, &skill);
    let licence = pda::licence(&skill, &key(&buyer())).0;
    for (address, at) in
        [(pda::config().0, CONFIG_VERSION_AT), (skill, SKILL_VERSION_AT), (licence, LICENCE_VERSION_AT)]
    {
        world.poke(&address, at, 2);
        refused(world.send(&ix, &[&buyer()]), VersionUnsupported);
        world.poke(&address, at, 1);
    }
}

#[test]
fn no_account_can_be_forged() {
    for currency in Currency::ALL {
        let (mut world, skill) = subscribed(*currency);
        let ix = instruction(&world, &skill);
        refuses_forgeries(&mut world, &ix, &buyer());
    }
}
