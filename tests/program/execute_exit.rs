//! `execute_exit`: after the delay everything that is the buyer's goes back to the buyer, once.

use clawos_interface::ProgramError::*;
use clawos_interface::accounts::Licence;
use clawos_interface::events::Event;
use clawos_interface::instruction::{self, AccountMeta, Instruction, request_exit, verify_access};
use clawos_interface::known::SYSTEM_PROGRAM;
use clawos_interface::rules::validity::Validity;
use clawos_interface::{Currency, ExitKind, Key, Kind, pda};
use solana_instruction::error::InstructionError;

use crate::attack::{anywhere, refuses_forgeries, with, without};
use crate::deposit_credit::opened;
use crate::forge::{CONFIG_VERSION_AT, LICENCE_VERSION_AT, SKILL_VERSION_AT};
use crate::harness::{Refusal, Tx, World, refused};
use crate::people::*;
use crate::sale::money;

/// Price of a unit in [`opened`].
pub const UNIT: u64 = 10_000_000;

pub fn instruction(world: &World, skill: &Key) -> Instruction {
    instruction::execute_exit(&key(&buyer()), &world.route(skill), world.licence(skill).vault_bump() != 0)
}

/// The attacker pays the network's fee, so that the buyer's balance shows the program's doing only.
pub fn execute(world: &mut World, skill: &Key) -> Result<Tx, Refusal> {
    let ix = instruction(world, skill);
    world.send(&ix, &[&attacker(), &buyer()])
}

pub fn ask_for(world: &mut World, skill: &Key, exit: ExitKind) {
    world.send(&request_exit(&key(&buyer()), skill, exit), &[&attacker(), &buyer()]).expect("asking works");
}

/// A world in which five units are prepaid and the delay of an exit has passed.
pub fn ready(currency: Currency, exit: ExitKind) -> (World, Key) {
    let (mut world, skill) = opened(currency);
    world.deposit(&skill, 5 * UNIT).expect("the deposit works");
    ask_for(&mut world, &skill, exit);
    world.pass(600);
    (world, skill)
}

