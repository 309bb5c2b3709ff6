//! The whole job, as the demo shows it: publish, buy, call, settle, verify; every amount to the base unit.

use std::collections::HashSet;
use std::time::Duration;

use clawos_interface::PROGRAM_ID;
use clawos_receipts::text::to_base58;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::{self, LOOPS, MARKDOWN_HTML, TEXT_STATS};
use clawos_tests::processes::clawos::{key, units};
use serde_json::{Value, json};

use crate::books::{self, Account};
use crate::world::{SETTLE_AT_ONCE, SETTLE_LATE, World, on_both_databases, until};

/// What the skills work on.
const TEXT: &str = "Fuel is money, so it is deterministic. A skill that never ends is stopped, and costs nothing.";

on_both_databases!(the_whole_job);

async fn the_whole_job(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, SETTLE_LATE);
    author_publishes(&world);
    buyer_looks(&world);
    let markdown = buy_once(&world).await;
    let (stats, loops) = buy_usage(&world).await;
    let good = call_both(&world).await;
    refused_calls_cost_nothing(&world).await;
    let accounts = [
        Account { skill: TEXT_STATS, licence: stats, deposited: 5_000_000 },
        Account { skill: MARKDOWN_HTML, licence: markdown, deposited: 0 },
        Account { skill: LOOPS, licence: loops, deposited: 1_000_000 },
    ];
    settle(&mut world, &accounts).await;
    outsider_verifies(&world, &good);
}

fn author_publishes(world: &World) {
    for skill in [TEXT_STATS, MARKDOWN_HTML, LOOPS] {
        let folder = world.project(skill);
        world.author.run(&["check", &folder]);
        if skill != LOOPS {
            world.author.run(&["test", &folder]);
        }
        let dry = world.author.run(&["publish", &folder, "--no-build", "--dry-run"]);
        assert!(dry["registration"]["transaction"].is_null(), "{dry}");
        world.outsider.refused(&["show", skill], "skill_not_found");
        let done = world.publish(skill);
        assert_eq!(done["published"]["module_sha256"], dry["published"]["module_sha256"]);
        assert_eq!(done["registration"]["action"], "register", "{done}");
        let shown = world.outsider.run(&["show", skill]);
        assert_eq!(shown["chain"]["registered"], true, "{shown}");
        assert_eq!(shown["chain"]["terms_differ"], false, "{shown}");
        // Publishing again changes nothing: a version never changes, and the price on chain is right already.
        world.author.refused(&["publish", &folder, "--no-build"], "version_exists");
        let again = world.author.run(&["publish", &folder, "--register-only"]);
        assert_eq!(again["registration"]["action"], "none");
    }
}

fn buyer_looks(world: &World) {
    let found = world.buyer.run(&["search", "readability"]);
    assert_eq!(found["items"][0]["id"], TEXT_STATS, "{found}");
    assert!(found["items"].as_array().is_some_and(|items| items.iter().all(|item| item["id"] != LOOPS)));
    let once = world.buyer.run(&["quote", MARKDOWN_HTML, "--kind", "one_time"]);
    let amounts = ["price", "fee", "seller_receives"].map(|name| units(&once[name]));
    assert_eq!(amounts, [50_000_000, 1_250_000, 48_750_000], "{once}");
    let usage = world.buyer.run(&["quote", TEXT_STATS, "--kind", "usage", "--units", "7"]);
    assert_eq!((units(&usage["unit_price"]), units(&usage["total"])), (1_000, 7_000), "{usage}");
}

/// 0.05 SOL, split 97.5 to 2.5 in one transaction.
async fn buy_once(world: &World) -> [u8; 32] {
    let seller = key(&Value::from(world.author.address()));
    let treasury = world.chain.address("treasury");
    let before = (world.sol(&seller).await, world.sol(&treasury).await);
    let dry = world.buyer.run(&["buy", MARKDOWN_HTML, "--kind", "one_time", "--dry-run"]);
    assert_eq!(world.sol(&treasury).await, before.1, "a dry run pays nothing");
    let bought = world.buyer.run(&["buy", MARKDOWN_HTML, "--kind", "one_time"]);
    let after = (world.sol(&seller).await, world.sol(&treasury).await);
    assert_eq!((after.0 - before.0, after.1 - before.1), (48_750_000, 1_250_000));
    assert_eq!(bought["server_transaction_equal"], true, "{bought}");
    assert_eq!(bought["terms_hash"], dry["terms_hash"]);
    let licence = world.outsider.run(&["verify", "licence", MARKDOWN_HTML, &world.buyer.address()]);
    assert_eq!((&licence["valid"], &licence["details"]["kind"]), (&json!(true), &json!("one_time")));
    key(&bought["licence"])
}

