//! `deposit_credit`: prepaying usage, and getting out of a debt.

use clawos_interface::ProgramError::*;
use clawos_interface::codes::PauseBits;
use clawos_interface::events::Event;
use clawos_interface::instruction::{self, Instruction, pause, request_exit};
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, SuspendReason, pda};
use solana_instruction::error::InstructionError;

use crate::attack::{anywhere, refuses_forgeries, with, without};
use crate::forge::{CONFIG_VERSION_AT, LICENCE_VERSION_AT, SKILL_VERSION_AT};
use crate::harness::{Refusal, Tx, World, refused};
use crate::people::*;
use crate::sale::money;

/// Price of a unit, so that a batch pays more than the rent minimum of an empty wallet.
const UNIT: u64 = 10_000_000;

/// A world in which the buyer has an empty usage licence.
pub fn opened(currency: Currency) -> (World, Key) {
    let mut world = World::new();
    let terms = world.terms(currency, Kind::Usage, UNIT);
    let skill = world.register("acme.usage", &terms);
    world.purchase(&skill, Kind::Usage).expect("opening works");
    if currency == Currency::Usdc {
        let licence = world.route(&skill).licence(&key(&buyer()));
        world.make_ata(&licence);
    }
    (world, skill)
}

fn instruction(world: &World, skill: &Key, amount: u64) -> Instruction {
    instruction::deposit_credit(&key(&buyer()), &world.route(skill), amount)
}

fn deposit(world: &mut World, skill: &Key, amount: u64) -> Result<Tx, Refusal> {
    let ix = instruction(world, skill, amount);
    world.send(&ix, &[&attacker(), &buyer()])
}

/// Where the credit of the buyer's licence is kept.
fn kept(world: &World, currency: Currency, skill: &Key) -> u64 {
    let licence = pda::licence(skill, &key(&buyer())).0;
    money(world, currency, &licence)
}

#[test]
fn it_moves_the_amount_into_the_licence() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        let wallets = [buyer(), payout(), treasury()].map(|person| key(&person));
        let before = wallets.map(|wallet| money(&world, *currency, &wallet));
        let (kept_before, mut expected) = (kept(&world, *currency, &skill), world.licence(&skill));
        let skill_before = world.skill(&skill);
        for (amount, credit) in [(1, 1), (123_456, 123_457)] {
            let tx = deposit(&mut world, &skill, amount).expect("the deposit works");
            expected.credit.set(credit);
            if *currency == Currency::Usdc {
                expected.vault_bump = pda::credit_vault(&pda::licence(&skill, &wallets[0]).0, &world.mint).1;
            }
            assert_eq!(world.licence(&skill), expected, "nothing else changes");
            let [Event::CreditDeposited(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
            assert_eq!((event.amount(), event.credit()), (amount, credit));
            assert_eq!(event.licence, pda::licence(&skill, &wallets[0]).0);
        }
        let after = wallets.map(|wallet| money(&world, *currency, &wallet));
        assert_eq!((before[0] - after[0], kept(&world, *currency, &skill) - kept_before), (123_457, 123_457));
        assert_eq!(after[1..], before[1..], "no fee on a deposit");
        assert_eq!(world.skill(&skill), skill_before);
    }
}

#[test]
fn it_pays_the_debt_first_and_lifts_the_suspension() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.record(&skill, 3).expect("recording works");
        let wallets = [payout(), treasury()].map(|person| key(&person));
        let before = wallets.map(|wallet| money(&world, *currency, &wallet));

        let tx = deposit(&mut world, &skill, UNIT).expect("the deposit works");
        let licence = world.licence(&skill);
        assert_eq!((licence.credit(), licence.unbilled(), licence.billed_total()), (0, 2 * UNIT, UNIT));
        assert_eq!(licence.status, LicenceStatus::Suspended as u8, "part of a debt is not enough");
        assert_eq!(licence.suspended_reason, SuspendReason::Unpaid as u8);
        let [Event::CreditDeposited(paid_in), Event::UsageBilled(billed)] = tx.events[..] else {
            panic!("two events: {:?}", tx.events)
        };
        assert_eq!((paid_in.credit(), billed.amount(), billed.fee()), (UNIT, UNIT, UNIT / 40));
        assert_eq!((billed.licence, billed.currency), (paid_in.licence, *currency as u8));

        deposit(&mut world, &skill, 2 * UNIT + 5).expect("the deposit works");
        let licence = world.licence(&skill);
        assert_eq!((licence.credit(), licence.unbilled(), licence.billed_total()), (5, 0, 3 * UNIT));
        assert_eq!((licence.status, licence.suspended_reason), (LicenceStatus::Active as u8, 0));
        let after = wallets.map(|wallet| money(&world, *currency, &wallet));
        assert_eq!([after[0] - before[0], after[1] - before[1]], [3 * UNIT - 3 * UNIT / 40, 3 * UNIT / 40]);
        assert_eq!(world.skill(&skill).gross(), 3 * UNIT);
    }
}

