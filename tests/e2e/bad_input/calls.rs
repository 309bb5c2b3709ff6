//! Calls that are wrong, and calls of a skill that is: nothing is charged for any of them.

use clawos_manifest::limits::MAX_INPUT_BYTES;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use serde_json::{Value, json};

use super::Table;
use crate::books::{self, Account};
use crate::world::{SETTLE_LATE, World, on_both_databases};

on_both_databases!(calls);

async fn calls(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, SETTLE_LATE);
    let licence = world.sell(LOOPS, &[], "1");
    let mut table = Table::default();
    what_the_caller_does_wrong(&world, &mut table).await;
    let ran = what_the_skill_does_wrong(&world, &mut table).await;
    let receipts = books::receipts(&world, &world.buyer, LOOPS).await;
    assert_eq!(receipts.len(), ran, "what ran has a receipt, and nothing else");
    world.settle_now();
    let totals = books::audit(&world, &[Account { skill: LOOPS, licence, deposited: 1_000_000 }]).await;
    assert_eq!((totals[LOOPS].units, totals[LOOPS].amount), (0, 0), "nothing was charged");
}

async fn what_the_caller_does_wrong(world: &World, table: &mut Table) {
    let long = "x".repeat(70);
    let large = "x".repeat(MAX_INPUT_BYTES as usize);
    let cases: [(&str, &str, Value, u16, &str); 12] = [
        (
            "a payload that does not match its schema",
            LOOPS,
            call("sleepless", json!({ "times": "many" })),
            422,
            "payload_invalid",
        ),
        (
            "a payload with an unknown field",
            LOOPS,
            call("sleepless", json!({ "times": 1, "x": 1 })),
            422,
            "payload_invalid",
        ),
        ("a payload that is missing", LOOPS, json!({ "endpoint": "echo" }), 400, "invalid_body"),
        ("a payload that is too large", LOOPS, call("echo", json!(large)), 413, "payload_too_large"),
        ("an endpoint that is not there", LOOPS, call("no-such", json!({})), 404, "endpoint_not_found"),
        ("an endpoint with too long a name", LOOPS, call(&long, json!({})), 422, "validation_failed"),
        ("a skill that is not there", "acme.nothing", call("echo", json!({})), 404, "skill_not_found"),
        ("a skill's name that is none", "Not A Name", call("echo", json!({})), 404, "skill_not_found"),
        ("an unknown field", LOOPS, with("surprise", json!(1)), 400, "invalid_body"),
        ("max_cost below the price", LOOPS, with("max_cost", json!("999")), 402, "max_cost_exceeded"),
        ("max_cost that is no number", LOOPS, with("max_cost", json!("1e3")), 400, "invalid_body"),
        ("a version that is not there", LOOPS, with("version", json!("9.9.9")), 404, "version_not_found"),
    ];
    for (what, skill, body, status, code) in cases {
        let answer = world.post(&world.buyer, &format!("/skills/{skill}/execute"), &body).await;
        table.http(&format!("call: {what}"), &answer, status, code);
    }
    let free = world.post(&world.stranger, &format!("/skills/{LOOPS}/execute"), &call("echo", json!(1))).await;
    table.http("call: without a licence", &free, 402, "licence_required");
    let bounded = |bound: &'static str| ["exec", LOOPS, "echo", "1", "--dry-run", "--max-cost", bound];
    world.buyer.run(&bounded("0.01 USDC"));
    let other = world.buyer.attempt(&bounded("0.01 SOL"));
    table.command("clawos exec: a bound in another currency than the skill's", other, 2, "usage");
}

/// Gives how many calls ran.
async fn what_the_skill_does_wrong(world: &World, table: &mut Table) -> usize {
    let refusal = |code: &str| json!({ "code": code, "message": "as asked" });
    let cases = [
        ("output that does not match its schema", "bad_output", json!({}), 502, "output_invalid"),
        ("a panic", "trap", json!({}), 502, "trap"),
        ("an endless loop", "spin", json!({}), 422, "out_of_fuel"),
        ("refusing the request", "fail", refusal("bad-request"), 422, "guest_bad_request"),
        ("not finding it", "fail", refusal("not-found"), 404, "guest_not_found"),
        ("being unavailable", "fail", refusal("unavailable"), 503, "guest_unavailable"),
        ("an error of its own", "fail", refusal("internal"), 502, "guest_internal"),
    ];
    for (what, endpoint, payload, status, code) in &cases {
        let path = format!("/skills/{LOOPS}/execute");
        let answer = world.post(&world.buyer, &path, &call(endpoint, payload.clone())).await;
        let problem = table.http(&format!("skill: {what}"), &answer, *status, code);
        assert_eq!(problem["receipt"]["amount"], "0", "{problem}");
    }
    cases.len()
}

fn call(endpoint: &str, payload: Value) -> Value {
    json!({ "endpoint": endpoint, "payload": payload })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = call("echo", json!(1));
    body[name] = value;
    body
}
