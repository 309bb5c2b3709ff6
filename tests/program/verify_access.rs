//! `verify_access`: anybody asks, the answer is that of the rule off chain, and a "no" is an answer.

use clawos_interface::ProgramError::*;
use clawos_interface::instruction::{request_exit, set_licence_caps, verify_access};
use clawos_interface::known::{SYSTEM_PROGRAM, TOKEN_PROGRAM};
use clawos_interface::rules::usage::Caps;
use clawos_interface::rules::validity::{Reason, Validity, validity};
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, Tier, pda};
use solana_instruction::error::InstructionError;

use crate::attack::{anywhere, with};
use crate::forge::LICENCE_VERSION_AT;
use crate::harness::{START, World, refused};
use crate::people::*;

fn licensed(kind: Kind) -> (World, Key) {
    let mut world = World::new();
    let terms = world.terms(Currency::Sol, kind, 1_000_000);
    let skill = world.register("acme.skill", &terms);
    world.purchase(&skill, kind).expect("the purchase works");
    (world, skill)
}

/// Asks as a stranger; where there is a licence, the rule off chain must say the same.
pub fn ask(world: &mut World, skill: &Key) -> Validity {
    let tx = world.send(&verify_access(skill, &key(&buyer())), &[&attacker()]).expect("a no is an answer");
    assert!(tx.events.is_empty());
    let answer = Validity::decode(&tx.return_data).expect("the return data is a validity");
    if answer != Validity::MISSING {
        assert_eq!(answer, validity(&world.licence(skill), world.now()));
    }
    answer
}

#[test]
fn a_one_time_licence_is_valid_for_ever() {
    let (mut world, skill) = licensed(Kind::OneTime);
    world.set_time(i64::MAX);
    let expected = Validity {
        valid: true,
        kind: Kind::OneTime as u8,
        tier: Tier::Personal as u8,
        expires_at: 0,
        units_left: u64::MAX,
        meter: key(&meter()),
        reason: Reason::Ok,
    };
    assert_eq!(ask(&mut world, &skill), expected);
}

#[test]
fn a_subscription_is_valid_to_its_last_second() {
    let (mut world, skill) = licensed(Kind::Subscription);
    let end = START + 30 * 86_400;
    world.set_time(end - 1);
    assert_eq!((ask(&mut world, &skill).valid, ask(&mut world, &skill).expires_at), (true, end));
    world.pass(1);
    let answer = ask(&mut world, &skill);
    assert_eq!((answer.valid, answer.reason, answer.units_left), (false, Reason::Expired, 0));
}

#[test]
fn usage_is_bounded_by_credit_caps_and_limit() {
    let (mut world, skill) = licensed(Kind::Usage);
    assert_eq!((ask(&mut world, &skill).valid, ask(&mut world, &skill).units_left), (true, 0));
    world.deposit(&skill, 20_500_000).expect("the deposit works");
    assert_eq!(ask(&mut world, &skill).units_left, 20);
    let caps = |usage_limit, max_units_per_day| {
        set_licence_caps(&key(&buyer()), &skill, &Caps { usage_limit, max_units_per_day, ..Caps::default() })
    };
    world.send(&caps(0, 7), &[&buyer()]).expect("capping works");
    world.record(&skill, 3).expect("recording works");
    assert_eq!(ask(&mut world, &skill).units_left, 4, "of today's");
    world.pass(86_400);
    assert_eq!(ask(&mut world, &skill).units_left, 7);
    world.send(&caps(5, 0), &[&buyer()]).expect("capping works");
    assert_eq!(ask(&mut world, &skill).units_left, 2, "a stricter limit counts at once");
    world.record(&skill, 2).expect("recording works");
    let answer = ask(&mut world, &skill);
    assert_eq!((answer.valid, answer.reason, answer.units_left), (false, Reason::LimitReached, 0));
}