#[test]
fn a_withdrawal_pays_the_credit_back_and_keeps_the_licence() {
    for currency in Currency::ALL {
        let (mut world, skill) = ready(*currency, ExitKind::Withdraw);
        let before = money(&world, *currency, &key(&buyer()));
        let mut expected = world.licence(&skill);
        let tx = execute(&mut world, &skill).expect("the exit works");
        assert_eq!(money(&world, *currency, &key(&buyer())) - before, 5 * UNIT);
        expected.credit.set(0);
        expected.exit_kind = 0;
        expected.exit_at.set(0);
        expected.exit_requested_at.set(0);
        assert_eq!(world.licence(&skill), expected, "nothing else changes");
        let [Event::CreditWithdrawn(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
        assert_eq!((event.licence, event.amount()), (pda::licence(&skill, &key(&buyer())).0, 5 * UNIT));
        assert_eq!(event.currency, *currency as u8);
        refused(execute(&mut world, &skill), NoExitPending);
        world.deposit(&skill, UNIT).expect("the licence goes on");
    }
}

#[test]
fn a_close_returns_credit_rent_and_vault() {
    for currency in Currency::ALL {
        let (mut world, skill) = ready(*currency, ExitKind::Close);
        let licence = pda::licence(&skill, &key(&buyer())).0;
        let (root, vault) = (world.licence(&skill).chain_root, world.ata(&licence));
        let locked = world.lamports(&licence) + world.lamports(&vault);
        let before = (world.lamports(&key(&buyer())), world.usdc(&key(&buyer())));
        let tx = execute(&mut world, &skill).expect("the exit works");

        let credit = if *currency == Currency::Usdc { 5 * UNIT } else { 0 };
        assert_eq!(world.lamports(&key(&buyer())) - before.0, locked);
        assert_eq!(world.usdc(&key(&buyer())) - before.1, credit);
        for address in [licence, vault] {
            assert_eq!((world.lamports(&address), world.data(&address).len()), (0, 0));
        }
        assert_eq!(world.skill(&skill).open_licences(), 0);
        let [Event::CreditWithdrawn(withdrawn), Event::LicenceClosed(closed)] = tx.events[..] else {
            panic!("two events: {:?}", tx.events)
        };
        assert_eq!((withdrawn.amount(), closed.licence, closed.skill), (5 * UNIT, licence, skill));
        assert_eq!((closed.buyer, closed.usage_total(), closed.chain_root), (key(&buyer()), 0, root));
    }
}

#[test]
fn it_waits_for_the_delay() {
    for exit in [ExitKind::Withdraw, ExitKind::Close] {
        let (mut world, skill) = opened(Currency::Usdc);
        world.deposit(&skill, UNIT).expect("the deposit works");
        refused(execute(&mut world, &skill), NoExitPending);
        ask_for(&mut world, &skill, exit);
        refused(execute(&mut world, &skill), ExitNotReady);
        world.pass(599);
        refused(execute(&mut world, &skill), ExitNotReady);
        world.pass(1);
        execute(&mut world, &skill).expect("the exit works");
    }
}

#[test]
fn usage_recorded_meanwhile_is_paid_first() {
    for currency in Currency::ALL {
        let (mut world, skill) = ready(*currency, ExitKind::Close);
        world.record(&skill, 2).expect("recording works");
        let before = money(&world, *currency, &key(&buyer()));
        let rent = world.svm.minimum_balance_for_rent_exemption(Licence::LEN);
        execute(&mut world, &skill).expect("the exit works");
        let back = money(&world, *currency, &key(&buyer())) - before;
        assert_eq!(back, 3 * UNIT + if *currency == Currency::Sol { rent } else { 0 });
    }
}

#[test]
fn a_debtor_can_pay_and_close() {
    for currency in Currency::ALL {
        let (mut world, skill) = ready(*currency, ExitKind::Close);
        let people = [payout(), treasury()].map(|person| key(&person));
        let before = people.map(|person| money(&world, *currency, &person));
        world.record(&skill, 7).expect("recording works");
        refused(execute(&mut world, &skill), LicenceUnpaid);
        world.deposit(&skill, 2 * UNIT).expect("a debt can be paid while the licence closes");
        execute(&mut world, &skill).expect("the exit works");
        let after = people.map(|person| money(&world, *currency, &person));
        assert_eq!([after[0] - before[0], after[1] - before[1]], [7 * UNIT - 7 * UNIT / 40, 7 * UNIT / 40]);
        assert!(world.data(&pda::licence(&skill, &key(&buyer())).0).is_empty());
    }
}

#[test]
fn only_the_buyer_leaves_and_only_with_that_skills_licence() {
    for currency in Currency::ALL {
        let (mut world, skill) = ready(*currency, ExitKind::Close);
        let ix = instruction(&world, &skill);
        for person in [attacker(), seller(), authority()] {
            refused(world.send(&with(&ix, "buyer", key(&person)), &[&person]), NotBuyer);
        }
        let terms = world.terms(*currency, Kind::Usage, UNIT);
        let other = world.register("acme.other", &terms);
        refused(world.send(&with(&ix, "skill", other), &[&buyer()]), WrongSkill);
    }
}

#[test]
fn the_vault_is_the_licences_own_and_the_money_goes_to_the_buyer() {
    for exit in [ExitKind::Withdraw, ExitKind::Close] {
        let (mut world, skill) = ready(Currency::Usdc, exit);
        let ix = instruction(&world, &skill);
        for name in ["vault", "destination"] {
            refused(world.send(&without(&ix, name), &[&buyer()]), TokenAccountsMissing);
        }
        let (mint, licence) = (world.mint, pda::licence(&skill, &key(&buyer())).0);
        world.make_token_account(&anywhere(), &licence, &mint, 5 * UNIT);
        refused(world.send(&with(&ix, "vault", anywhere()), &[&buyer()]), WrongVault);
        let attackers = world.ata(&key(&attacker()));
        refused(world.send(&with(&ix, "destination", attackers), &[&buyer()]), WrongSource);
        let toy = world.make_toy_account(151, &key(&buyer()));
        refused(world.send(&with(&ix, "destination", toy), &[&buyer()]), WrongSource);
        let wrong = with(&ix, "token_program", clawos_interface::known::ASSOCIATED_TOKEN_PROGRAM);
        refused(world.send(&wrong, &[&buyer()]), InstructionError::IncorrectProgramId);
    }
}

#[test]
fn a_frozen_vault_is_named_and_nothing_is_lost() {
    for exit in [ExitKind::Withdraw, ExitKind::Close] {
        let (mut world, skill) = ready(Currency::Usdc, exit);
        world.freeze(&pda::licence(&skill, &key(&buyer())).0);
        refused(execute(&mut world, &skill), VaultUnusable);
        assert_eq!(world.licence(&skill).credit(), 5 * UNIT);
    }
}

#[test]
fn a_withdrawal_that_an_empty_wallet_cannot_keep_is_named() {
    let (mut world, skill) = opened(Currency::Sol);
    world.deposit(&skill, 890_879).expect("the deposit works");
    ask_for(&mut world, &skill, ExitKind::Withdraw);
    world.pass(600);
    world.remove(&key(&buyer()));
    refused(execute(&mut world, &skill), RecipientNotRentExempt);
    assert_eq!(world.licence(&skill).credit(), 890_879);
    world.svm.airdrop(&key(&buyer()).into(), 890_880).expect("an airdrop works");
    execute(&mut world, &skill).expect("the exit works");
}

#[test]
fn a_withdrawal_that_usage_left_nothing_for_ends_and_says_so() {
    for currency in Currency::ALL {
        let (mut world, skill) = ready(*currency, ExitKind::Withdraw);
        world.record(&skill, 5).expect("recording works");
        let tx = execute(&mut world, &skill).expect("the exit works");
        assert!(matches!(tx.events[..], [Event::CreditWithdrawn(event)] if event.amount() == 0));
        assert_eq!((world.licence(&skill).exit_kind, world.licence(&skill).exit_at()), (0, 0));
    }
}

#[test]
fn what_others_sent_to_the_vault_goes_to_the_buyer_at_the_close() {
    let (mut world, skill) = ready(Currency::Usdc, ExitKind::Close);
    let licence = pda::licence(&skill, &key(&buyer())).0;
    world.empty_usdc(&attacker(), &licence);
    let before = world.usdc(&key(&buyer()));
    let gift = world.usdc(&licence) - 5 * UNIT;
    execute(&mut world, &skill).expect("dust does not block the exit");
    assert_eq!(world.usdc(&key(&buyer())) - before, 5 * UNIT + gift);
}

#[test]
fn a_licence_that_never_took_usdc_needs_no_token_accounts() {
    let (mut world, skill) = opened(Currency::Usdc);
    ask_for(&mut world, &skill, ExitKind::Close);
    world.pass(600);
    execute(&mut world, &skill).expect("the exit works");
}

#[test]
fn a_closed_licence_cannot_be_revived_in_the_same_transaction() {
    let (mut world, skill) = ready(Currency::Sol, ExitKind::Close);
    let licence = pda::licence(&skill, &key(&buyer())).0;
    let mut data = vec![2, 0, 0, 0];
    data.extend(50_000_000_u64.to_le_bytes());
    let accounts = vec![AccountMeta::signer_mut(key(&buyer())), AccountMeta::writable(licence)];
    let refund = Instruction { program_id: SYSTEM_PROGRAM, accounts, data };
    let exit = instruction(&world, &skill);
    let question = verify_access(&skill, &key(&buyer()));
    let tx = world.send_all(&[exit.clone(), refund.clone(), question], &[&buyer()]).expect("each works");
    assert_eq!(Validity::decode(&tx.return_data), Some(Validity::MISSING));
    assert!(world.data(&licence).is_empty());
    assert_eq!(world.account(&licence).owner.to_bytes(), SYSTEM_PROGRAM);

    let (mut world, skill) = ready(Currency::Sol, ExitKind::Close);
    let exit_again = world.send_all(&[exit.clone(), refund, exit], &[&buyer()]);
    refused(exit_again, InstructionError::AccountDataTooSmall);
    assert_eq!(world.licence(&skill).credit(), 5 * UNIT);
}

#[test]
fn the_count_of_licences_never_wraps() {
    let (mut world, skill) = ready(Currency::Sol, ExitKind::Close);
    world.change_skill(&skill, |skill| skill.open_licences.set(0));
    refused(execute(&mut world, &skill), MathOverflow);
    world.change_skill(&skill, |skill| skill.open_licences.set(1));
    world.change_config(|config| config.usage_resumed_at.set(i64::MAX));
    refused(execute(&mut world, &skill), MathOverflow);
}

#[test]
fn damaged_codes_and_newer_layouts_are_refused() {
    let (mut world, skill) = ready(Currency::Sol, ExitKind::Close);
    let ix = instruction(&world, &skill);
    world.change_licence(&skill, |licence| licence.currency = 2);
    refused(world.send(&ix, &[&buyer()]), UnknownCurrency);
    world.change_licence(&skill, |licence| licence.currency = 0);
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
        for exit in [ExitKind::Withdraw, ExitKind::Close] {
            let (mut world, skill) = ready(*currency, exit);
            // A debt makes the recipients matter, too.
            world.change_licence(&skill, |licence| licence.unbilled.set(UNIT));
            let ix = instruction(&world, &skill);
            refuses_forgeries(&mut world, &ix, &buyer());
        }
    }
}