#[test]
fn a_seller_cannot_block_it_by_the_payout() {
    for currency in Currency::ALL {
        for own_licence in [false, true] {
            let (mut world, skill) = opened(*currency);
            world.record(&skill, 1).expect("recording works");
            let licence = pda::licence(&skill, &key(&buyer())).0;
            let payout = if own_licence { licence } else { key(&buyer()) };
            world.change_skill(&skill, |skill| skill.payout = payout);
            let places = [key(&buyer()), licence, key(&treasury())];
            let sum = |world: &World| places.iter().map(|place| money(world, *currency, place)).sum::<u64>();
            let before = sum(&world);
            deposit(&mut world, &skill, UNIT).expect("the deposit works");
            assert_eq!(sum(&world), before, "the money moved among these three");
            assert_eq!((world.licence(&skill).unbilled(), world.licence(&skill).billed_total()), (0, UNIT));
        }
    }
}

#[test]
fn it_stays_suspended_while_a_recipient_cannot_receive() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.record(&skill, 1).expect("recording works");
        match currency {
            Currency::Sol => world.remove(&key(&treasury())),
            Currency::Usdc => world.freeze(&key(&treasury())),
        }
        deposit(&mut world, &skill, UNIT).expect("the deposit works");
        let licence = world.licence(&skill);
        assert_eq!((licence.credit(), licence.unbilled(), licence.billed_total()), (UNIT, UNIT, 0));
        assert_eq!(licence.status, LicenceStatus::Suspended as u8);
        assert_eq!(licence.suspended_reason, SuspendReason::Recipient as u8);
    }
}

#[test]
fn the_amount_is_a_positive_one() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        for amount in [0, 1 << 63, u64::MAX] {
            refused(deposit(&mut world, &skill, amount), AmountInvalid);
        }
        // More than the buyer has: the System and the Token program say so alike.
        refused(deposit(&mut world, &skill, i64::MAX as u64), InstructionError::Custom(1));
        world.change_licence(&skill, |licence| licence.credit.set(i64::MAX as u64));
        refused(deposit(&mut world, &skill, 1), MathOverflow);
    }
}

#[test]
fn the_total_billed_never_wraps() {
    let (mut world, skill) = opened(Currency::Sol);
    world.record(&skill, 1).expect("recording works");
    world.change_licence(&skill, |licence| licence.billed_total.set(i64::MAX as u64));
    refused(deposit(&mut world, &skill, UNIT), MathOverflow);
    world.change_licence(&skill, |licence| licence.billed_total.set(i64::MAX as u64 - UNIT));
    deposit(&mut world, &skill, UNIT).expect("the boundary itself is allowed");
}

#[test]
fn it_can_be_paused() {
    let (mut world, skill) = opened(Currency::Sol);
    world.send(&pause(&key(&guardian()), PauseBits::DEPOSIT), &[&guardian()]).expect("pausing works");
    refused(deposit(&mut world, &skill, 1), Paused);
    // A debt alone is no reason to take money while something is wrong.
    world.record(&skill, 1).expect("recording works");
    refused(deposit(&mut world, &skill, UNIT), Paused);
}

#[test]
fn a_pause_does_not_keep_a_debtor_from_leaving() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.record(&skill, 1).expect("recording works");
        world.send(&pause(&key(&guardian()), PauseBits::ALL), &[&guardian()]).expect("pausing works");
        let exit = request_exit(&key(&buyer()), &skill, ExitKind::Close);
        world.send(&exit, &[&buyer()]).expect("asking works");
        deposit(&mut world, &skill, UNIT).expect("the debt can be paid");
        refused(deposit(&mut world, &skill, UNIT), LicenceClosing);
        world.pass(600);
        let exit = instruction::execute_exit(&key(&buyer()), &world.route(&skill), *currency == Currency::Usdc);
        world.send(&exit, &[&buyer()]).expect("the exit works");
    }
}

#[test]
fn only_the_buyer_deposits_and_only_to_that_skills_licence() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        let ix = instruction(&world, &skill, 1_000);
        refused(world.send(&with(&ix, "buyer", key(&attacker())), &[&attacker()]), NotBuyer);
        let terms = world.terms(*currency, Kind::Usage, UNIT);
        let other = world.register("acme.other", &terms);
        refused(world.send(&with(&ix, "skill", other), &[&buyer()]), WrongSkill);
    }
}