async fn buy_usage(world: &World) -> ([u8; 32], [u8; 32]) {
    let buyer = key(&Value::from(world.buyer.address()));
    let before = world.usdc(&buyer).await;
    let stats = world.buyer.run(&["buy", TEXT_STATS, "--kind", "usage", "--max-price", "0.001 USDC"]);
    assert_eq!(world.usdc(&buyer).await, before, "a usage licence costs nothing until it is used");
    let deposit = world.buyer.run(&["credit", "deposit", TEXT_STATS, "5"]);
    assert_eq!(units(&deposit["credit"]), 5_000_000);
    let loops = world.buyer.run(&["buy", LOOPS, "--kind", "usage", "--limit", "1"]);
    world.buyer.refused(&["exec", LOOPS, "echo", "1"], "insufficient_credit");
    world.buyer.run(&["credit", "deposit", LOOPS, "1"]);
    assert_eq!(world.usdc(&buyer).await, before - 6_000_000);
    (key(&stats["licence"]), key(&loops["licence"]))
}

/// The files of a call that an outsider will be given.
struct Good {
    id: String,
    receipt: String,
    payload: String,
}

async fn call_both(world: &World) -> Vec<Good> {
    let calls = [
        (TEXT_STATS, "analyse", json!({ "text": TEXT }), 1_000),
        (MARKDOWN_HTML, "render", json!({ "markdown": "# Hi\n\n<script>alert(1)</script>\n\n*there*" }), 0),
    ];
    let mut good = Vec::new();
    for (skill, endpoint, payload, cost) in calls {
        let payload = world.write(&format!("{skill}.payload.json"), &payload.to_string());
        let receipt = world.path(&format!("{skill}.receipt.json")).display().to_string();
        let input = format!("@{payload}");
        let line = ["exec", skill, endpoint, &input, "--save-receipt", &receipt, "--idempotency-key", skill];
        let dry = world.buyer.run(&["exec", skill, endpoint, &input, "--dry-run"]);
        assert!(dry["receipt"].is_null() && units(&dry["price"]) == cost, "{dry}");
        let answer = world.buyer.run(&line);
        assert_eq!(units(&answer["price"]), cost, "{answer}");
        assert!(units(&answer["usage"]["fuel"]) > 0);
        assert_eq!(answer["receipt"]["fuel"], answer["usage"]["fuel"]);
        let again = world.buyer.run(&line);
        assert_eq!(again["receipt"]["id"], answer["receipt"]["id"], "a retry is not another call");
        if skill == TEXT_STATS {
            assert_eq!(answer["result"]["counts"]["words"], 17, "{answer}");
        } else {
            let html = answer["result"]["html"].as_str().expect("HTML");
            assert!(html.contains("<em>there</em>") && !html.contains("script"), "{html}");
        }
        good.push(Good { id: answer["receipt"]["id"].as_str().expect("an id").to_owned(), receipt, payload });
    }
    good
}

