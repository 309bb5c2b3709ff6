//! The certificate of the receipt key: renewed in time while the server runs, and without one nothing is called.

use clawos_tests::app::{Answer, TestDatabase, databases, send};
use clawos_tests::market::{Buyer, Market};
use reqwest::header;
use serde_json::{Value, json};
use sqlx::Executor;

use crate::execute::receipt;
use crate::settlement::{BATCH_AGE, CALL, check_proof, usage};

const DAY_MS: i64 = 86_400_000;
/// How long a certificate is good.
const LIFE_MS: i64 = 2 * 365 * DAY_MS;

/// Calls with the buyer's API key, which does not end.
async fn call(market: &Market, buyer: &Buyer) -> Answer {
    let path = format!("/skills/{}/execute", market.skill);
    let body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
    market.app.post_as(buyer.agent.api_key(), &path, &body).await
}

/// The published keys, the present one first.
async fn keys(market: &Market) -> Vec<Value> {
    let known = send(market.app.http.get(format!("{}/.well-known/clawos.json", market.app.origin))).await.json(200);
    known["receipt_keys"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_server_that_runs_for_years_renews_it_and_bills_all_it_served() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 10 * CALL).await;
        let first = call(&market, &buyer).await.json(200);
        let before = keys(&market).await;
        assert_eq!(before.len(), 1);

        // Long before its end there is nothing to do; 90 days before it there is.
        let licensing = &market.app.state.licensing;
        market.app.clock.advance(LIFE_MS - 91 * DAY_MS);
        licensing.renew_certificate().await.expect("the database works");
        assert_eq!(keys(&market).await, before);
        market.app.clock.advance(2 * DAY_MS);
        licensing.renew_certificate().await.expect("the database works");
        let renewed = keys(&market).await;
        assert_eq!((renewed.len(), &renewed[1]), (2, &before[0]));
        assert_eq!(renewed[0]["key"], before[0]["key"]);

        // Past the end of the first, what was called under either is settled and proved.
        market.app.clock.advance(90 * DAY_MS);
        let second = call(&market, &buyer).await.json(200);
        market.app.clock.advance(BATCH_AGE);
        for answer in [first, second] {
            let signed = receipt(&answer);
            market.anchored(&buyer, &signed.receipt.id).await;
            check_proof(&market, &buyer, &signed).await;
        }
        assert_eq!(market.licence(&buyer).await.usage_total(), 2);
    }
}

#[tokio::test]
async fn without_a_valid_certificate_nothing_is_called() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 10 * CALL).await;
    let sql = async |statement: &'static str| market.app.state.db.execute(statement).await.expect("SQLite takes it");
    sql("CREATE TRIGGER broken BEFORE INSERT ON receipt_keys BEGIN SELECT RAISE(ABORT, 'gone'); END").await;
    market.app.clock.advance(LIFE_MS - DAY_MS);
    call(&market, &buyer).await.json(200);
    market.app.clock.advance(DAY_MS);
    let refused = call(&market, &buyer).await;
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    let problem = refused.problem("unavailable");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("certificate")), "{problem}");
    let listed = market.app.get_as(buyer.agent.api_key(), "/receipts").await.json(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "nothing ran");

    sql("DROP TRIGGER broken").await;
    call(&market, &buyer).await.json(200);
}