#[test]
fn every_no_has_its_reason() {
    let (mut world, skill) = licensed(Kind::Usage);
    world.record(&skill, 1).expect("recording works");
    assert_eq!(ask(&mut world, &skill).reason, Reason::Suspended);
    world.deposit(&skill, 1_000_000).expect("the deposit works");
    assert_eq!(ask(&mut world, &skill).reason, Reason::Ok);
    let exit = request_exit(&key(&buyer()), &skill, ExitKind::Close);
    world.send(&exit, &[&buyer()]).expect("asking works");
    assert_eq!(ask(&mut world, &skill).reason, Reason::Closing);
    world.change_licence(&skill, |licence| licence.status = LicenceStatus::Refunded as u8);
    assert_eq!(ask(&mut world, &skill).reason, Reason::Refunded);
}

#[test]
fn no_licence_is_an_answer() {
    let mut world = World::new();
    let terms = world.terms(Currency::Sol, Kind::OneTime, 1_000_000);
    let skill = world.register("acme.skill", &terms);
    assert_eq!(ask(&mut world, &skill), Validity::MISSING);
    // Lamports at the address are no licence, and a skill that does not exist has none.
    world.svm.airdrop(&pda::licence(&skill, &key(&buyer())).0.into(), 10_000_000).expect("an airdrop works");
    assert_eq!(ask(&mut world, &skill), Validity::MISSING);
    assert_eq!(ask(&mut world, &[77; 32]), Validity::MISSING);
}

#[test]
fn only_the_licence_of_that_skill_and_buyer_answers() {
    let (mut world, skill) = licensed(Kind::OneTime);
    let bought = pda::licence(&skill, &key(&buyer())).0;
    // The attacker shows somebody else's licence as his own, or for another skill.
    let own = verify_access(&skill, &key(&attacker()));
    refused(world.send(&with(&own, "licence", bought), &[&attacker()]), WrongLicence);
    let terms = world.terms(Currency::Sol, Kind::OneTime, 9_000_000);
    let dear = world.register("acme.dear", &terms);
    let other = with(&verify_access(&dear, &key(&buyer())), "licence", bought);
    refused(world.send(&other, &[&attacker()]), WrongLicence);
    // An empty address must not hide a licence that exists.
    let ix = verify_access(&skill, &key(&buyer()));
    refused(world.send(&with(&ix, "licence", anywhere()), &[&attacker()]), WrongLicence);
}

#[test]
fn a_counterfeit_or_another_account_of_ours_does_not_answer() {
    let (mut world, skill) = licensed(Kind::OneTime);
    let ix = verify_access(&skill, &key(&buyer()));
    let bought = pda::licence(&skill, &key(&buyer())).0;
    for owner in [SYSTEM_PROGRAM, TOKEN_PROGRAM] {
        let fake = world.counterfeit(&bought, anywhere(), &owner);
        refused(world.send(&with(&ix, "licence", fake), &[&attacker()]), WrongLicence);
    }
    for other in [skill, pda::config().0] {
        let result = world.send(&with(&ix, "licence", other), &[&attacker()]);
        let refusals = [InstructionError::InvalidAccountData, InstructionError::AccountDataTooSmall];
        assert!(refusals.map(Into::into).contains(&result.expect_err("this is no licence")));
    }
}

#[test]
fn it_refuses_a_newer_layout() {
    let (mut world, skill) = licensed(Kind::OneTime);
    world.poke(&pda::licence(&skill, &key(&buyer())).0, LICENCE_VERSION_AT, 2);
    refused(world.send(&verify_access(&skill, &key(&buyer())), &[&attacker()]), VersionUnsupported);
}

#[test]
fn it_changes_nothing() {
    let (mut world, skill) = licensed(Kind::Usage);
    let addresses = [pda::licence(&skill, &key(&buyer())).0, skill, pda::config().0];
    let before = addresses.map(|address| world.account(&address));
    ask(&mut world, &skill);
    assert_eq!(addresses.map(|address| world.account(&address)), before);
}