#[test]
fn only_a_usage_licence_takes_credit() {
    let mut world = World::new();
    for kind in [Kind::OneTime, Kind::Subscription] {
        let terms = world.terms(Currency::Sol, kind, UNIT);
        let skill = world.register(kind.as_str(), &terms);
        world.purchase(&skill, kind).expect("the purchase works");
        refused(deposit(&mut world, &skill, 1), NotUsageLicence);
    }
}

#[test]
fn a_licence_without_debt_takes_none_while_it_closes() {
    for exit in [ExitKind::Withdraw, ExitKind::Close] {
        let (mut world, skill) = opened(Currency::Sol);
        deposit(&mut world, &skill, 1_000).expect("the deposit works");
        world.send(&request_exit(&key(&buyer()), &skill, exit), &[&buyer()]).expect("asking works");
        refused(deposit(&mut world, &skill, 1), LicenceClosing);
    }
}

#[test]
fn usdc_comes_from_the_buyer_and_goes_to_the_licences_own_vault() {
    let (mut world, skill) = opened(Currency::Usdc);
    let ix = instruction(&world, &skill, 1_000);
    for name in ["source", "vault"] {
        refused(world.send(&without(&ix, name), &[&buyer()]), TokenAccountsMissing);
    }
    let victims = world.ata(&key(&attacker()));
    refused(world.send(&with(&ix, "source", victims), &[&buyer()]), WrongSource);
    let toy = world.make_toy_account(151, &key(&buyer()));
    refused(world.send(&with(&ix, "source", toy), &[&buyer()]), WrongSource);
    // A vault that is not the associated one, though the licence owns it; before and after the first deposit.
    let (mint, licence) = (world.mint, pda::licence(&skill, &key(&buyer())).0);
    world.make_token_account(&anywhere(), &licence, &mint, 0);
    for _ in 0..2 {
        refused(world.send(&with(&ix, "vault", anywhere()), &[&buyer()]), WrongVault);
        refused(world.send(&with(&ix, "vault", victims), &[&buyer()]), WrongVault);
        world.send(&ix, &[&buyer()]).expect("the deposit works");
    }
    let wrong = with(&ix, "token_program", clawos_interface::known::ASSOCIATED_TOKEN_PROGRAM);
    refused(world.send(&wrong, &[&buyer()]), InstructionError::IncorrectProgramId);
}

#[test]
fn a_vault_that_was_not_made_takes_nothing() {
    let (mut world, skill) = opened(Currency::Usdc);
    let vault = world.ata(&pda::licence(&skill, &key(&buyer())).0);
    world.remove(&vault);
    let before = world.usdc(&key(&buyer()));
    refused(deposit(&mut world, &skill, 1_000), VaultUnusable);
    assert_eq!((world.usdc(&key(&buyer())), world.licence(&skill).vault_bump), (before, 0));
    world.make_ata(&pda::licence(&skill, &key(&buyer())).0);
    world.freeze(&pda::licence(&skill, &key(&buyer())).0);
    refused(deposit(&mut world, &skill, 1_000), VaultUnusable);
}

#[test]
fn a_debt_is_paid_to_the_right_accounts_only() {
    for currency in Currency::ALL {
        let (mut world, skill) = opened(*currency);
        world.record(&skill, 1).expect("recording works");
        let ix = instruction(&world, &skill, UNIT);
        let mine = world.route(&skill).account_of(&key(&attacker()));
        refused(world.send(&with(&ix, "payout", mine), &[&buyer()]), WrongPayout);
        refused(world.send(&with(&ix, "treasury", mine), &[&buyer()]), WrongTreasury);
        let payout = world.route(&skill).account_of(&key(&payout()));
        refused(world.send(&with(&ix, "treasury", payout), &[&buyer()]), WrongTreasury);
        if *currency == Currency::Usdc {
            // The right owner's, but in a mint that anybody makes.
            let toy = world.make_toy_account(151, &key(&crate::people::payout()));
            refused(world.send(&with(&ix, "payout", toy), &[&buyer()]), WrongPayout);
            let toy = world.make_toy_account(152, &key(&treasury()));
            refused(world.send(&with(&ix, "treasury", toy), &[&buyer()]), WrongTreasury);
        }
    }
}

#[test]
fn damaged_codes_and_newer_layouts_are_refused() {
    let (mut world, skill) = opened(Currency::Sol);
    world.change_licence(&skill, |licence| licence.currency = 2);
    refused(deposit(&mut world, &skill, 1), UnknownCurrency);
    world.change_licence(&skill, |licence| licence.currency = 0);
    let licence = pda::licence(&skill, &key(&buyer())).0;
    let ix = instruction(&world, &skill, 1);
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
        let (mut world, skill) = opened(*currency);
        world.record(&skill, 1).expect("recording works");
        let ix = instruction(&world, &skill, UNIT);
        refuses_forgeries(&mut world, &ix, &buyer());
    }
}
