//! `execute_exit` where somebody cannot receive, or the seller names an odd account as payout: the buyer leaves with what is the buyer's all the same.

use clawos_interface::ProgramError::*;
use clawos_interface::accounts::Licence;
use clawos_interface::events::Event;
use clawos_interface::known::PROGRAM_ID;
use clawos_interface::{Currency, ExitKind, LicenceStatus, pda};

use crate::attack::{CLOCK, read_only, with};
use crate::execute_exit::{UNIT, ask_for, execute, instruction, ready};
use crate::harness::refused;
use crate::people::*;
use crate::sale::money;

#[test]
fn what_a_recipient_could_not_receive_is_paid_at_the_exit() {
    for currency in Currency::ALL {
        let (mut world, skill) = ready(*currency, ExitKind::Withdraw);
        match currency {
            Currency::Sol => world.remove(&key(&treasury())),
            Currency::Usdc => world.close_ata(&treasury()),
        }
        world.record(&skill, 2).expect("recording works");
        assert_eq!(world.licence(&skill).unbilled(), 2 * UNIT);
        match currency {
            Currency::Sol => drop(world.svm.airdrop(&key(&treasury()).into(), 1_000_000)),
            Currency::Usdc => world.make_ata(&key(&treasury())),
        }
        let before = money(&world, *currency, &key(&payout()));
        let tx = execute(&mut world, &skill).expect("the exit works");
        assert_eq!(money(&world, *currency, &key(&payout())) - before, 2 * UNIT - 2 * UNIT / 40);
        let licence = world.licence(&skill);
        assert_eq!((licence.unbilled(), licence.credit(), licence.status), (0, 0, LicenceStatus::Active as u8));
        assert!(
            matches!(tx.events[..], [Event::UsageBilled(_), Event::CreditWithdrawn(out)] if out.amount() == 3 * UNIT)
        );
    }
}

#[test]
fn a_frozen_recipient_cannot_hold_more_than_it_is_owed() {
    let (mut world, skill) = ready(Currency::Usdc, ExitKind::Withdraw);
    world.freeze(&key(&payout()));
    world.record(&skill, 2).expect("recording works");
    let before = world.usdc(&key(&buyer()));
    execute(&mut world, &skill).expect("the exit works");
    assert_eq!(world.usdc(&key(&buyer())) - before, 3 * UNIT);
    let licence = world.licence(&skill);
    assert_eq!((licence.credit(), licence.unbilled()), (2 * UNIT, 2 * UNIT));
}

#[test]
fn a_close_that_a_frozen_recipient_blocks_gives_back_what_is_not_owed() {
    let (mut world, skill) = ready(Currency::Usdc, ExitKind::Close);
    world.freeze(&key(&treasury()));
    world.record(&skill, 2).expect("recording works");
    let before = world.usdc(&key(&buyer()));
    execute(&mut world, &skill).expect("the exit works");
    assert_eq!(world.usdc(&key(&buyer())) - before, 3 * UNIT);
    let licence = world.licence(&skill);
    assert_eq!((licence.credit(), licence.unbilled(), licence.exit_kind), (2 * UNIT, 2 * UNIT, 0));
    // Nothing is left that could go back, so another try changes nothing.
    ask_for(&mut world, &skill, ExitKind::Close);
    world.pass(600);
    refused(execute(&mut world, &skill), LicenceUnpaid);
}

