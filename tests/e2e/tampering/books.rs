//! An operator who changes what is stored against `verify licence --batches`: buyer, seller and outsider see it.

use clawos_receipts::text::to_base58;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::{self, LOOPS};
use clawos_tests::processes::Clawos;
use serde_json::{Value, json};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection};

use super::{Settled, settled};
use crate::world::{SETTLE_LATE, World, on_both_databases};

/// Changes the server's database behind its back.
async fn tamper(world: &World, database: &TestDatabase, statement: &'static str, bound: &str) {
    let url = match database {
        TestDatabase::Sqlite => format!("sqlite://{}", world.server.folder().join("clawos.db").display()),
        TestDatabase::Postgres(url) => url.clone(),
    };
    install_default_drivers();
    let mut database = AnyConnection::connect(&url).await.expect("it is a database");
    let done = sqlx::query(statement).bind(bound).execute(&mut database).await.expect("it is SQL");
    assert_eq!(done.rows_affected(), 1, "{statement}");
}

/// The verdict on the licence's batches, and the names of the checks that failed.
fn judged(report: &Value) -> (&str, Vec<&str>) {
    let checks = report["batches"]["checks"].as_array().expect("checks");
    let failed = checks.iter().filter(|check| check["verdict"] == "failed");
    let names = failed.map(|check| check["name"].as_str().expect("a name")).collect();
    (report["batches"]["verdict"].as_str().expect("a verdict"), names)
}

on_both_databases!(what_the_operator_changes_in_the_books_is_seen_by_who_adds_them_up);

