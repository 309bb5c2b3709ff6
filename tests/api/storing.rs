//! What a call set aside while its receipt is stored: kept until then, free again when the receipt could not be stored.

use clawos_config::Config;
use clawos_tests::app::{TestDatabase, databases};
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use clawos_tests::scratch::SmallDisk;
use serde_json::json;

use crate::execute::receipt;
use crate::settlement::{BATCH_AGE, CALL, check_proof, usage};
use crate::tampered::tamper;

/// No receipt can be stored from now on.
const BREAK: &str = "ALTER TABLE receipts RENAME TO receipts_elsewhere";
/// It can again.
const REPAIR: &str = "ALTER TABLE receipts_elsewhere RENAME TO receipts";

#[tokio::test]
async fn a_call_whose_idempotency_key_another_request_took_over_is_that_ones_to_charge() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 10 * CALL).await;
    // While the call is under way: its claim ran out, and a repetition of the request claimed the key.
    let over = "CREATE TRIGGER over AFTER INSERT ON leases BEGIN UPDATE idempotency SET claim = 'another'; END";
    sql(&market, over).await;
    let body = json!({ "endpoint": "echo", "payload": { "text": "once" } });
    let late = receipt(&market.execute(&buyer, &body, Some("key-1")).await.json(200));
    sql(&market, "DROP TRIGGER over").await;
    tamper(&market, "UPDATE receipts SET id = id WHERE id = $1 AND settlement = 'waived'", &late.receipt.id).await;
    let paid = receipt(&market.call(&buyer, "paid").await.json(200));
    market.app.clock.advance(BATCH_AGE);
    check_proof(&market, &buyer, &paid).await;
    let settled = market.licence(&buyer).await;
    assert_eq!((settled.usage_total(), settled.credit()), (1, 9 * CALL));
}

#[tokio::test]
async fn a_call_is_told_when_the_disk_has_no_room_for_its_receipt() {
    let Some(disk) = SmallDisk::mount(2048) else { return };
    let url = format!("sqlite:{}", disk.path().join("clawos.db").display());
    let change = |config: &mut Config| config.data.database_url = Some(url);
    let market = Market::with(&TestDatabase::Sqlite, change, |handle| Publication::echo(handle, "echo", "1.0.0")).await;
    let buyer = market.buyer("buyer").await;
    let filler = disk.fill();
    // The log of the database has room for a few more.
    let mut refused = None;
    for _ in 0..500 {
        let answer = market.call(&buyer, "hello").await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("500 receipts fitted on a full disk");
    assert_eq!(refused.problem("storage_full")["retryable"], true);
    std::fs::remove_file(filler).expect("it is there");
    market.call(&buyer, "hello").await.json(200);
}

async fn sql(market: &Market, statement: &'static str) {
    sqlx::Executor::execute(&*market.app.state.db, statement).await.expect("it is SQL");
}

#[tokio::test]
async fn a_call_whose_receipt_cannot_be_stored_takes_neither_units_nor_money_of_its_key() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        // Enough for one call, of the licence and of the key.
        market.buy_usage(&buyer, CALL).await;
        let settings = json!({ "name": "small", "scopes": ["invoke"], "daily_caps": {"USDC": CALL.to_string()} });
        let key = market.app.post_as(buyer.agent.token(), "/agents/me/keys", &settings).await.json(201);
        let (path, token) =
            (format!("/skills/{}/execute", market.skill), key["key"].as_str().expect("it is shown once"));
        let body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
        sql(&market, BREAK).await;
        for _ in 0..3 {
            market.app.post_as(token, &path, &body).await.problem("internal");
        }
        sql(&market, REPAIR).await;
        let paid = market.app.post_as(token, &path, &body).await.json(200);
        assert_eq!(paid["price"]["amount"], CALL.to_string());
        market.app.post_as(token, &path, &body).await.problem("insufficient_credit");
        market.deposit(&buyer, CALL).await;
        market.app.post_as(token, &path, &body).await.problem("spending_cap");
    }
}

#[tokio::test]
async fn a_free_call_whose_receipt_cannot_be_stored_is_given_back() {
    for database in databases().await {
        let pricing = USAGE_PRICING.replace("[pricing]", "[pricing]\nfree_calls = 1");
        let market = Market::open(&database, |handle| Publication::priced(handle, "echo", "1.0.0", &pricing)).await;
        let buyer = market.buyer("buyer").await;
        sql(&market, BREAK).await;
        market.call(&buyer, "hello").await.problem("internal");
        sql(&market, REPAIR).await;
        market.call(&buyer, "hello").await.json(200);
        market.call(&buyer, "hello").await.problem("licence_required");
    }
}
