//! The charge of `record_usage`: what credit covers is paid at once, the rest suspends, and nothing else is ever touched.

use clawos_interface::ProgramError::*;
use clawos_interface::events::Event;
use clawos_interface::instruction::{Instruction, record_usage, update_skill};
use clawos_interface::known::PROGRAM_ID;
use clawos_interface::rules::fee::fee_of;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Key, Kind, LicenceStatus, NO_KEY, SuspendReason, pda};
use solana_instruction::error::InstructionError;

use crate::attack::{CLOCK, anywhere, position, read_only, with};
use crate::deposit_credit::opened;
use crate::forge::SKILL_VERSION_AT;
use crate::harness::{World, refused};
use crate::people::*;
use crate::sale::money;

/// Price of a unit in [`opened`].
const UNIT: u64 = 10_000_000;

fn batch(world: &World, skill: &Key, units: u64) -> Instruction {
    let has_vault = world.licence(skill).vault_bump() != 0;
    let args = world.batch(skill, units);
    record_usage(&key(&meter()), &world.route(skill), &key(&buyer()), has_vault, &args)
}

/// A world with an empty usage licence at another price per unit.
fn priced(currency: Currency, price: u64) -> (World, Key) {
    let (mut world, skill) = opened(currency);
    world.change_licence(&skill, |licence| licence.unit_price.set(price));
    (world, skill)
}

#[test]
fn credit_pays_both_at_once() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.deposit(&skill, 10 * UNIT).expect("the deposit works");
        let licence_key = pda::licence(&skill, &key(&buyer())).0;
        let wallets = [licence_key, key(&payout()), key(&treasury())];
        let before = wallets.map(|wallet| money(&world, *currency, &wallet));
        let tx = world.record(&skill, 3).expect("recording works");
        let after = wallets.map(|wallet| money(&world, *currency, &wallet));
        let (paid, fee) = (3 * UNIT, 3 * UNIT / 40);
        assert_eq!([before[0] - after[0], after[1] - before[1], after[2] - before[2]], [paid, paid - fee, fee]);

        let licence = world.licence(&skill);
        assert_eq!((licence.credit(), licence.unbilled(), licence.billed_total()), (7 * UNIT, 0, paid));
        assert_eq!((licence.status, licence.suspended_reason), (LicenceStatus::Active as u8, 0));
        assert_eq!((world.skill(&skill).gross(), world.skill(&skill).sales()), (paid, 1));
        let [Event::UsageRecorded(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
        assert_eq!((event.billed(), event.fee()), (paid, fee));
        assert_eq!((event.licence, event.credit(), event.unbilled()), (licence_key, 7 * UNIT, 0));
    }
}

#[test]
fn what_credit_does_not_cover_suspends() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.deposit(&skill, 2 * UNIT + 1).expect("the deposit works");
        world.record(&skill, 3).expect("recording works");
        let licence = world.licence(&skill);
        assert_eq!((licence.credit(), licence.unbilled(), licence.billed_total()), (0, UNIT - 1, 2 * UNIT + 1));
        assert_eq!(licence.status, LicenceStatus::Suspended as u8);
        assert_eq!(licence.suspended_reason, SuspendReason::Unpaid as u8);
    }
}

#[test]
fn slicing_does_not_avoid_the_fee() {
    for currency in Currency::ALL {
        let (mut world, skill) = priced(*currency, 39);
        assert_eq!(fee_of(39, 250), 0, "one unit alone would be free of fee");
        world.deposit(&skill, 100_000).expect("the deposit works");
        let before = money(&world, *currency, &key(&treasury()));
        for n in 1..=50 {
            world.record(&skill, 1).expect("recording works");
            assert_eq!(money(&world, *currency, &key(&treasury())) - before, n * 39 * 250 / 10_000);
        }
    }
}

#[test]
fn a_changed_fee_counts_from_the_next_charge() {
    let (mut world, skill) = opened(Currency::Usdc);
    world.deposit(&skill, 2 * UNIT).expect("the deposit works");
    world.record(&skill, 1).expect("recording works");
    world.change_config(|config| config.fee_bps.set(0));
    world.record(&skill, 1).expect("recording works");
    assert_eq!(world.usdc(&key(&treasury())), UNIT / 40);
}

