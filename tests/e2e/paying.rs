//! Who has paid is served at once: a refusal a moment ago is no reason for the next one.

use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;

use crate::books::{self, Account};
use crate::world::{SETTLE_AT_ONCE, World, on_both_databases};

/// How often the credit runs out and is filled up.
const ROUNDS: u64 = 4;
/// Base units of a call.
const PRICE: u64 = 1_000;

on_both_databases!(a_licence_and_credit_are_good_for_the_next_call);

async fn a_licence_and_credit_are_good_for_the_next_call(database: &TestDatabase) {
    let world = World::enrolled_on(database, SETTLE_AT_ONCE);
    world.publish(LOOPS);
    let call = ["exec", LOOPS, "echo", "1"];
    let refused = |code: &str| {
        for _ in 0..3 {
            world.buyer.refused(&call, code);
        }
    };
    refused("licence_required");
    let licence = world.buy_usage(LOOPS, &[], "0.001");
    world.buyer.run(&call);
    for _ in 1..ROUNDS {
        refused("insufficient_credit");
        world.buyer.run(&["credit", "deposit", LOOPS, "0.001"]);
        world.buyer.run(&call);
    }
    let totals = books::audit(&world, &[Account { skill: LOOPS, licence, deposited: ROUNDS * PRICE }]).await;
    assert_eq!((totals[LOOPS].receipts, totals[LOOPS].amount), (ROUNDS, ROUNDS * PRICE));
}