async fn refused_calls_cost_nothing(world: &World) {
    let payload = json!({ "markdown": "# hi" }).to_string();
    world.stranger.refused(&["exec", MARKDOWN_HTML, "render", &payload], "licence_required");
    world.outsider.refused(&["exec", MARKDOWN_HTML, "render", &payload], "unauthenticated");
    // The buyer's own limit on this licence is one unit, and failed calls use none of it.
    for (endpoint, payload, code) in [
        ("spin", "{}", "out_of_fuel"),
        ("trap", "{}", "trap"),
        ("bad_output", "{}", "output_invalid"),
        ("fail", r#"{"code": "not-found", "message": "no such thing"}"#, "guest_not_found"),
    ] {
        let problem = world.buyer.refused(&["exec", LOOPS, endpoint, payload], code);
        assert_eq!((units(&problem["receipt"]["units"]), units(&problem["receipt"]["amount"])), (0, 0), "{problem}");
        assert!(units(&problem["receipt"]["fuel"]) > 0, "{problem}");
    }
    let echoed = world.buyer.run(&["exec", LOOPS, "echo", r#"{"n": 1}"#]);
    assert_eq!(echoed["result"], json!({ "n": 1 }));
    let over = world.buyer.refused(&["exec", LOOPS, "echo", r#"{"n": 2}"#], "units_exhausted");
    assert!(over["receipt"].is_null(), "what did not run has no receipt: {over}");
    let kept = books::receipts(world, &world.buyer, LOOPS).await;
    assert_eq!(kept.len(), 5, "one receipt for each call that ran");
    assert_eq!(books::receipts(world, &world.author, LOOPS).await, kept, "the seller sees the same");
    assert!(books::receipts(world, &world.stranger, LOOPS).await.is_empty());
}

/// Everything is due at once: one transaction with a `record_usage` for each licence.
async fn settle(world: &mut World, accounts: &[Account]) {
    for account in accounts {
        assert_eq!(world.recorded(&account.licence).await, 0, "nothing is settled yet");
    }
    // By then even the newest receipt is due in the server's first round.
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.settle_now();
    let totals = books::audit(world, accounts).await;
    let seen: Vec<(u64, u64, u64)> =
        accounts.iter().map(|account| &totals[account.skill]).map(|t| (t.receipts, t.units, t.amount)).collect();
    assert_eq!(seen, [(1, 1, 1_000), (1, 1, 0), (5, 1, 1_000)]);
    let mut transactions = HashSet::new();
    for account in accounts {
        let batches = books::batches(world, &account.licence).await;
        assert_eq!(batches.len(), 1, "one batch for each licence");
        transactions.insert(batches[0]["transaction"].as_str().expect("it is settled").to_owned());
    }
    assert_eq!(transactions.len(), 1, "one transaction for all");
    let signature = transactions.into_iter().next().expect("there is one");
    let config = json!({ "encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 0 });
    let found = world.rpc("getTransaction", json!([signature, config])).await.expect("it is on chain");
    let message = &found["transaction"]["message"];
    let program = to_base58(&PROGRAM_ID);
    let of_ours = |instruction: &&Value| {
        let index = instruction["programIdIndex"].as_u64().expect("an index") as usize;
        message["accountKeys"][index] == program.as_str()
    };
    let records = message["instructions"].as_array().expect("instructions").iter().filter(of_ours).count();
    assert_eq!(records, accounts.len(), "a record_usage for each licence");
}

fn outsider_verifies(world: &World, good: &[Good]) {
    for call in good {
        let proof = world.buyer.run(&["receipts", "get", &call.id, "--wait", "30"]);
        std::fs::write(&call.receipt, proof.to_string()).expect("the test's folder can be written");
        let line = ["verify", "receipt", &call.receipt, "--replay", "--input", &call.payload];
        let report = world.outsider.run(&line);
        assert_eq!((&report["verdict"], &report["complete"]), (&json!("verified"), &json!(true)), "{report:#}");
    }
    let buyer = world.buyer.address();
    let licence = world.outsider.run(&["verify", "licence", TEXT_STATS, &buyer]);
    assert_eq!(licence["details"]["usage_total"], "1", "{licence}");
    // The server says which of the skills of that name is meant; the verifier says so, and takes the creator's address too.
    assert_eq!((&licence["creator"], &licence["creator_named_by"]), (&json!(world.author.address()), &json!("server")));
    let own = ["verify", "licence", TEXT_STATS, &buyer, "--creator", &world.author.address()];
    assert_eq!(world.outsider.run(&own)["creator_named_by"], "caller");
    let other = ["verify", "licence", TEXT_STATS, &buyer, "--creator", &world.stranger.address()];
    world.outsider.refused(&other, "account_not_found");
    assert_eq!(licence["details"]["credit"], "4999000");
    world.outsider.refused(&["verify", "licence", TEXT_STATS, &world.stranger.address()], "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn raising_the_own_limit_and_depositing_work_at_once() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(SETTLE_AT_ONCE);
    let licence = world.sell(LOOPS, &["--limit", "1"], "0.002");
    world.buyer.run(&["exec", LOOPS, "echo", "1"]);
    world.buyer.refused(&["exec", LOOPS, "echo", "2"], "units_exhausted");
    world.buyer.run(&["caps", LOOPS, "--limit", "0"]);
    world.buyer.run(&["exec", LOOPS, "echo", "3"]);
    world.buyer.refused(&["exec", LOOPS, "echo", "4"], "insufficient_credit");
    until("two units are recorded", async || world.recorded(&licence).await == 2).await;
    world.buyer.run(&["credit", "deposit", LOOPS, "0.001"]);
    world.buyer.run(&["exec", LOOPS, "echo", "5"]);
    books::audit(&world, &[Account { skill: LOOPS, licence, deposited: 3_000 }]).await;
}
