//! What `purchase_sol` and `purchase_usdc` have in common: what may be bought by whom, and what the buyer agreed to. Each story is told once per
//! currency; the two modules name those they tell.

use clawos_interface::ProgramError::*;
use clawos_interface::codes::PauseBits;
use clawos_interface::events::Event;
use clawos_interface::instruction::{
    Instruction, pause, purchase, request_exit, set_skill_status, unpause, update_skill,
};
use clawos_interface::rules::terms::Terms;
use clawos_interface::rules::usage::{Caps, first_root};
use clawos_interface::{Currency, ExitKind, Key, Kind, NO_KEY, SkillStatus, SuspendReason, Tier, pda, sha256};
use solana_keypair::Keypair;

use crate::attack::{DUPLICATE, anywhere, refuses_forgeries, with, with_data};
use crate::forge::{CONFIG_VERSION_AT, LICENCE_VERSION_AT, SKILL_VERSION_AT};
use crate::harness::{START, World, refused};
use crate::people::*;

/// Price of every kind in these stories but usage.
pub const PRICE: u64 = 1_234_567;
/// 2.5 % of [`PRICE`], rounded down.
pub const FEE: u64 = 30_864;
/// Price of a unit of usage.
const UNIT_PRICE: u64 = 77;

/// A world with a skill that offers every kind in `currency`.
pub fn listed(currency: Currency) -> (World, Key) {
    let mut world = World::new();
    let terms = Terms {
        price_period: PRICE,
        price_unit: UNIT_PRICE,
        period_secs: 86_400,
        kinds: Kind::MASK,
        ..world.terms(currency, Kind::OneTime, PRICE)
    };
    let skill = world.register("acme.skill", &terms);
    (world, skill)
}

/// The buyer's purchase of a personal licence.
pub fn order(world: &World, skill: &Key, kind: Kind) -> Instruction {
    order_of(world, skill, kind, Tier::Personal)
}

fn order_of(world: &World, skill: &Key, kind: Kind, tier: Tier) -> Instruction {
    purchase(&key(&buyer()), &world.route(skill), &world.order(skill, kind, tier))
}

/// Money of a wallet in `currency`.
pub fn money(world: &World, currency: Currency, wallet: &Key) -> u64 {
    match currency {
        Currency::Sol => world.lamports(wallet),
        Currency::Usdc => world.usdc(wallet),
    }
}

/// Tells the named stories as tests for one currency.
macro_rules! stories {
    ($currency:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() {
            crate::sale::$name($currency);
        })*
    };
}
pub(crate) use stories;

