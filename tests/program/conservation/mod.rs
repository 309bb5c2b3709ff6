//! Money is conserved: whatever buyers do in whatever order, every balance is what the steps alone say it must be, to the unit.
//!
//! A state machine over the shipped binary. One skill per currency and kind and two buyers; random purchases, renewals, deposits, batches, exits and
//! waiting, while prices and the fee change, recipients are frozen and thawed, and instructions are paused and resumed. [`model`] says of each step
//! whether it must work or with which error it must be refused; [`market`] takes it and compares every balance and licence with the model.
//! The run fails if any kind of step works too seldom, or an error is never seen.

mod market;
mod model;

use std::cell::RefCell;
use std::collections::BTreeMap;

use clawos_interface::codes::PauseBits;
use clawos_interface::{Currency, ExitKind, Kind, ProgramError, Tier};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use crate::harness::Refusal;
use market::Market;

/// Odd prices, so that every fee has a remainder: of a licence or period, and of a unit.
const PRICE: [u64; 2] = [123_456_789, 1_234_567];
const UNIT_PRICE: [u64; 2] = [1_000_003, 333];

/// Runs, and steps of each.
const CASES: u32 = 40;
const STEPS: usize = 80;

/// Each kind of step works at least so often in all runs together.
const LEAST_SUCCESSES: u32 = 20;

/// Refusals that every run of the test sees.
const SEEN: [ProgramError; 11] = [
    ProgramError::Paused,
    ProgramError::LicenceActive,
    ProgramError::LicenceClosing,
    ProgramError::LicenceUnpaid,
    ProgramError::NotRenewable,
    ProgramError::NotUsageLicence,
    ProgramError::ExitPending,
    ProgramError::NoExitPending,
    ProgramError::ExitNotReady,
    ProgramError::NothingToWithdraw,
    ProgramError::RecipientFrozen,
];

/// The exits that a buyer can ask for.
const EXITS: &[ExitKind] = &[ExitKind::Withdraw, ExitKind::Close];

/// The first price of a skill.
fn base(currency: Currency, kind: Kind) -> u64 {
    if kind == Kind::Usage { UNIT_PRICE[currency as usize] } else { PRICE[currency as usize] }
}

/// One step.
#[derive(Debug, Clone, Copy)]
enum Step {
    Purchase(Tier),
    Renew,
    /// So many times one and a half units' price.
    Deposit(u64),
    Record(u64),
    Ask(ExitKind),
    Execute,
    Wait(i64),
    /// The seller sets another price.
    Reprice(u64),
    /// The fee changes, basis points.
    Fee(u16),
    /// The payout's or the treasury's USDC account is frozen or thawed.
    Freeze {
        treasury: bool,
        frozen: bool,
    },
    Pause(u16),
    Unpause,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Purchase(_) => "purchase",
            Step::Renew => "renew",
            Step::Deposit(_) => "deposit",
            Step::Record(_) => "record",
            Step::Ask(ExitKind::Withdraw) => "ask to withdraw",
            Step::Ask(_) => "ask to close",
            Step::Execute => "execute",
            Step::Wait(_) => "wait",
            Step::Reprice(_) => "reprice",
            Step::Fee(_) => "fee",
            Step::Freeze { .. } => "freeze",
            Step::Pause(_) => "pause",
            Step::Unpause => "unpause",
        }
    }
}

/// A step of one buyer on the skill of one currency and kind.
#[derive(Debug, Clone, Copy)]
struct Move {
    buyer: usize,
    currency: Currency,
    kind: Kind,
    step: Step,
}

/// Steps of a buyer with licences of `kinds`, chosen by their weight.
fn on(kinds: [u32; 3], step: impl Strategy<Value = Step>) -> impl Strategy<Value = Move> {
    let [once, period, usage] = kinds;
    let kind = prop_oneof![once => Just(Kind::OneTime), period => Just(Kind::Subscription), usage => Just(Kind::Usage)];
    (0..2_usize, select(Currency::ALL), kind, step).prop_map(|(buyer, currency, kind, step)| Move {
        buyer,
        currency,
        kind,
        step,
    })
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let buying = prop_oneof![select(Tier::ALL).prop_map(Step::Purchase), Just(Step::Renew)];
    let using = prop_oneof![(1..200_u64).prop_map(Step::Deposit), (1..40_u64).prop_map(Step::Record)];
    let leaving = prop_oneof![select(EXITS).prop_map(Step::Ask), Just(Step::Execute)];
    let around = prop_oneof![
        4 => select(&[1, 599, 600, 86_400, 31 * 86_400][..]).prop_map(Step::Wait),
        1 => (1..1_000_u64).prop_map(Step::Reprice),
        1 => (0..=1_000_u16).prop_map(Step::Fee),
        2 => (any::<bool>(), select(&[true, false, false][..]))
            .prop_map(|(treasury, frozen)| Step::Freeze { treasury, frozen }),
        1 => (1..=PauseBits::ALL).prop_map(Step::Pause),
        2 => Just(Step::Unpause),
    ];
    let alone = prop_oneof![
        2 => on([1, 4, 1], buying),
        6 => on([1, 1, 10], using),
        1 => on([1, 1, 6], leaving),
        3 => on([1, 1, 1], around),
    ];
    // By chance alone an exit would hardly ever come to its end, and nobody would buy again.
    let asked = on([1, 1, 6], select(EXITS).prop_map(Step::Ask));
    let exit = (asked, select(&[599, 600, 600][..])).prop_map(|(asked, wait)| {
        let steps = [asked.step, Step::Wait(wait), Step::Execute, Step::Purchase(Tier::Personal)];
        steps.map(|step| Move { step, ..asked }).to_vec()
    });
    prop_oneof![8 => alone.prop_map(|one| vec![one]), 1 => exit]
}

/// What happened in all runs together.
#[derive(Debug, Default)]
struct Tally {
    succeeded: BTreeMap<&'static str, u32>,
    refused: BTreeMap<String, u32>,
}

impl Tally {
    fn count(&mut self, step: Step, outcome: &Result<(), Refusal>) {
        match outcome {
            Ok(()) => *self.succeeded.entry(step.name()).or_default() += 1,
            Err(refusal) => *self.refused.entry(format!("{refusal:?}")).or_default() += 1,
        }
    }

    fn check(&self) {
        for (name, count) in &self.succeeded {
            assert!(*count >= LEAST_SUCCESSES, "{name} worked only {count} times: {self:#?}");
        }
        assert_eq!(self.succeeded.len(), 13, "every kind of step worked: {self:#?}");
        for error in SEEN {
            let name = format!("{:?}", Refusal::from(error));
            assert!(self.refused.contains_key(&name), "{name} was never seen: {self:#?}");
        }
    }
}

#[test]
fn money_is_conserved() {
    let config = ProptestConfig {
        cases: CASES,
        source_file: Some(file!()),
        test_name: Some(concat!(module_path!(), "::money_is_conserved")),
        ..ProptestConfig::default()
    };
    let tally = RefCell::new(Tally::default());
    let run = TestRunner::new(config).run(&prop::collection::vec(moves(), STEPS), |moves| {
        let mut market = Market::open();
        market.everybody_buys();
        for step in moves.into_iter().flatten() {
            let outcome = market.take(&step);
            tally.borrow_mut().count(step.step, &outcome);
        }
        market.everybody_leaves();
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
    println!("{:#?}", tally.borrow());
    tally.borrow().check();
}
