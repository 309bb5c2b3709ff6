//! From receipts to the chain: batches, proofs, money, and what a restart or a lost chain changes (nothing).

use clawos_interface::rules::fee::fee_of;
use clawos_interface::rules::usage::{Caps, first_root, next_root};
use clawos_interface::{Kind, sha256};
use clawos_receipts::batch::anchored_root;
use clawos_receipts::merkle::{Step, verify_path};
use clawos_receipts::text::from_hex;
use clawos_receipts::{SignedReceipt, statement};
use clawos_tests::app::{TestApp, TestDatabase, databases};
use clawos_tests::chain;
use clawos_tests::market::{Buyer, Market, stranger};
use clawos_tests::publication::{ONE_TIME_PRICING, Publication, USAGE_PRICING};
use clawos_tests::relay::Relay;
use reqwest::header;
use serde_json::{Value, json};

use crate::execute::receipt;

/// What one call costs: 0.001 USDC in base units.
pub(crate) const CALL: u64 = 1_000;
/// Longer than the default age of a batch, milliseconds.
pub(crate) const BATCH_AGE: i64 = 61_000;

pub(crate) fn usage(handle: &str) -> Publication {
    Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING)
}

fn number(value: &Value) -> u64 {
    value.as_str().expect("a decimal string").parse().expect("a number")
}

fn hash(value: &Value) -> [u8; 32] {
    from_hex(value.as_str().expect("hex")).expect("32 bytes")
}

/// Checks the proof of a receipt down to the licence's root on chain, as an outsider would.
pub(crate) async fn check_proof(market: &Market, buyer: &Buyer, signed: &SignedReceipt) -> Value {
    let answer = market.anchored(buyer, &signed.receipt.id).await;
    let anchor = &answer["anchor"];
    let path: Vec<Step> = serde_json::from_value(anchor["path"].clone()).expect("a path");
    assert!(verify_path(signed.receipt.leaf_hash(), &path, hash(&anchor["tree_root"])));
    let licence = signed.receipt.licence.expect("a licence");
    let totals = ["seq", "count", "units", "amount"].map(|name| number(&anchor[name]));
    let [seq, count, units, amount] = totals;
    assert_eq!(
        anchored_root(&licence, seq, count, units, amount, &hash(&anchor["tree_root"])),
        hash(&anchor["anchored_root"])
    );
    answer
}

/// The licence's hash chain recomputed from the published batches.
async fn recomputed_root(market: &Market, buyer: &Buyer) -> [u8; 32] {
    let licence = market.licence(buyer).await;
    let key = clawos_interface::pda::licence(&market.skill_account(), &buyer.wallet.key()).0;
    let path = format!("/licences/{}/batches", bs58::encode(key).into_string());
    let listed = market.app.get(&path).await.json(200);
    let first = first_root(sha256, &key, licence.created_slot());
    assert_eq!(hash(&listed["first_root"]), first);
    let confirmed = listed["items"].as_array().unwrap().iter().filter(|batch| batch["status"] == "confirmed");
    confirmed.fold(first, |root, batch| {
        assert_eq!(hash(&batch["prev_root"]), root);
        next_root(sha256, &root, &hash(&batch["anchored_root"]))
    })
}

#[tokio::test]
async fn usage_is_settled_to_the_base_unit_and_proved() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 100 * CALL).await;
        let mint = market.listing().await.config.usdc_mint;
        let author = *market.author.key.verifying_key().as_bytes();
        let paid_before = market.chain.tokens(&author, &mint).await.unwrap();
        let mut signed = Vec::new();
        for n in 0..7 {
            signed.push(receipt(&market.call(&buyer, &n.to_string()).await.json(200)));
        }
        market.app.clock.advance(BATCH_AGE);
        for one in &signed {
            check_proof(&market, &buyer, one).await;
        }
        let licence = market.licence(&buyer).await;
        assert_eq!((licence.usage_total(), licence.credit(), licence.unbilled()), (7, 93 * CALL, 0));
        assert_eq!(recomputed_root(&market, &buyer).await, licence.chain_root);
        let received = market.chain.tokens(&author, &mint).await.unwrap() - paid_before;
        assert_eq!(received, 7 * CALL - fee_of(7 * CALL, 250));
        // What is settled is not counted a second time: 93 units are left, and 93 only.
        let seen = market.app.get_as(buyer.agent.token(), &format!("/marketplace/verify/{}", market.skill)).await;
        assert_eq!(number(&seen.json(200)["units_left"]), 93);
    }
}