pub fn every_kind_and_tier_is_paid_to_the_unit(currency: Currency) {
    for kind in Kind::ALL {
        for (tier, factor) in Tier::ALL.iter().zip([1, 2, 5]) {
            let (mut world, skill) = listed(currency);
            let wallets = [buyer(), payout(), treasury()].map(|person| key(&person));
            let before = wallets.map(|wallet| money(&world, currency, &wallet));
            let ix = order_of(&world, &skill, *kind, *tier);
            let tx = world.send(&ix, &[&attacker(), &buyer()]).expect("the purchase works");
            let after = wallets.map(|wallet| money(&world, currency, &wallet));

            let price = if *kind == Kind::Usage { 0 } else { factor * PRICE };
            let fee = price * 250 / 10_000;
            let rent = world.lamports(&pda::licence(&skill, &wallets[0]).0);
            let rent = if currency == Currency::Sol { rent } else { 0 };
            assert_eq!(before[0] - after[0], price + rent);
            assert_eq!([after[1] - before[1], after[2] - before[2]], [price - fee, fee]);

            let licence = world.licence(&skill);
            assert_eq!((licence.kind, licence.tier), (*kind as u8, *tier as u8));
            assert_eq!(licence.unit_price(), if *kind == Kind::Usage { factor * UNIT_PRICE } else { 0 });
            let end = if *kind == Kind::Subscription { START + 86_400 } else { 0 };
            assert_eq!(licence.expires_at(), end);
            let [Event::LicencePurchased(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
            assert_eq!((event.amount(), event.fee(), event.expires_at()), (price, fee, end));
            assert_eq!((event.kind, event.tier, event.currency), (*kind as u8, *tier as u8, currency as u8));
            assert_eq!((world.skill(&skill).sales(), world.skill(&skill).gross()), (1, price));
        }
    }
}

pub fn a_new_licence_is_filled_completely(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let caps = Caps { usage_limit: 100, max_units_per_batch: 10, max_units_per_day: 50 };
    let mut args = world.order(&skill, Kind::Usage, Tier::Personal);
    (args.caps, args.max_price) = (caps, UNIT_PRICE);
    let ix = purchase(&key(&buyer()), &world.route(&skill), &args);
    let tx = world.send(&ix, &[&buyer()]).expect("the purchase works");

    let (address, bump) = pda::licence(&skill, &key(&buyer()));
    let licence = world.licence(&skill);
    assert_eq!((licence.skill, licence.buyer, licence.mint), (skill, key(&buyer()), NO_KEY));
    assert_eq!((licence.meter, licence.terms_hash), (key(&meter()), world.terms_hash(&skill)));
    assert_eq!(licence.chain_root, first_root(sha256, &address, licence.created_slot()));
    assert_eq!((licence.created_at(), licence.starts_at()), (START, START));
    assert_eq!((licence.usage_limit(), licence.max_units_per_batch(), licence.max_units_per_day()), (100, 10, 50));
    assert_eq!((licence.credit(), licence.unbilled(), licence.billed_total()), (0, 0, 0));
    assert_eq!((licence.usage_total(), licence.usage_seq(), licence.day_units()), (0, 0, 0));
    assert_eq!((licence.exit_kind, licence.exit_amount(), licence.exit_at(), licence.caps_eta()), (0, 0, 0, 0));
    assert_eq!((licence.terms_version(), licence.period_secs(), licence.purchases()), (1, 86_400, 1));
    assert_eq!((licence.status, licence.suspended_reason, licence.flags), (1, SuspendReason::None as u8, 0));
    assert_eq!((licence.currency, licence.unit_kind, licence.vault_bump), (currency as u8, 0, 0));
    assert_eq!((licence.version, licence.bump), (1, bump));
    assert_eq!((licence.previous_meter, licence.meter_until(), licence.exit_requested_at()), (NO_KEY, 0, 0));
    assert!(licence.reserved.iter().all(|byte| *byte == 0));
    assert_eq!(world.skill(&skill).open_licences(), 1);
    let [Event::LicencePurchased(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
    assert_eq!((event.licence, event.skill, event.buyer, event.n()), (address, skill, key(&buyer()), 1));
    assert_eq!(event.terms_hash, licence.terms_hash);
}

pub fn it_can_be_paused(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.send(&pause(&key(&guardian()), PauseBits::PURCHASE), &[&guardian()]).expect("pausing works");
    refused(world.purchase(&skill, Kind::OneTime), Paused);
}

pub fn only_an_active_skill_is_sold(currency: Currency) {
    let (mut world, skill) = listed(currency);
    for status in [SkillStatus::Paused, SkillStatus::Retired] {
        world.send(&set_skill_status(&key(&seller()), &skill, status), &[&seller()]).expect("it changes");
        refused(world.purchase(&skill, Kind::OneTime), SkillInactive);
    }
}

pub fn the_seller_cannot_buy_the_own_skill(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let buys = |world: &World, person: &Keypair| {
        purchase(&key(person), &world.route(&skill), &world.order(&skill, Kind::Usage, Tier::Personal))
    };
    world.make_ata(&key(&seller()));
    refused(world.send(&buys(&world, &seller()), &[&seller()]), SelfPurchase);
    let own = buys(&world, &payout());
    refused(world.send(&own, &[&payout()]), DUPLICATE);
    refused(world.send(&with(&own, "payout", anywhere()), &[&payout()]), SelfPurchase);
}

pub fn kind_and_tier_must_be_known_and_offered(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let ix = order(&world, &skill, Kind::OneTime);
    for code in [0, 4, 255] {
        refused(world.send(&with_data(&ix, 0, &[code]), &[&buyer()]), UnknownKind);
    }
    for code in [3, 255] {
        refused(world.send(&with_data(&ix, 1, &[code]), &[&buyer()]), UnknownTier);
    }
    let terms = world.terms(currency, Kind::OneTime, PRICE);
    world.send(&update_skill(&key(&seller()), &skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
    for kind in [Kind::Subscription, Kind::Usage] {
        refused(world.purchase(&skill, kind), KindNotOffered);
    }
}

pub fn a_seller_cannot_change_the_terms_in_flight(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let agreed = order(&world, &skill, Kind::OneTime);
    let genuine = world.skill(&skill).terms(&NO_KEY);
    let changes: [fn(&mut Terms); 4] = [
        |terms| terms.price_once += 1,
        |terms| terms.payout = key(&attacker()),
        |terms| terms.tier_bps[2] += 1,
        |terms| terms.meter = key(&attacker()),
    ];
    for change in changes {
        let mut terms = genuine;
        change(&mut terms);
        let set = |terms| update_skill(&key(&seller()), &skill, &[0; 32], terms);
        world.send(&set(&terms), &[&seller()]).expect("updating works");
        let route = world.route(&skill);
        let in_flight = with(&agreed, "payout", route.account_of(&route.payout));
        refused(world.send(&in_flight, &[&buyer()]), TermsChanged);
        world.send(&set(&genuine), &[&seller()]).expect("updating works");
    }
    // Config's meter is part of what was agreed to, too.
    world.change_config(|config| config.meter = key(&attacker()));
    refused(world.send(&agreed, &[&buyer()]), TermsChanged);
    world.change_config(|config| config.meter = key(&meter()));
    world.send(&agreed, &[&buyer()]).expect("the terms are again those agreed to");
}

pub fn the_highest_price_binds(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let mut args = world.order(&skill, Kind::OneTime, Tier::Commercial);
    args.max_price = 2 * PRICE - 1;
    let route = world.route(&skill);
    refused(world.send(&purchase(&key(&buyer()), &route, &args), &[&buyer()]), PriceAboveMax);
    args.max_price += 1;
    world.send(&purchase(&key(&buyer()), &route, &args), &[&buyer()]).expect("the price is not above");
}

pub fn a_licence_in_force_is_not_sold_again(currency: Currency) {
    for first in Kind::ALL {
        let (mut world, skill) = listed(currency);
        world.purchase(&skill, *first).expect("the purchase works");
        for second in Kind::ALL {
            refused(world.purchase(&skill, *second), LicenceActive);
        }
    }
}

pub fn an_ended_one_is_and_keeps_its_history(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.purchase(&skill, Kind::Subscription).expect("the purchase works");
    world.record(&skill, 5).expect("recording works");
    let before = world.licence(&skill);
    world.set_time(before.expires_at() - 1);
    refused(world.purchase(&skill, Kind::Subscription), LicenceActive);
    world.pass(1);
    // Another kind waits until the usage of the old one had its time to be recorded.
    refused(world.purchase(&skill, Kind::Usage), KindChangeTooEarly);
    world.purchase(&skill, Kind::Subscription).expect("the same kind can follow at once");
    let second = world.licence(&skill);
    assert_eq!((second.purchases(), second.starts_at()), (2, world.now()));
    world.set_time(second.expires_at() + 599);
    refused(world.purchase(&skill, Kind::OneTime), KindChangeTooEarly);
    world.pass(1);
    world.purchase(&skill, Kind::Usage).expect("the delay has passed");

    let after = world.licence(&skill);
    assert_eq!((after.kind, after.unit_price(), after.expires_at()), (Kind::Usage as u8, UNIT_PRICE, 0));
    assert_eq!((after.usage_seq(), after.usage_total(), after.chain_root), (1, 5, before.chain_root));
    assert_eq!((after.purchases(), after.created_slot()), (3, before.created_slot()));
    assert_eq!((world.skill(&skill).open_licences(), world.skill(&skill).sales()), (1, 3));
}

pub fn a_kind_changes_only_after_a_pause_of_recording(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.purchase(&skill, Kind::Subscription).expect("the purchase works");
    world.set_time(world.licence(&skill).expires_at() - 1);
    world.send(&pause(&key(&guardian()), PauseBits::USAGE), &[&guardian()]).expect("pausing works");
    world.pass(500);
    world.send(&unpause(&key(&authority()), PauseBits::USAGE), &[&authority()]).expect("resuming works");
    world.pass(599);
    refused(world.purchase(&skill, Kind::Usage), KindChangeTooEarly);
    world.record(&skill, 5).expect("what was served before can still be recorded, without a price");
    world.pass(1);
    world.purchase(&skill, Kind::Usage).expect("the delay has passed");
    assert_eq!(world.licence(&skill).unbilled(), 0);
}

pub fn the_meter_of_an_earlier_kind_charges_nothing(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.purchase(&skill, Kind::Subscription).expect("the purchase works");
    world.set_time(world.licence(&skill).expires_at() + 600);
    let terms = Terms { meter: key(&attacker()), ..world.skill(&skill).terms(&NO_KEY) };
    world.send(&update_skill(&key(&seller()), &skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
    world.purchase(&skill, Kind::Usage).expect("what the old kind used has been recorded");
    refused(world.record(&skill, 1), NotMeter);
}

pub fn a_repurchase_does_not_cut_off_what_was_served(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.purchase(&skill, Kind::Subscription).expect("the purchase works");
    world.set_time(world.licence(&skill).expires_at());
    let terms = Terms { meter: key(&attacker()), ..world.skill(&skill).terms(&NO_KEY) };
    world.send(&update_skill(&key(&seller()), &skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
    let mut args = world.order(&skill, Kind::Subscription, Tier::Personal);
    args.caps.usage_limit = 1;
    let ix = purchase(&key(&buyer()), &world.route(&skill), &args);
    world.send(&ix, &[&buyer()]).expect("the purchase works");

    let licence = world.licence(&skill);
    assert_eq!((licence.usage_limit(), licence.next_usage_limit()), (0, 1), "stricter caps wait");
    assert_eq!(licence.caps_eta(), world.now() + 600);
    assert_eq!((licence.meter, licence.previous_meter), (key(&attacker()), key(&meter())));
    world.record(&skill, 5).expect("the old meter records what it served under the old caps");
    world.pass(600);
    refused(world.record(&skill, 1), NotMeter);
}

pub fn no_purchase_while_an_exit_or_a_debt_is_pending(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.purchase(&skill, Kind::Subscription).expect("the purchase works");
    world.set_time(world.licence(&skill).expires_at());
    world.change_licence(&skill, |licence| licence.unbilled.set(1));
    refused(world.purchase(&skill, Kind::Subscription), LicenceUnpaid);
    world.change_licence(&skill, |licence| licence.unbilled.set(0));
    let exit = request_exit(&key(&buyer()), &skill, ExitKind::Close);
    world.send(&exit, &[&buyer()]).expect("asking works");
    refused(world.purchase(&skill, Kind::Subscription), LicenceClosing);
}

pub fn a_refunded_licence_can_be_bought_again(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.purchase(&skill, Kind::OneTime).expect("the purchase works");
    world.change_licence(&skill, |licence| licence.status = 3);
    world.purchase(&skill, Kind::OneTime).expect("the purchase works");
    assert_eq!((world.licence(&skill).status, world.licence(&skill).purchases()), (1, 2));
}

pub fn the_money_goes_to_the_right_accounts_only(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let ix = order(&world, &skill, Kind::OneTime);
    let route = world.route(&skill);
    let mine = route.account_of(&key(&attacker()));
    refused(world.send(&with(&ix, "payout", mine), &[&buyer()]), WrongPayout);
    refused(world.send(&with(&ix, "treasury", mine), &[&buyer()]), WrongTreasury);
    // The two swapped, and one named twice.
    let payout = route.account_of(&route.payout);
    refused(world.send(&with(&ix, "treasury", payout), &[&buyer()]), WrongTreasury);
    refused(world.send(&with(&ix, "payout", route.account_of(&route.treasury)), &[&buyer()]), WrongPayout);
}

pub fn a_treasury_that_sells_gets_both_parts(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let terms = Terms { payout: key(&treasury()), ..world.skill(&skill).terms(&NO_KEY) };
    world.send(&update_skill(&key(&seller()), &skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
    let before = money(&world, currency, &key(&treasury()));
    world.purchase(&skill, Kind::OneTime).expect("the purchase works");
    assert_eq!(money(&world, currency, &key(&treasury())) - before, PRICE);
}

pub fn a_foreign_licence_is_never_touched(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.purchase(&skill, Kind::OneTime).expect("the purchase works");
    let victims = pda::licence(&skill, &key(&buyer())).0;
    let before = world.licence(&skill);
    let args = world.order(&skill, Kind::Usage, Tier::Personal);
    let ix = with(&purchase(&key(&attacker()), &world.route(&skill), &args), "licence", victims);
    refused(world.send(&ix, &[&attacker()]), solana_instruction::error::InstructionError::InvalidSeeds);
    assert_eq!(world.licence(&skill), before);
}

pub fn lamports_sent_ahead_do_not_block_it(currency: Currency) {
    for lamports in [1_000_000, 20_000_000] {
        let (mut world, skill) = listed(currency);
        world.svm.airdrop(&pda::licence(&skill, &key(&buyer())).0.into(), lamports).expect("an airdrop works");
        world.purchase(&skill, Kind::OneTime).expect("the purchase works");
        assert_eq!(world.licence(&skill).buyer, key(&buyer()));
    }
}

pub fn counters_never_wrap(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.change_skill(&skill, |skill| skill.open_licences.set(u32::MAX));
    refused(world.purchase(&skill, Kind::OneTime), MathOverflow);
    world.change_skill(&skill, |skill| {
        skill.open_licences.set(0);
        skill.sales.set(i64::MAX as u64);
    });
    refused(world.purchase(&skill, Kind::OneTime), MathOverflow);
    world.change_skill(&skill, |skill| {
        skill.sales.set(0);
        skill.gross.set(i64::MAX as u64 - PRICE + 1);
    });
    refused(world.purchase(&skill, Kind::OneTime), MathOverflow);
    world.change_skill(&skill, |skill| skill.gross.set(i64::MAX as u64 - PRICE));
    world.purchase(&skill, Kind::Subscription).expect("the boundary itself is allowed");
    assert_eq!(world.skill(&skill).gross(), i64::MAX as u64);

    world.change_skill(&skill, |skill| skill.gross.set(0));
    world.set_time(world.licence(&skill).expires_at());
    world.change_licence(&skill, |licence| licence.purchases.set(u32::MAX));
    refused(world.purchase(&skill, Kind::Subscription), MathOverflow);
    world.set_time(i64::MAX - 86_399);
    world.change_licence(&skill, |licence| licence.purchases.set(1));
    refused(world.purchase(&skill, Kind::Subscription), MathOverflow);
}

pub fn a_licence_always_has_a_meter(currency: Currency) {
    let (mut world, skill) = listed(currency);
    world.change_config(|config| config.meter = NO_KEY);
    refused(world.purchase(&skill, Kind::OneTime), KeyMissing);
}

pub fn it_refuses_newer_layouts(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let ix = order(&world, &skill, Kind::OneTime);
    for (address, at) in [(pda::config().0, CONFIG_VERSION_AT), (skill, SKILL_VERSION_AT)] {
        world.poke(&address, at, 2);
        refused(world.send(&ix, &[&buyer()]), VersionUnsupported);
        world.poke(&address, at, 1);
    }
    world.send(&ix, &[&buyer()]).expect("the purchase works");
    world.poke(&pda::licence(&skill, &key(&buyer())).0, LICENCE_VERSION_AT, 2);
    refused(world.send(&ix, &[&buyer()]), VersionUnsupported);
}

pub fn no_account_can_be_forged(currency: Currency) {
    let (mut world, skill) = listed(currency);
    let ix = order(&world, &skill, Kind::OneTime);
    refuses_forgeries(&mut world, &ix, &buyer());
}
