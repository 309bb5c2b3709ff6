//! A price that changes between quote and purchase: the purchase fails and takes nothing, whoever built it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clawos_client::solana::actions::skill_address;
use clawos_interface::ProgramError;
use clawos_receipts::Key;
use clawos_receipts::text::to_base58;
use clawos_tests::guests::{self, MARKDOWN_HTML};
use clawos_tests::processes::clawos::key;
use ed25519_dalek::Signer;
use serde_json::{Value, json};

use crate::world::{TRANSACTION_FEE, World, until};

/// Bytes before the message of a transaction with one signature.
const BEFORE_MESSAGE: usize = 1 + 64;

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_on_old_terms_fails_and_takes_nothing() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    world.publish(MARKDOWN_HTML);
    // Dearer, and cheaper: other terms than those agreed to are refused either way.
    for (old, new) in [("0.05", "0.06"), ("0.06", "0.04")] {
        let offer = world.post(&world.buyer, "/marketplace/purchase", &order(None)).await.json(200);
        world.edit(MARKDOWN_HTML, &format!("once = \"{old}\""), &format!("once = \"{new}\""));
        let updated = world.author.run(&["publish", &world.project(MARKDOWN_HTML), "--register-only"]);
        assert_eq!(updated["registration"]["action"], "update", "{updated}");
        nothing_is_taken(&world, &signed(&world, &offer)).await;
    }
    let cheap = json!({ "amount": "40000000", "currency": "SOL", "decimals": 9 });
    // A quote may be some seconds old, and says at which slot it was read; what is bought is read anew.
    until("the new price is quoted", async || world.buyer.run(&["quote", MARKDOWN_HTML])["price"] == cheap).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_again_moves_nobodys_income() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    let folder = world.project(MARKDOWN_HTML);
    let cold = to_base58(&[9; 32]);
    world.author.run(&["publish", &folder, "--no-build", "--payout", &cold]);
    let again = world.author.run(&["publish", &folder, "--register-only"]);
    assert_eq!((&again["registration"]["action"], &again["registration"]["payout"]), (&json!("none"), &json!(cold)));
    world.edit(MARKDOWN_HTML, "once = \"0.05\"", "once = \"0.06\"");
    let dearer = world.author.run(&["publish", &folder, "--register-only"]);
    assert_eq!(
        (&dearer["registration"]["action"], &dearer["registration"]["payout"]),
        (&json!("update"), &json!(cold))
    );
    let author = key(&Value::from(world.author.address()));
    let found = world.ledger().skill(&skill_address(&author, MARKDOWN_HTML)).await.expect("the chain answers");
    assert_eq!(found.value.expect("it is registered").payout, [9; 32]);
    // Who names another one gets it.
    let mine = world.author.run(&["publish", &folder, "--register-only", "--payout", &world.author.address()]);
    assert_eq!(mine["registration"]["action"], "update", "{mine}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_names_his_price_pays_no_more() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    world.publish(MARKDOWN_HTML);
    world.buyer.run(&["buy", MARKDOWN_HTML, "--max-price", "0.05 SOL", "--dry-run"]);
    world.edit(MARKDOWN_HTML, "once = \"0.05\"", "once = \"0.06\"");
    world.author.run(&["publish", &world.project(MARKDOWN_HTML), "--register-only"]);
    let before = world.sol(&buyer(&world)).await;
    let refused = world.buyer.attempt(&["buy", MARKDOWN_HTML, "--max-price", "0.05 SOL"]).expect_err("it is dearer");
    assert_eq!(refused.exit, 6, "{refused:?}");
    let answer = world.post(&world.buyer, "/marketplace/purchase", &order(Some("50000000"))).await;
    assert_eq!(answer.problem("price_above_max")["status"], 402);
    assert_eq!(world.sol(&buyer(&world)).await, before);
    let bought = world.buyer.run(&["buy", MARKDOWN_HTML, "--max-price", "0.06 SOL"]);
    assert_eq!(bought["price"]["amount"], "60000000", "{bought}");
}

fn order(max_price: Option<&str>) -> Value {
    json!({ "skill": MARKDOWN_HTML, "kind": "one_time", "tier": "personal", "max_price": max_price })
}

fn buyer(world: &World) -> Key {
    key(&Value::from(world.buyer.address()))
}

/// The server's unsigned transaction, signed by the buyer: base64 again.
fn signed(world: &World, offer: &Value) -> String {
    let text = offer["transaction"].as_str().expect("an offer has a transaction");
    let mut wire = BASE64.decode(text).expect("base64");
    assert_eq!(wire[0], 1, "the buyer alone signs");
    let signature = world.buyer.wallet().signing_key().sign(&wire[BEFORE_MESSAGE..]);
    wire[1..BEFORE_MESSAGE].copy_from_slice(&signature.to_bytes());
    BASE64.encode(wire)
}

/// The transaction is refused before it is sent, and fails when it is sent all the same.
async fn nothing_is_taken(world: &World, transaction: &str) {
    let (buyer, treasury) = (buyer(world), world.chain.address("treasury"));
    let author = key(&Value::from(world.author.address()));
    let before = (world.sol(&buyer).await, world.sol(&author).await, world.sol(&treasury).await);
    let checked = json!([transaction, { "encoding": "base64", "preflightCommitment": "confirmed" }]);
    let checked = world.rpc("sendTransaction", checked).await;
    let error = checked.expect_err("the terms have changed").to_string();
    assert!(error.contains(&format!("\"Custom\":{}", ProgramError::TermsChanged.code())), "{error}");
    let forced = json!([transaction, { "encoding": "base64", "skipPreflight": true }]);
    // Sent until it lands: a chain may lose it, and takes it once.
    until("it is confirmed that it failed", async || {
        let signature = world.rpc("sendTransaction", forced.clone()).await.expect("it is taken");
        let statuses = world.rpc("getSignatureStatuses", json!([[signature]])).await.expect("an answer");
        let status = &statuses["value"][0];
        assert!(status.is_null() || !status["err"].is_null(), "{status}");
        ["confirmed", "finalized"].map(Value::from).contains(&status["confirmationStatus"])
    })
    .await;
    // A transaction that fails pays its fee.
    let after = (world.sol(&buyer).await, world.sol(&author).await, world.sol(&treasury).await);
    assert_eq!(after, (before.0 - TRANSACTION_FEE, before.1, before.2));
    let skill = skill_address(&author, MARKDOWN_HTML);
    let licence = world.ledger().licence(&skill, &buyer).await.expect("the chain answers");
    assert!(licence.value.is_none());
}