#[tokio::test]
async fn a_restart_between_call_and_settlement_loses_and_doubles_nothing() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 5 * CALL).await;
        let first = receipt(&market.call(&buyer, "before").await.json(200));
        let market = market.restart(&database).await;
        let second = receipt(&market.call(&buyer, "after").await.json(200));
        market.app.clock.advance(BATCH_AGE);
        check_proof(&market, &buyer, &first).await;
        let market = market.restart(&database).await;
        check_proof(&market, &buyer, &second).await;
        market.app.clock.advance(BATCH_AGE);
        let third = receipt(&market.call(&buyer, "third").await.json(200));
        market.app.clock.advance(BATCH_AGE);
        check_proof(&market, &buyer, &third).await;
        let licence = market.licence(&buyer).await;
        assert_eq!((licence.usage_total(), licence.credit()), (3, 2 * CALL));
        assert_eq!(recomputed_root(&market, &buyer).await, licence.chain_root);
        for _ in 0..2 {
            market.call(&buyer, "rest").await.json(200);
        }
        market.call(&buyer, "none").await.problem("insufficient_credit");
    }
}

#[tokio::test]
async fn several_licences_share_a_transaction() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let mut buyers = Vec::new();
    for name in ["one", "two", "three"] {
        let buyer = market.buyer(name).await;
        market.buy_usage(&buyer, 10 * CALL).await;
        buyers.push(buyer);
    }
    let mut signed = Vec::new();
    for buyer in &buyers {
        signed.push(receipt(&market.call(buyer, "hello").await.json(200)));
    }
    market.app.clock.advance(BATCH_AGE);
    let mut transactions = std::collections::HashSet::new();
    for (buyer, one) in buyers.iter().zip(&signed) {
        let answer = check_proof(&market, buyer, one).await;
        transactions.insert(answer["anchor"]["transaction"].as_str().unwrap().to_owned());
    }
    assert!(transactions.len() < 3, "{transactions:?}");
}

#[tokio::test]
async fn use_without_a_price_is_anchored_too_when_its_time_comes() {
    let market =
        Market::open(&TestDatabase::Sqlite, |handle| Publication::priced(handle, "echo", "1.0.0", ONE_TIME_PRICING))
            .await;
    let buyer = market.buyer("buyer").await;
    market.buy(&buyer, Kind::OneTime, Caps::default()).await;
    let signed = receipt(&market.call(&buyer, "hello").await.json(200));
    let path = format!("/receipts/{}", signed.receipt.id);
    market.app.clock.advance(BATCH_AGE);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(market.app.get_as(buyer.agent.token(), &path).await.json(200)["anchor"], Value::Null);
    market.app.clock.advance(i64::try_from(market.app.config.settle.anchor_max_age_ms).unwrap());
    check_proof(&market, &buyer, &signed).await;
    let licence = market.licence(&buyer).await;
    assert_eq!((licence.usage_total(), licence.billed_total()), (1, 0));
}

#[tokio::test]
async fn receipts_and_leaves_are_for_buyer_and_seller_only() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let (buyer, nosy) = (market.buyer("buyer").await, market.buyer("nosy").await);
    market.buy_usage(&buyer, 10 * CALL).await;
    let signed = receipt(&market.call(&buyer, "hello").await.json(200));
    let path = format!("/receipts/{}", signed.receipt.id);
    market.app.get_as(market.author.token(), &path).await.json(200);
    market.app.get_as(nosy.agent.token(), &path).await.problem("receipt_not_found");
    market.app.get(&path).await.problem("unauthenticated");
    market.app.clock.advance(BATCH_AGE);
    market.anchored(&buyer, &signed.receipt.id).await;
    let key = bs58::encode(signed.receipt.licence.unwrap()).into_string();
    let batch = format!("/licences/{key}/batches/1");
    let leaves = |answer: Value| answer["leaves"].clone();
    let mine = leaves(market.app.get_as(buyer.agent.token(), &batch).await.json(200));
    let leaf = signed.receipt.leaf();
    let receipt_sha256 = hex::encode(leaf.receipt_sha256);
    let expected =
        json!({ "receipt": signed.receipt.id, "receipt_sha256": receipt_sha256, "units": "1", "amount": "1000" });
    assert_eq!(mine, json!([expected]));
    assert_eq!((leaf.units, leaf.amount), (1, CALL));
    assert_eq!(leaves(market.app.get_as(market.author.token(), &batch).await.json(200)), mine);
    assert_eq!(leaves(market.app.get_as(nosy.agent.token(), &batch).await.json(200)), Value::Null);
    assert_eq!(leaves(market.app.get(&batch).await.json(200)), Value::Null);
    let settings = json!({ "name": "blind", "scopes": ["invoke"] });
    let blind = market.app.post_as(buyer.agent.token(), "/agents/me/keys", &settings).await.json(201);
    assert_eq!(leaves(market.app.get_as(blind["key"].as_str().unwrap(), &batch).await.json(200)), Value::Null);
    market.app.get(&format!("/licences/{key}/batches/2")).await.problem("not_found");
    let nobody = bs58::encode(stranger()).into_string();
    market.app.get(&format!("/licences/{nobody}/batches")).await.problem("not_found");
    market.app.get("/licences/rubbish/batches").await.problem("not_found");
}