#[test]
fn a_recipient_that_cannot_receive_suspends_but_never_fails_the_batch() {
    for currency in Currency::ALL {
        for person in [payout(), treasury()] {
            let (mut world, skill) = opened(*currency);
            world.deposit(&skill, 5 * UNIT).expect("the deposit works");
            match currency {
                Currency::Sol => world.remove(&key(&person)),
                Currency::Usdc => world.freeze(&key(&person)),
            }
            // The fee on one unit is below the rent minimum, and so is what the seller gets of a fraction of one.
            world.change_licence(&skill, |licence| licence.unit_price.set(UNIT / 100));
            let before = [payout(), treasury()].map(|person| money(&world, *currency, &key(&person)));
            world.record(&skill, 1).expect("recording works");
            let licence = world.licence(&skill);
            assert_eq!((licence.credit(), licence.unbilled(), licence.billed_total()), (5 * UNIT, UNIT / 100, 0));
            assert_eq!(licence.status, LicenceStatus::Suspended as u8);
            assert_eq!(licence.suspended_reason, SuspendReason::Recipient as u8);
            let after = [payout(), treasury()].map(|person| money(&world, *currency, &key(&person)));
            assert_eq!(after, before, "neither part moves alone");
        }
    }
}

#[test]
fn a_recipient_that_can_receive_again_is_paid_by_the_next_batch() {
    let (mut world, skill) = opened(Currency::Usdc);
    world.deposit(&skill, 5 * UNIT).expect("the deposit works");
    world.close_ata(&treasury());
    world.record(&skill, 1).expect("recording works");
    world.make_ata(&key(&treasury()));
    world.record(&skill, 1).expect("recording works");
    let licence = world.licence(&skill);
    assert_eq!((licence.credit(), licence.unbilled(), licence.status), (3 * UNIT, 0, LicenceStatus::Active as u8));
    assert_eq!(world.usdc(&key(&treasury())), 2 * UNIT / 40);
}

#[test]
fn one_licence_never_fails_another_in_a_transaction() {
    let (mut world, poor) = opened(Currency::Sol);
    let terms = world.terms(Currency::Sol, Kind::Usage, UNIT);
    let rich = world.register("acme.rich", &terms);
    world.purchase(&rich, Kind::Usage).expect("opening works");
    world.deposit(&rich, 5 * UNIT).expect("the deposit works");
    let batches = [batch(&world, &poor, 1), batch(&world, &rich, 1)];
    world.send_all(&batches, &[&meter()]).expect("both are recorded");
    assert_eq!(world.licence(&poor).unbilled(), UNIT);
    assert_eq!(world.licence(&rich).billed_total(), UNIT);
}

#[test]
fn the_money_goes_to_the_right_accounts_only() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.deposit(&skill, 5 * UNIT).expect("the deposit works");
        let route = world.route(&skill);
        let licence = pda::licence(&skill, &key(&buyer())).0;
        let mine = route.account_of(&key(&attacker()));
        let mut wrong = vec![("payout", mine), ("treasury", mine), ("treasury", route.account_of(&route.payout))];
        if *currency == Currency::Usdc {
            // The right owner's, but in a mint that anybody makes.
            wrong.push(("payout", world.make_toy_account(151, &key(&payout()))));
            wrong.push(("treasury", world.make_toy_account(152, &key(&treasury()))));
        }
        let places = [licence, key(&payout()), key(&treasury())];
        for (done, (name, address)) in (1..).zip(wrong) {
            let before = places.map(|place| money(&world, *currency, &place));
            let others = (world.lamports(&address), world.tokens(&address));
            let ix = with(&batch(&world, &skill, 1), name, address);
            // The payout or the treasury may have changed since the meter looked: that never fails a batch.
            world.send(&ix, &[&attacker(), &meter()]).expect("the batch is recorded");
            assert_eq!(places.map(|place| money(&world, *currency, &place)), before, "nothing moves: {name}");
            if *currency == Currency::Usdc || address != mine {
                assert_eq!((world.lamports(&address), world.tokens(&address)), others, "{name}");
            }
            let account = world.licence(&skill);
            assert_eq!((account.credit(), account.unbilled(), account.billed_total()), (5 * UNIT, done * UNIT, 0));
            assert_eq!(account.status, LicenceStatus::Active as u8, "it is not the buyer's doing");
        }
    }
}

