//! Usage by fuel: a call costs its megafuel rounded up, and only a call that its credit covers at the most is made.

use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use clawos_tests::processes::clawos::units;
use serde_json::{Value, json};

use crate::books::{self, Account};
use crate::world::{SETTLE_AT_ONCE, World, on_both_databases};

/// Base units of a megafuel: 0.001 USDC.
const PRICE: u64 = 1_000;
/// Megafuel that a call may use at most, by the manifest's limit.
const MOST: u64 = 20;
/// Megafuel that the first deposit pays for.
const DEPOSIT: u64 = 45;

on_both_databases!(a_call_costs_its_megafuel);

async fn a_call_costs_its_megafuel(database: &TestDatabase) {
    let world = World::enrolled_on(database, SETTLE_AT_ONCE);
    world.price(LOOPS, "currency = \"USDC\"\nusage = { amount = \"0.001\", per = \"megafuel\" }\n");
    world.edit(LOOPS, "fuel = 200_000_000", &format!("fuel = {}", MOST * 1_000_000));
    let licence = world.sell(LOOPS, &[], "0.045");

    let small = call(&world, "echo", "1");
    assert_eq!(billed(&small), 1, "a part of a megafuel is a whole one");
    let payload = r#"{"times": 250000}"#;
    let large = call(&world, "sleepless", payload);
    let each = billed(&large);
    assert!((2..MOST).contains(&each), "{large}");
    assert_eq!(billed(&call(&world, "sleepless", payload)), each, "fuel is deterministic");
    let trapped = world.buyer.refused(&["exec", LOOPS, "trap", "{}"], "trap");
    assert_eq!(billed(&trapped), 0, "{trapped}");

    // As long as the credit covers the most that a call can use, it is made.
    let mut left = DEPOSIT - 1 - 2 * each;
    while left >= MOST {
        left -= billed(&call(&world, "sleepless", payload));
    }
    let refused = world.buyer.refused(&["exec", LOOPS, "sleepless", payload], "insufficient_credit");
    assert!(refused["receipt"].is_null(), "{refused}");
    world.buyer.run(&["credit", "deposit", LOOPS, "0.02"]);
    call(&world, "sleepless", payload);

    let deposited = (DEPOSIT + 20) * PRICE;
    let totals = books::audit(&world, &[Account { skill: LOOPS, licence, deposited }]).await;
    let used = DEPOSIT - left + each;
    assert_eq!((totals[LOOPS].units, totals[LOOPS].amount), (used, used * PRICE));
    verifies(&world, &large, payload);
}

fn call(world: &World, endpoint: &str, payload: &str) -> Value {
    world.buyer.run(&["exec", LOOPS, endpoint, payload])
}

/// The units of a call's receipt, which must follow from its fuel, as must its amount.
fn billed(answer: &Value) -> u64 {
    let receipt = &answer["receipt"];
    let [fuel, used, amount] = ["fuel", "units", "amount"].map(|name| units(&receipt[name]));
    if receipt["outcome"] == "ok" {
        assert_eq!(used, fuel.div_ceil(1_000_000), "{answer}");
    }
    assert_eq!(amount, used * PRICE, "{answer}");
    used
}

fn verifies(world: &World, answer: &Value, payload: &str) {
    let id = answer["receipt"]["id"].as_str().expect("an id");
    let proof = world.buyer.run(&["receipts", "get", id, "--wait", "30"]);
    let receipt = world.write("receipt.json", &proof.to_string());
    let payload = world.write("payload.json", payload);
    let report = world.outsider.run(&["verify", "receipt", &receipt, "--replay", "--input", &payload]);
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("verified"), &json!(true)), "{report:#}");
}