#[tokio::test]
async fn receipts_are_listed_page_by_page_newest_first() {
    for database in databases().await {
        let market = Market::open(&database, |handle| Publication::echo(handle, "echo", "1.0.0")).await;
        let buyer = market.buyer("buyer").await;
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(receipt(&market.call(&buyer, &n.to_string()).await.json(200)).receipt.id);
            market.app.clock.advance(1_000);
        }
        ids.reverse();
        let mut cursor = String::new();
        for expected in ids.chunks(2) {
            let page = market.app.get_as(buyer.agent.token(), &format!("/receipts?limit=2{cursor}")).await.json(200);
            let items = page["items"].as_array().unwrap();
            let seen: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
            assert_eq!(seen, expected);
            assert_eq!(page["next_cursor"].is_string(), expected.len() == 2, "only the last page is not full");
            cursor = format!("&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
        }
        let theirs = market.app.get_as(market.author.token(), "/receipts?skill=acme.echo").await.json(200);
        assert_eq!(theirs["items"].as_array().unwrap().len(), 5);
        market.app.get_as(buyer.agent.token(), "/receipts?cursor=rubbish").await.problem("validation_failed");
        market.app.get_as(buyer.agent.token(), "/receipts?limit=0").await.problem("validation_failed");
    }
}

#[tokio::test]
async fn while_the_chain_is_down_a_known_licence_counts_until_the_grace_window_closes() {
    for grace in [60, 0] {
        let way = Relay::to(&chain::shared().rpc_url()).await;
        let change = |config: &mut clawos_config::Config| {
            config.chain.rpc_url = way.url();
            config.chain.grace_secs = grace;
        };
        let market = Market::with(&TestDatabase::Sqlite, change, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 10 * CALL).await;
        market.call(&buyer, "up").await.json(200);
        way.set_up(false);
        assert_eq!(market.call(&buyer, "cached").await.json(200)["licence"]["source"], "cache");
        market.app.clock.advance(31_000);
        let late = market.call(&buyer, "late").await;
        if grace == 0 {
            assert!(late.headers.contains_key(header::RETRY_AFTER));
            late.problem("rpc_unavailable");
        } else {
            let answer = late.json(200);
            assert_eq!(answer["licence"]["source"], "grace");
            assert!(receipt(&answer).receipt.licence_age_ms.unwrap() >= 31_000);
            market.app.clock.advance(30_000);
            market.call(&buyer, "too late").await.problem("rpc_unavailable");
        }
        way.set_up(true);
        market.app.clock.advance(2_000);
        assert_eq!(market.call(&buyer, "up again").await.json(200)["licence"]["source"], "chain");
    }
}

#[tokio::test]
async fn the_receipt_key_is_certified_by_the_meter_and_stays_so() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let read = async |market: &Market| {
        let answer =
            market.app.http.get(format!("{}/.well-known/clawos.json", market.app.origin)).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    };
    let before = read(&market).await;
    let keys: Vec<statement::CertifiedKey> = serde_json::from_value(before["receipt_keys"].clone()).unwrap();
    let key = |name: &str| clawos_receipts::text::from_base58::<32>(before[name].as_str().unwrap()).unwrap();
    let certificate = keys[0].statement(key("genesis"), key("program"));
    certificate.verify(&key("meter"), &keys[0].certificate).expect("the meter vouches for the receipt key");
    assert_eq!(key("meter"), market.listing().await.config.meter);
    let market = market.restart(&TestDatabase::Sqlite).await;
    assert_eq!(read(&market).await["receipt_keys"], before["receipt_keys"]);
}

#[tokio::test]
async fn two_servers_on_one_database_never_sell_a_unit_twice() {
    let Some(database) = databases().await.into_iter().find(|database| matches!(database, TestDatabase::Postgres(_)))
    else {
        return;
    };
    let market = Market::open(&database, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 10 * CALL).await;
    let first = market.app.folder().to_path_buf();
    let second = TestApp::with(&database, |config| {
        for name in ["meter.json", "server.key"] {
            std::fs::copy(first.join(name), config.data.data.join(name)).expect("the first server made it");
        }
        config.data.artifacts = Some(first.join("artifacts"));
    })
    .await;
    let path = format!("/skills/{}/execute", market.skill);
    let calls = (0..64).map(|n| {
        let app = if n % 2 == 0 { &market.app } else { &second };
        let body = json!({ "endpoint": "echo", "payload": { "text": n.to_string() } });
        let (path, token) = (&path, buyer.agent.token());
        // More calls than sandboxes are told to come back, and calls for units that the other server holds.
        async move { Market::until_served(|| app.post_as(token, path, &body)).await.status.as_u16() }
    });
    let statuses = futures::future::join_all(calls).await;
    let succeeded = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(succeeded, 10, "{statuses:?}");
    // Both servers' receipts are settled, by one of them, and nothing is left unpaid.
    market.app.clock.advance(BATCH_AGE);
    second.clock.advance(BATCH_AGE);
    let listed = market.app.get_as(buyer.agent.api_key(), "/receipts?limit=100").await.json(200);
    for item in listed["items"].as_array().unwrap() {
        market.anchored(&buyer, item["id"].as_str().unwrap()).await;
    }
    let licence = market.licence(&buyer).await;
    assert_eq!((licence.usage_total(), licence.unbilled()), (u64::try_from(succeeded).unwrap(), 0));
}