#[test]
fn what_changed_while_a_batch_was_under_way_never_fails_it() {
    for currency in Currency::ALL {
        // The payout moves.
        let (mut world, skill) = opened(*currency);
        world.deposit(&skill, 5 * UNIT).expect("the deposit works");
        let under_way = batch(&world, &skill, 1);
        let terms = Terms { payout: key(&seller()), ..world.skill(&skill).terms(&NO_KEY) };
        world.send(&update_skill(&key(&seller()), &skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
        world.make_ata(&key(&seller()));
        world.send(&under_way, &[&meter()]).expect("the batch is recorded");
        assert_eq!((world.licence(&skill).unbilled(), world.licence(&skill).status), (UNIT, 1));
        let before = money(&world, *currency, &key(&seller()));
        world.record(&skill, 1).expect("recording works");
        assert_eq!(world.licence(&skill).unbilled(), 0, "the next batch pays");
        assert_eq!(money(&world, *currency, &key(&seller())) - before, 2 * UNIT - 2 * UNIT / 40);
    }
    // The first deposit makes the vault.
    let (mut world, skill) = opened(Currency::Usdc);
    let under_way = batch(&world, &skill, 1);
    world.deposit(&skill, 5 * UNIT).expect("the deposit works");
    world.send(&under_way, &[&meter()]).expect("the batch is recorded");
    assert_eq!((world.licence(&skill).unbilled(), world.licence(&skill).credit()), (UNIT, 5 * UNIT));
    world.record(&skill, 1).expect("recording works");
    assert_eq!((world.licence(&skill).unbilled(), world.licence(&skill).credit()), (0, 3 * UNIT));
}

#[test]
fn a_payout_that_is_another_account_of_the_instruction_never_fails_it() {
    for currency in Currency::ALL {
        for alias in ["licence", "skill", "meter"] {
            let (mut world, skill) = opened(*currency);
            world.deposit(&skill, 5 * UNIT).expect("the deposit works");
            let ix = batch(&world, &skill, 1);
            let payout = ix.accounts[position(&ix, alias)].key;
            world.make_ata(&payout);
            world.change_skill(&skill, |skill| skill.payout = payout);
            let licence = pda::licence(&skill, &key(&buyer())).0;
            let places = [skill, licence, key(&treasury()), key(&meter())];
            let sum = |world: &World| places.iter().map(|place| money(world, *currency, place)).sum::<u64>();
            let before = sum(&world);
            world.send(&batch(&world, &skill, 1), &[&attacker(), &meter()]).expect("recording works");
            assert_eq!(sum(&world), before, "the money moved among these four");
            assert_eq!((world.licence(&skill).credit(), world.licence(&skill).unbilled()), (4 * UNIT, 0));
        }
    }
}

#[test]
fn a_recipient_that_the_runtime_makes_read_only_cannot_receive() {
    for payout in [CLOCK, PROGRAM_ID] {
        let (mut world, skill) = opened(Currency::Sol);
        world.deposit(&skill, 5 * UNIT).expect("the deposit works");
        world.change_skill(&skill, |skill| skill.payout = payout);
        world.record(&skill, 1).expect("recording works");
        let licence = world.licence(&skill);
        assert_eq!((licence.unbilled(), licence.suspended_reason), (UNIT, SuspendReason::Recipient as u8));
    }
    for currency in Currency::ALL {
        for name in ["payout", "treasury"] {
            let (mut world, skill) = opened(*currency);
            world.deposit(&skill, 5 * UNIT).expect("the deposit works");
            let ix = read_only(&batch(&world, &skill, 1), name);
            world.send(&ix, &[&meter()]).expect("recording works");
            let licence = world.licence(&skill);
            assert_eq!((licence.unbilled(), licence.suspended_reason), (UNIT, SuspendReason::Recipient as u8));
        }
    }
}

#[test]
fn the_vault_is_the_licences_own() {
    let (mut world, skill) = opened(Currency::Usdc);
    world.deposit(&skill, 5 * UNIT).expect("the deposit works");
    let ix = batch(&world, &skill, 1);
    // Another licence's vault, and a second token account of the same licence.
    let terms = world.terms(Currency::Usdc, Kind::Usage, UNIT);
    let other = world.register("acme.other", &terms);
    world.purchase(&other, Kind::Usage).expect("opening works");
    world.deposit(&other, 5 * UNIT).expect("the deposit works");
    let others = world.ata(&pda::licence(&other, &key(&buyer())).0);
    refused(world.send(&with(&ix, "vault", others), &[&meter()]), WrongVault);
    let (mint, licence) = (world.mint, pda::licence(&skill, &key(&buyer())).0);
    world.make_token_account(&anywhere(), &licence, &mint, 5 * UNIT);
    refused(world.send(&with(&ix, "vault", anywhere()), &[&meter()]), WrongVault);
    let wrong = with(&ix, "token_program", clawos_interface::known::ASSOCIATED_TOKEN_PROGRAM);
    refused(world.send(&wrong, &[&meter()]), InstructionError::IncorrectProgramId);
}

#[test]
fn a_frozen_vault_suspends() {
    let (mut world, skill) = opened(Currency::Usdc);
    world.deposit(&skill, 5 * UNIT).expect("the deposit works");
    world.freeze(&pda::licence(&skill, &key(&buyer())).0);
    world.record(&skill, 1).expect("recording works");
    let licence = world.licence(&skill);
    assert_eq!((licence.unbilled(), licence.suspended_reason), (UNIT, SuspendReason::Recipient as u8));
}

#[test]
fn costs_end_at_63_bits() {
    let max = i64::MAX as u64;
    for price in [1, 2, 333, UNIT, max] {
        let (mut world, skill) = priced(Currency::Sol, price);
        refused(world.record(&skill, max / price + 1), MathOverflow);
        world.record(&skill, max / price).expect("the boundary itself is allowed");
        assert_eq!(world.licence(&skill).unbilled(), max / price * price);
        world.change_licence(&skill, |licence| {
            licence.unbilled.set(max - price + 1);
            licence.day_units.set(0);
            licence.usage_total.set(0);
        });
        refused(world.record(&skill, 1), MathOverflow);
    }
    let (mut world, skill) = opened(Currency::Sol);
    world.deposit(&skill, UNIT).expect("the deposit works");
    world.change_licence(&skill, |licence| licence.billed_total.set(max - UNIT + 1));
    refused(world.record(&skill, 1), MathOverflow);
    world.change_licence(&skill, |licence| licence.billed_total.set(max - UNIT));
    world.record(&skill, 1).expect("the boundary itself is allowed");
    assert_eq!(world.licence(&skill).billed_total(), max);
}

#[test]
fn the_sellers_gross_stops_at_63_bits_without_stopping_usage() {
    let (mut world, skill) = opened(Currency::Sol);
    world.deposit(&skill, 5 * UNIT).expect("the deposit works");
    world.change_skill(&skill, |skill| skill.gross.set(i64::MAX as u64 - 1));
    world.record(&skill, 1).expect("recording works");
    assert_eq!(world.skill(&skill).gross(), i64::MAX as u64);
}

#[test]
fn a_refunded_licence_pays_what_it_used_and_stays_refunded() {
    let (mut world, skill) = opened(Currency::Sol);
    world.deposit(&skill, UNIT).expect("the deposit works");
    world.change_licence(&skill, |licence| licence.status = LicenceStatus::Refunded as u8);
    world.record(&skill, 1).expect("recording works");
    let licence = world.licence(&skill);
    assert_eq!((licence.status, licence.billed_total()), (LicenceStatus::Refunded as u8, UNIT));
}

#[test]
fn damaged_codes_and_newer_layouts_are_refused() {
    let (mut world, skill) = opened(Currency::Sol);
    world.change_licence(&skill, |licence| licence.currency = 2);
    refused(world.record(&skill, 1), UnknownCurrency);
    world.change_licence(&skill, |licence| licence.currency = 0);
    let ix = batch(&world, &skill, 1);
    world.poke(&skill, SKILL_VERSION_AT, 2);
    refused(world.send(&ix, &[&meter()]), VersionUnsupported);
}
