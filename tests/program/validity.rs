//! The answer on chain equals the rule off chain, for licences in any state at any time.

use clawos_interface::accounts::Licence;
use clawos_interface::rules::usage::day_of;
use clawos_interface::rules::validity::Reason;
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, Tier};
use proptest::prelude::*;
use proptest::sample::select;

use crate::harness::World;
use crate::people::*;
use crate::verify_access::ask;

/// A world with one licence to be rewritten.
fn licensed() -> (World, Key) {
    let mut world = World::new();
    let terms = world.terms(Currency::Sol, Kind::OneTime, 1_000_000);
    let skill = world.register("acme.skill", &terms);
    world.purchase(&skill, Kind::OneTime).expect("the purchase works");
    (world, skill)
}

/// Numbers around each other and around the ends, so that boundaries are hit.
fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![0..5_u64, Just(i64::MAX as u64), Just(u64::MAX), any::<u64>()]
}

/// Times around the present one, the ends of time and of days.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        select(&[0, 1, -1, 86_399, 86_400, i64::MAX, i64::MIN, u32::MAX as i64, u32::MAX as i64 + 1][..]),
        999_998..1_000_003_i64,
        any::<i64>()
    ]
}

/// A licence's state in plain numbers.
#[derive(Debug, Clone)]
struct State {
    codes: [u8; 4],
    amounts: [u64; 9],
    expires_at: i64,
    caps_eta: i64,
    same_day: bool,
    now: i64,
}

fn state() -> impl Strategy<Value = State> {
    let codes =
        (0..=4_u8, 0..=3_u8, 0..=4_u8, 0..=4_u8).prop_map(|(kind, tier, status, exit)| [kind, tier, status, exit]);
    let parts = (codes, prop::array::uniform9(amount()), time(), time(), any::<bool>(), time());
    parts.prop_map(|(codes, amounts, expires_at, caps_eta, same_day, now)| State {
        codes,
        amounts,
        expires_at,
        caps_eta,
        same_day,
        now,
    })
}

impl State {
    fn write(&self, licence: &mut Licence) {
        [licence.kind, licence.tier, licence.status, licence.exit_kind] = self.codes;
        let [limit, day_cap, next_limit, next_day_cap, total, in_day, credit, unbilled, price] = self.amounts;
        licence.usage_limit.set(limit);
        licence.max_units_per_day.set(day_cap);
        licence.next_usage_limit.set(next_limit);
        licence.next_units_per_day.set(next_day_cap);
        licence.usage_total.set(total);
        licence.day_units.set(in_day);
        licence.credit.set(credit);
        licence.unbilled.set(unbilled);
        licence.unit_price.set(price);
        licence.expires_at.set(self.expires_at);
        licence.caps_eta.set(self.caps_eta);
        licence.day.set(if self.same_day { day_of(self.now).unwrap_or_default() } else { 1 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_state_gets_the_same_answer(states in prop::collection::vec(state(), 40)) {
        let (mut world, skill) = licensed();
        for state in states {
            world.change_licence(&skill, |licence| state.write(licence));
            world.set_time(state.now);
            // `ask` compares the answer with the rule.
            let answer = ask(&mut world, &skill);
            prop_assert_eq!(answer.valid, answer.reason == Reason::Ok);
            prop_assert!(answer.valid || answer.units_left == 0);
        }
    }
}

#[test]
fn reasons_have_one_order() {
    let (mut world, skill) = licensed();
    let now = world.now();
    // Everything is wrong at once; each repair shows the next reason.
    world.change_licence(&skill, |licence| {
        licence.status = LicenceStatus::Refunded as u8;
        licence.exit_kind = ExitKind::Close as u8;
        licence.expires_at.set(now);
        licence.usage_limit.set(1);
        licence.usage_total.set(1);
    });
    assert_eq!(ask(&mut world, &skill).reason, Reason::Refunded);
    world.change_licence(&skill, |licence| licence.status = LicenceStatus::Suspended as u8);
    assert_eq!(ask(&mut world, &skill).reason, Reason::Closing);
    world.change_licence(&skill, |licence| licence.exit_kind = 0);
    assert_eq!(ask(&mut world, &skill).reason, Reason::Suspended);
    world.change_licence(&skill, |licence| licence.status = LicenceStatus::Active as u8);
    assert_eq!(ask(&mut world, &skill).reason, Reason::Expired);
    world.change_licence(&skill, |licence| licence.expires_at.set(now + 1));
    assert_eq!(ask(&mut world, &skill).reason, Reason::LimitReached);
    world.change_licence(&skill, |licence| licence.usage_limit.set(2));
    let answer = ask(&mut world, &skill);
    assert_eq!((answer.reason, answer.units_left, answer.tier), (Reason::Ok, 1, Tier::Personal as u8));
    assert_eq!(answer.meter, key(&meter()));
}
