//! 64 calls at once on a licence with 10 units left: exactly 10 succeed.

use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use futures::future::join_all;
use serde_json::json;

use crate::books::{self, Account};
use crate::world::{SETTLE_LATE, World, on_both_databases};

on_both_databases!(exactly_as_many_parallel_calls_succeed_as_units_are_left);

async fn exactly_as_many_parallel_calls_succeed_as_units_are_left(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, SETTLE_LATE);
    let licence = world.sell(LOOPS, &["--limit", "13"], "5");
    for n in 0..3 {
        world.buyer.run(&["exec", LOOPS, "echo", &n.to_string()]);
    }
    let calls = (0..64).map(|n| {
        let world = &world;
        async move { world.call(LOOPS, "echo", json!({ "n": n }), &format!("call-{n}")).await.expect("an answer") }
    });
    let answers = join_all(calls).await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 10, "{:?}", answers.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>());
    for answer in refused {
        let problem = answer.problem("units_exhausted");
        assert_eq!(problem["status"], 402);
        assert!(problem["receipt"].is_null(), "what did not run has no receipt");
    }
    world.buyer.refused(&["exec", LOOPS, "echo", "14"], "units_exhausted");
    world.settle_now();
    let totals = books::audit(&world, &[Account { skill: LOOPS, licence, deposited: 5_000_000 }]).await;
    assert_eq!((totals[LOOPS].receipts, totals[LOOPS].units, totals[LOOPS].amount), (13, 13, 13_000));
    world.buyer.refused(&["exec", LOOPS, "echo", "15"], "units_exhausted");
}

on_both_databases!(exactly_as_many_parallel_calls_succeed_as_the_credit_pays);

async fn exactly_as_many_parallel_calls_succeed_as_the_credit_pays(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, SETTLE_LATE);
    let licence = world.sell(LOOPS, &[], "0.005");
    let calls = (0..24).map(|n| {
        let world = &world;
        async move { world.call(LOOPS, "echo", json!({ "n": n }), &format!("call-{n}")).await.expect("an answer") }
    });
    let answers = join_all(calls).await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 5, "{:?}", answers.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>());
    for answer in refused {
        answer.problem("insufficient_credit");
    }
    world.settle_now();
    books::audit(&world, &[Account { skill: LOOPS, licence, deposited: 5_000 }]).await;
}
