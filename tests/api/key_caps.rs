//! Daily caps of API keys: one per currency, for a key with all that it made and replaced.

use clawos_tests::app::{TestDatabase, databases};
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, SOL_USAGE_PRICING};
use serde_json::json;

use crate::keys::{id, make, secret};
use crate::settlement::{CALL, usage};

#[tokio::test]
async fn a_key_never_spends_more_than_its_daily_cap() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 10 * CALL).await;
    let settings = json!({ "name": "small", "scopes": ["invoke"], "daily_caps": {"USDC": "2000"} });
    let key = market.app.post_as(buyer.agent.token(), "/agents/me/keys", &settings).await.json(201);
    let path = format!("/skills/{}/execute", market.skill);
    let body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
    let token = key["key"].as_str().unwrap();
    for _ in 0..2 {
        market.app.post_as(token, &path, &body).await.json(200);
    }
    market.app.post_as(token, &path, &body).await.problem("spending_cap");
    // A rotation is not a way around it.
    let rotate = format!("/agents/me/keys/{}/rotate", key["id"].as_str().unwrap());
    let fresh = market.app.post_as(buyer.agent.token(), &rotate, &json!({})).await.json(201);
    market.app.post_as(fresh["key"].as_str().unwrap(), &path, &body).await.problem("spending_cap");
    market.call(&buyer, "the session has no cap").await.json(200);
}

#[tokio::test]
async fn a_cap_is_not_multiplied_by_keys_made_and_rotated() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        // Money for ten calls of 0.001 USDC; the key may spend one a day.
        market.buy_usage(&buyer, 10_000).await;
        let (app, session) = (&market.app, buyer.agent.token());
        let settings = json!({"name": "maker", "scopes": ["admin", "invoke"], "daily_caps": {"USDC": "1000"}});
        let maker = make(app, session, settings).await;
        let child = make(app, secret(&maker), json!({"name": "child", "scopes": ["invoke"]})).await;
        let rotate = format!("/agents/me/keys/{}/rotate", id(&maker));
        let heir = app.post_as(secret(&maker), &rotate, &json!({})).await.json(201);
        let late = make(app, secret(&heir), json!({"name": "late", "scopes": ["invoke"]})).await;

        let path = format!("/skills/{}/execute", market.skill);
        let body = json!({"endpoint": "echo", "payload": {"text": "hello"}});
        app.post_as(secret(&child), &path, &body).await.json(200);
        for key in [&maker, &child, &heir, &late] {
            app.post_as(secret(key), &path, &body).await.problem("spending_cap");
        }

        // Nor does it get at the money of a key that it did not descend from.
        let other = json!({"name": "other", "scopes": ["invoke"], "daily_caps": {"USDC": "1000"}});
        let other = make(app, session, other).await;
        let rotate = format!("/agents/me/keys/{}/rotate", id(&other));
        app.post_as(secret(&maker), &rotate, &json!({})).await.problem("cap_too_high");
        app.post_as(secret(&other), &path, &body).await.json(200);
    }
}

#[tokio::test]
async fn usage_priced_in_sol_is_paid_through_a_key_up_to_its_cap_in_sol() {
    for database in databases().await {
        let usage = |handle: &str| Publication::priced(handle, "echo", "1.0.0", SOL_USAGE_PRICING);
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        // Money for ten calls of 1,000 lamports.
        market.buy_usage(&buyer, 10_000).await;
        let (app, session) = (&market.app, buyer.agent.token());
        let path = format!("/skills/{}/execute", market.skill);
        let body = json!({"endpoint": "echo", "payload": {"text": "hello"}});
        // The key that every agent starts with has a cap in either currency.
        let paid = app.post_as(buyer.agent.api_key(), &path, &body).await.json(200);
        assert_eq!(paid["price"], json!({"amount": "1000", "currency": "SOL", "decimals": 9}));

        let small = json!({"name": "small", "scopes": ["invoke"], "daily_caps": {"SOL": "2000", "USDC": "0"}});
        let small = make(app, session, small).await;
        for _ in 0..2 {
            app.post_as(secret(&small), &path, &body).await.json(200);
        }
        let refused = app.post_as(secret(&small), &path, &body).await.problem("spending_cap");
        assert!(refused["detail"].as_str().unwrap().contains("1000 base units of SOL"), "{refused}");
        // Money of the other currency is no help.
        let other = json!({"name": "other", "scopes": ["invoke"], "daily_caps": {"SOL": "999", "USDC": "1000000"}});
        let other = make(app, session, other).await;
        app.post_as(secret(&other), &path, &body).await.problem("spending_cap");
        // Tomorrow it may spend again.
        app.clock.advance(24 * 3600 * 1000);
        app.post_as(secret(&small), &path, &body).await.json(200);
    }
}