#[test]
fn a_seller_cannot_block_the_exit_by_the_payout() {
    for currency in Currency::ALL {
        for exit in [ExitKind::Withdraw, ExitKind::Close] {
            for pays_licence in [false, true] {
                let (mut world, skill) = ready(*currency, exit);
                let licence = pda::licence(&skill, &key(&buyer())).0;
                let alias = if pays_licence { licence } else { key(&buyer()) };
                world.make_ata(&alias);
                world.change_skill(&skill, |skill| skill.payout = alias);
                world.change_licence(&skill, |licence| licence.unbilled.set(UNIT));
                let people = [buyer(), treasury()].map(|person| key(&person));
                let before = people.map(|person| money(&world, *currency, &person));
                let rent = world.svm.minimum_balance_for_rent_exemption(Licence::LEN);
                execute(&mut world, &skill)
                    .unwrap_or_else(|refusal| panic!("{currency} {exit} {alias:?}: {refusal:?}"));

                // One unit is paid to the alias; a licence keeps it until it is closed.
                let (fee, sellers) = (UNIT / 40, UNIT - UNIT / 40);
                let stays = if pays_licence && exit == ExitKind::Withdraw { sellers } else { 0 };
                let rents = if *currency == Currency::Sol && exit == ExitKind::Close { rent } else { 0 };
                let after = people.map(|person| money(&world, *currency, &person));
                let gained = [after[0] - before[0], after[1] - before[1]];
                assert_eq!(gained, [5 * UNIT - fee - stays + rents, fee], "{currency} {exit} {pays_licence}");
                if exit == ExitKind::Withdraw {
                    let licence = world.licence(&skill);
                    assert_eq!((licence.credit(), licence.unbilled(), licence.billed_total()), (0, 0, UNIT));
                } else {
                    assert_eq!(world.lamports(&licence), 0);
                }
            }
        }
    }
}

#[test]
fn a_payout_that_no_transaction_can_pay_does_not_block_the_exit() {
    // The runtime lets nobody change a sysvar or a program.
    for payout in [CLOCK, PROGRAM_ID] {
        let (mut world, skill) = ready(Currency::Sol, ExitKind::Withdraw);
        world.change_licence(&skill, |licence| licence.unbilled.set(2 * UNIT));
        world.change_skill(&skill, |skill| skill.payout = payout);
        let before = world.lamports(&key(&buyer()));
        execute(&mut world, &skill).expect("the exit works");
        assert_eq!(world.lamports(&key(&buyer())) - before, 3 * UNIT);
    }
}

#[test]
fn naming_a_recipient_read_only_does_not_avoid_the_debt() {
    for currency in Currency::ALL {
        for exit in [ExitKind::Withdraw, ExitKind::Close] {
            for name in ["payout", "treasury"] {
                let (mut world, skill) = ready(*currency, exit);
                world.change_licence(&skill, |licence| licence.unbilled.set(2 * UNIT));
                let before = money(&world, *currency, &key(&buyer()));
                let ix = read_only(&instruction(&world, &skill), name);
                world.send(&ix, &[&attacker(), &buyer()]).expect("the exit works");
                assert_eq!(money(&world, *currency, &key(&buyer())) - before, 3 * UNIT);
                let licence = world.licence(&skill);
                assert_eq!((licence.credit(), licence.unbilled(), licence.exit_kind), (2 * UNIT, 2 * UNIT, 0));
            }
        }
    }
}

#[test]
fn a_debt_is_paid_to_the_right_accounts_only() {
    for currency in Currency::ALL {
        let (mut world, skill) = ready(*currency, ExitKind::Withdraw);
        world.change_licence(&skill, |licence| licence.unbilled.set(UNIT));
        let (ix, route) = (instruction(&world, &skill), world.route(&skill));
        let mine = route.account_of(&key(&attacker()));
        refused(world.send(&with(&ix, "payout", mine), &[&buyer()]), WrongPayout);
        refused(world.send(&with(&ix, "treasury", mine), &[&buyer()]), WrongTreasury);
        if *currency == Currency::Usdc {
            // The right owner's, but in a mint that anybody makes.
            let toy = world.make_toy_account(151, &key(&payout()));
            refused(world.send(&with(&ix, "payout", toy), &[&buyer()]), WrongPayout);
            let toy = world.make_toy_account(152, &key(&treasury()));
            refused(world.send(&with(&ix, "treasury", toy), &[&buyer()]), WrongTreasury);
        }
        world.change_licence(&skill, |licence| licence.billed_total.set(i64::MAX as u64));
        refused(execute(&mut world, &skill), MathOverflow);
    }
}
