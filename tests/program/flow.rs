//! The whole way of a licence in both currencies: what moves, to the base unit, and what comes back.

use clawos_interface::events::Event;
use clawos_interface::instruction::{execute_exit, request_exit};
use clawos_interface::rules::usage::{first_root, next_root};
use clawos_interface::rules::validity::Reason;
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, ProgramError, pda, sha256};

use crate::harness::{Refusal, World};
use crate::people::*;
use crate::verify_access::ask;

#[test]
fn a_one_time_licence_in_sol_splits_the_price_exactly() {
    let mut world = World::new();
    let price = 123_456_789;
    let skill = world.register("acme.once", &world.terms(Currency::Sol, Kind::OneTime, price));
    assert_eq!(ask(&mut world, &skill).reason, Reason::Missing);

    let (buyer, payout, treasury) = (key(&buyer()), key(&payout()), key(&treasury()));
    let before = [buyer, payout, treasury].map(|wallet| world.lamports(&wallet));
    let tx = world.purchase(&skill, Kind::OneTime).expect("the purchase works");
    let after = [buyer, payout, treasury].map(|wallet| world.lamports(&wallet));

    let fee = 3_086_419; // floor(123,456,789 × 2.5 %)
    assert_eq!(after[1] - before[1], price - fee);
    assert_eq!(after[2] - before[2], fee);
    let rent = world.lamports(&pda::licence(&skill, &buyer).0);
    assert_eq!(before[0] - after[0], price + rent + 5_000, "price, rent and the network's fee, nothing else");
    assert!(matches!(tx.events[..], [Event::LicencePurchased(event)] if event.amount() == price && event.fee() == fee));

    let answer = ask(&mut world, &skill);
    assert!(answer.valid && answer.expires_at == 0 && answer.units_left == u64::MAX);
    assert_eq!(world.purchase(&skill, Kind::OneTime).unwrap_err(), Refusal::Program(ProgramError::LicenceActive));
    assert_eq!(
        (world.skill(&skill).sales(), world.skill(&skill).gross(), world.skill(&skill).open_licences()),
        (1, price, 1)
    );
}

#[test]
fn usage_in_usdc_is_prepaid_recorded_billed_and_closed() {
    usage_round_trip(Currency::Usdc);
}

#[test]
fn usage_in_sol_is_prepaid_recorded_billed_and_closed() {
    usage_round_trip(Currency::Sol);
}

fn usage_round_trip(currency: Currency) {
    let mut world = World::new();
    let unit_price = 333;
    let skill = world.register("acme.usage", &world.terms(currency, Kind::Usage, unit_price));
    world.purchase(&skill, Kind::Usage).expect("opening a usage licence works");
    let licence_key = world.route(&skill).licence(&key(&buyer()));
    let held = |world: &World, owner: &Key| match currency {
        Currency::Sol => world.lamports(owner),
        Currency::Usdc => world.usdc(owner),
    };
    let start = [payout(), treasury()].map(|pair| held(&world, &key(&pair)));

    world.deposit(&skill, 1_000_000).expect("the deposit works");
    assert_eq!(ask(&mut world, &skill).units_left, 1_000_000 / unit_price);

    // Three batches; the fee is the floor of the running total.
    let mut root = first_root(sha256, &licence_key, world.licence(&skill).created_slot());
    for units in [1, 1_000, 1_999] {
        world.record(&skill, units).expect("recording works");
        root = next_root(sha256, &root, &[units as u8; 32]);
        assert_eq!(world.licence(&skill).chain_root, root);
    }
    let billed = 3_000 * unit_price;
    let fee = billed * 250 / 10_000;
    assert_eq!(held(&world, &key(&payout())) - start[0], billed - fee);
    assert_eq!(held(&world, &key(&treasury())) - start[1], fee);
    assert_eq!(world.licence(&skill).credit(), 1_000_000 - billed);

    // More than the credit: all of it goes, the rest suspends; a deposit pays it and lifts that.
    world.record(&skill, 10).expect("recording beyond the credit works");
    let licence = world.licence(&skill);
    assert_eq!(
        (licence.credit(), licence.unbilled(), licence.status),
        (0, 10 * unit_price - 1_000, LicenceStatus::Suspended as u8)
    );
    assert_eq!(ask(&mut world, &skill).reason, Reason::Suspended);
    world.deposit(&skill, 50_000).expect("a deposit to a suspended licence works");
    let licence = world.licence(&skill);
    assert_eq!((licence.unbilled(), licence.status), (0, LicenceStatus::Active as u8));
    let left = 50_000 - (10 * unit_price - 1_000);
    assert_eq!(licence.credit(), left);
    leave(&mut world, &skill, currency, left);
}

/// Out: frozen at once, executed after the delay, everything back, the account gone.
fn leave(world: &mut World, skill: &Key, currency: Currency, left: u64) {
    let buyer = buyer();
    let route = world.route(skill);
    let licence_key = route.licence(&key(&buyer));
    let before = world.usdc(&key(&buyer));
    let rent_before = world.lamports(&key(&buyer));
    let locked = world.lamports(&licence_key) + world.lamports(&pda::credit_vault(&licence_key, &world.mint).0);
    world.send(&request_exit(&key(&buyer), skill, ExitKind::Close), &[&buyer]).expect("asking for the exit works");
    assert_eq!(ask(world, skill).reason, Reason::Closing);
    let exit = execute_exit(&key(&buyer), &route, world.licence(skill).vault_bump() != 0);
    world.pass(599);
    assert_eq!(world.send(&exit, &[&buyer]).unwrap_err(), Refusal::Program(ProgramError::ExitNotReady));
    world.pass(1);
    world.send(&exit, &[&buyer]).expect("the exit works");
    assert_eq!(ask(world, skill).reason, Reason::Missing);
    assert_eq!(world.skill(skill).open_licences(), 0);
    // Two transactions and a refused one, 5,000 lamports each.
    assert_eq!(world.lamports(&key(&buyer)), rent_before + locked - 15_000);
    if currency == Currency::Usdc {
        assert_eq!(world.usdc(&key(&buyer)), before + left);
        assert_eq!(world.lamports(&pda::credit_vault(&licence_key, &world.mint).0), 0);
    }
}

#[test]
fn a_subscription_ends_and_is_renewed_from_its_end() {
    let mut world = World::new();
    let skill = world.register("acme.sub", &world.terms(Currency::Usdc, Kind::Subscription, 5_000_000));
    world.purchase(&skill, Kind::Subscription).expect("subscribing works");
    let end = world.licence(&skill).expires_at();
    assert_eq!(end, world.now() + 30 * 86_400);

    let buyer = buyer();
    let paid = world.usdc(&key(&payout()));
    let renew =
        clawos_interface::instruction::renew(&key(&buyer), &world.route(&skill), 5_000_000, &world.terms_hash(&skill));
    world.send(&renew, &[&buyer]).expect("renewing works");
    assert_eq!(world.licence(&skill).expires_at(), end + 30 * 86_400);
    assert_eq!(world.usdc(&key(&payout())) - paid, 4_875_000);

    world.set_time(end + 30 * 86_400 - 1);
    assert!(ask(&mut world, &skill).valid);
    world.pass(1);
    assert_eq!(ask(&mut world, &skill).reason, Reason::Expired);
    world.pass(100);
    world.send(&renew, &[&buyer]).expect("renewing late works");
    assert_eq!(world.licence(&skill).expires_at(), world.now() + 30 * 86_400);
}