async fn what_the_operator_changes_in_the_books_is_seen_by_who_adds_them_up(database: &TestDatabase) {
    let Settled { world, licence, proof, .. } = settled(database).await;
    let buyer = world.buyer.address();
    let line = ["verify", "licence", LOOPS, &buyer, "--batches"];
    for agent in [&world.buyer, &world.author] {
        let honest = agent.run(&line);
        assert_eq!(judged(&honest), ("verified", Vec::new()), "{honest:#}");
    }
    // Who is neither buyer nor seller sees the totals, and that he does not see more.
    for agent in [&world.outsider, &world.stranger] {
        let honest = agent.run(&line);
        assert_eq!(judged(&honest), ("verified_except", Vec::new()), "{honest:#}");
        let conclusion = honest["batches"]["conclusion"].as_str().expect("a line");
        assert!(conclusion.contains("leaves not checked (only the licence's buyer and seller"), "{conclusion}");
    }
    let licence = to_base58(&licence);
    let refused = |agent: &Clawos, expected: &[&str]| {
        let problem = agent.refused(&line, "invalid");
        let errors = problem["errors"].as_array().expect("findings");
        let names: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().expect("a name")).collect();
        assert_eq!(names, expected, "{problem:#}");
    };
    // Totals that are not those on chain.
    tamper(&world, database, "UPDATE batches SET units = 504 WHERE licence = $1", &licence).await;
    refused(&world.outsider, &["batch_roots", "hash_chain", "totals"]);
    tamper(&world, database, "UPDATE batches SET units = count WHERE licence = $1", &licence).await;
    world.outsider.run(&line);
    // A body that is not the anchored one, and then one that is gone.
    let id = proof["receipt"]["id"].as_str().expect("an id");
    let body = "UPDATE receipts SET body = replace(body, '\"outcome\":\"ok\"', '\"outcome\":\"trap\"') WHERE id = $1";
    tamper(&world, database, body, id).await;
    refused(&world.buyer, &["leaves", "receipts"]);
    tamper(&world, database, "DELETE FROM receipts WHERE id = $1", id).await;
    refused(&world.buyer, &["leaves"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_home_proves_the_anchor_from_the_receipt_alone() {
    if !guests::available() {
        return;
    }
    let mut world = World::enrolled(SETTLE_LATE);
    world.sell(LOOPS, &[], "5");
    let payload = world.write("payload.json", r#"{"n": 1}"#);
    let receipt = world.path("receipt.json").display().to_string();
    world.buyer.run(&["exec", LOOPS, "echo", &format!("@{payload}"), "--save-receipt", &receipt]);
    world.buyer.run(&["exec", LOOPS, "echo", "2"]);
    let line = ["verify", "receipt", &receipt, "--replay", "--input", &payload];
    let strict = [&line[..], &["--require-anchor"]].concat();
    // Not in a batch yet: that is said, and only who needs the anchor is refused.
    let early = world.outsider.run(&line);
    assert_eq!((&early["verdict"], &early["anchored"]), (&json!("verified_except"), &json!(false)), "{early:#}");
    let conclusion = early["conclusion"].as_str().expect("a line");
    assert!(
        conclusion.contains("anchor not checked (the server says that the receipt is not in a batch yet"),
        "{early:#}"
    );
    let refused = world.outsider.attempt(&strict).expect_err("it is not on chain");
    assert_eq!((refused.exit, refused.code()), (9, "not_anchored"), "{refused:#?}");
    world.settle_now();
    let id = early["receipt"].as_str().expect("an id");
    world.buyer.run(&["receipts", "get", id, "--wait", "30"]);
    let proven = world.outsider.run(&strict);
    assert_eq!((&proven["verdict"], &proven["anchored"]), (&json!("verified"), &json!(true)), "{proven:#}");
    // For people the verdict is the last line.
    let said = world.outsider.for_people(&strict);
    assert!(said.trim_end().lines().last().is_some_and(|last| last.starts_with("verified: all ")), "{said}");
    // A failed call never gets there, so waiting would be in vain.
    let refused = world.buyer.attempt(&["exec", LOOPS, "trap", "{}"]).expect_err("it fails");
    let failed = world.write("failed.json", &refused.problem["receipt"].to_string());
    assert_eq!(world.outsider.run(&["verify", "receipt", &failed])["verdict"], "verified");
    let never = world.outsider.attempt(&["verify", "receipt", &failed, "--require-anchor"]).expect_err("never");
    assert_eq!((never.exit, never.code()), (5, "unproven"), "{never:#?}");
}

on_both_databases!(an_operator_who_raises_a_bill_before_it_is_settled_is_not_paid_for_it);

async fn an_operator_who_raises_a_bill_before_it_is_settled_is_not_paid_for_it(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, SETTLE_LATE);
    let licence = world.sell(LOOPS, &[], "5");
    let mut receipts = Vec::new();
    for n in 0..5 {
        let file = world.path(&format!("{n}.json")).display().to_string();
        world.buyer.run(&["exec", LOOPS, "echo", &n.to_string(), "--save-receipt", &file]);
        receipts.push(file);
    }
    let first: Value = serde_json::from_slice(&std::fs::read(&receipts[0]).expect("it was saved")).expect("JSON");
    let id = first["id"].as_str().expect("an id");
    tamper(&world, database, "UPDATE receipts SET units = units + 500 WHERE id = $1", id).await;
    world.settle_now();
    let second: Value = serde_json::from_slice(&std::fs::read(&receipts[1]).expect("it was saved")).expect("JSON");
    world.buyer.run(&["receipts", "get", second["id"].as_str().expect("an id"), "--wait", "30"]);
    assert_eq!(world.recorded(&licence).await, 4, "four calls are billed, and no unit more");
    let buyer = world.buyer.address();
    let report = world.buyer.run(&["verify", "licence", LOOPS, &buyer, "--batches"]);
    assert_eq!(judged(&report).0, "verified", "{report:#}");
    let said = world.outsider.run(&["verify", "receipt", &receipts[0]]);
    let conclusion = said["conclusion"].as_str().expect("a line");
    assert!(conclusion.contains("what the server has stored is not what was signed"), "{conclusion}");
}
