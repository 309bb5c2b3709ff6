//! What the server does while others fail: its RPC endpoint, or a server that shares its database.

use std::time::Duration;

use clawos_base::database::is_unavailable;
use clawos_tests::app::{Answer, TestApp, TestDatabase, databases, send};
use clawos_tests::chain;
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use clawos_tests::relay::{Fault, Relay};
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::settlement::{BATCH_AGE, CALL};

/// A market whose server reaches the chain by `way`.
async fn market(way: &Relay) -> Market {
    let change = |config: &mut clawos_config::Config| config.chain.rpc_url = way.url();
    let skill = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
    Market::with(&TestDatabase::Sqlite, change, skill).await
}

/// An empty database of PostgreSQL; `None` where that is not installed.
async fn postgres() -> Option<String> {
    databases().await.into_iter().find_map(|database| match database {
        TestDatabase::Postgres(url) => Some(url),
        TestDatabase::Sqlite => None,
    })
}

#[tokio::test]
async fn while_the_chain_is_down_nobody_is_refused_for_good_on_old_state() {
    let way = Relay::to(&chain::shared().rpc_url()).await;
    let market = market(&way).await;
    let (spent, new) = (market.buyer("spent").await, market.buyer("new").await);
    market.buy_usage(&spent, CALL).await;
    market.call(&spent, "the only one").await.json(200);
    market.call(&spent, "one too many").await.problem("insufficient_credit");
    market.call(&new, "no licence yet").await.problem("licence_required");
    way.set_up(false);
    // Both pay, which the server cannot see.
    market.deposit(&spent, CALL).await;
    market.buy_usage(&new, CALL).await;
    for buyer in [&spent, &new] {
        market.app.clock.advance(2_000);
        let problem = market.call(buyer, "paid").await.problem("rpc_unavailable");
        assert_eq!(problem["retryable"], true);
    }
    way.set_up(true);
    market.app.clock.advance(2_000);
    for buyer in [&spent, &new] {
        market.call(buyer, "paid").await.json(200);
    }
}

#[tokio::test]
async fn a_transaction_that_the_database_ended_breaks_no_connection() {
    for database in databases().await {
        let app = TestApp::with(&database, |config| config.data.database_connections = 2).await;
        for _ in 0..4 {
            let mut lost = app.state.db.write().await.expect("a connection is free");
            // As SQLite does by itself when its disk is full.
            lost.execute("ROLLBACK").await.expect("there is a transaction");
        }
        app.enrol("acme").await;
    }
}

#[tokio::test]
async fn while_the_database_is_down_callers_are_told_to_come_again() {
    let Some(url) = postgres().await else { return };
    let (way, url) = Relay::to_postgres(&url).await;
    let app = TestApp::start(&TestDatabase::Postgres(url)).await;
    let agent = app.enrol("acme").await;
    let ready = async || send(app.http.get(format!("{}/readyz", app.operations))).await;
    way.set_up(false);
    let cause = app.state.db.ping().await.expect_err("nobody is there");
    assert!(is_unavailable(&cause), "{cause:?}");
    for answer in [app.get("/agents/acme").await, app.get_as(agent.api_key(), "/agents/me").await] {
        assert_eq!(answer.problem("unavailable")["retryable"], true);
        assert_eq!(answer.headers["retry-after"], "2");
    }
    assert_eq!(ready().await.json(503)["database"], false);
    way.set_up(true);
    app.get_as(agent.api_key(), "/agents/me").await.json(200);
    assert_eq!(ready().await.json(200)["database"], true);
}

/// What a receipt that is being stored has in it, and nothing else that is written has.
const A_RECEIPT: &str = "\"outcome\":\"ok\"";

#[tokio::test]
async fn a_call_whose_commit_is_lost_is_neither_said_undone_nor_paid_twice() {
    let Some(url) = postgres().await else { return };
    let (way, url) = Relay::to_postgres(&url).await;
    let usage = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
    let market = Market::open(&TestDatabase::Postgres(url), usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 100 * CALL).await;
    let body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
    let receipts = async || {
        let listed = market.app.get_as(buyer.agent.api_key(), "/receipts").await.json(200);
        listed["items"].as_array().expect("a list").iter().map(|receipt| receipt["id"].clone()).collect::<Vec<_>>()
    };

    // It is stored, and its caller cannot know; he is told where to look.
    way.set(&[A_RECEIPT, "COMMIT"], Fault::LoseAnswer);
    let unknown = market.execute(&buyer, &body, None).await.problem("outcome_unknown");
    assert_eq!(unknown["retryable"], false);
    let [stored] = &*receipts().await else { panic!("there is one receipt") };
    let detail = unknown["detail"].as_str().expect("a sentence");
    assert!(detail.contains(stored.as_str().expect("an id")), "{detail}");

    // With a key, the repetition is answered by what is stored.
    way.set(&[A_RECEIPT, "COMMIT"], Fault::LoseAnswer);
    market.execute(&buyer, &body, Some("once")).await.problem("outcome_unknown");
    let again = market.execute(&buyer, &body, Some("once")).await;
    assert_eq!(again.json(200)["receipt"]["id"], receipts().await[0]);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(receipts().await.len(), 2);

    // Where nothing is stored, the same key runs the call.
    way.set(&[A_RECEIPT, "COMMIT"], Fault::LoseRequest);
    market.execute(&buyer, &body, Some("another")).await.problem("outcome_unknown");
    assert_eq!(receipts().await.len(), 2);
    let ran = market.execute(&buyer, &body, Some("another")).await;
    ran.json(200);
    assert!(!ran.headers.contains_key("idempotent-replayed"));
    assert_eq!(receipts().await.len(), 3);
    // On chain each was used once.
    market.app.clock.advance(BATCH_AGE);
    for receipt in receipts().await {
        market.anchored(&buyer, receipt.as_str().expect("an id")).await;
    }
    assert_eq!(market.licence(&buyer).await.usage_total(), 3);
}

#[tokio::test]
async fn a_change_whose_commit_is_lost_is_done_once() {
    let Some(url) = postgres().await else { return };
    let (way, url) = Relay::to_postgres(&url).await;
    let app = TestApp::start(&TestDatabase::Postgres(url)).await;
    let agent = app.enrol("acme").await;
    let make = async || {
        let body = json!({ "name": "made-once", "scopes": ["read"] });
        let request = app.request(Method::POST, "/agents/me/keys").bearer_auth(agent.token()).json(&body);
        send(request.header("idempotency-key", "k")).await
    };
    way.set(&["made-once", "COMMIT"], Fault::LoseAnswer);
    let unknown = make().await.problem("outcome_unknown");
    assert!(unknown["detail"].as_str().is_some_and(|detail| detail.contains("Idempotency-Key")), "{unknown}");
    let made = make().await;
    assert_eq!(made.headers["idempotent-replayed"], "true");
    app.get_as(made.json(201)["key"].as_str().expect("a new key is shown"), "/agents/me").await.json(200);
    let keys = app.get_as(agent.token(), "/agents/me/keys").await.json(200);
    assert_eq!(keys["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn callers_whose_rows_are_locked_for_too_long_are_told_to_come_again() {
    let Some(url) = postgres().await else { return };
    let app = TestApp::start(&TestDatabase::Postgres(url.clone())).await;
    let agent = app.enrol("acme").await;
    let late = |answer: Answer| {
        assert_eq!(answer.headers["retry-after"], "2");
        assert_eq!(answer.problem("unavailable")["retryable"], true);
    };
    // Somebody's session that no server here has set a time for.
    let mut operator = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    operator.execute("BEGIN; LOCK TABLE api_keys").await.expect("nobody else has it");
    let settings = json!({ "name": "k", "scopes": ["read"] });
    let make = app.post_as(agent.token(), "/agents/me/keys", &settings);
    let cancel = async {
        // What a statement that runs out of its time is answered: the same as one that an operator ends.
        let mut other = PgConnection::connect(&url).await.expect("PostgreSQL answers");
        let ended = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                     WHERE wait_event_type = 'Lock' AND datname = current_database()";
        for _ in 0..200 {
            let ended = sqlx::query(ended).fetch_all(&mut other).await.expect("PostgreSQL answers");
            if !ended.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nobody waits for the lock");
    };
    let (cancelled, ()) = tokio::join!(make, cancel);
    late(cancelled);
    late(app.post_as(agent.token(), "/agents/me/keys", &settings).await);

    operator.execute("ROLLBACK").await.expect("it is its own");
    app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
}

#[tokio::test]
async fn a_transaction_that_was_idle_for_too_long_is_no_failure_of_the_server() {
    let Some(url) = postgres().await else { return };
    let app = TestApp::start(&TestDatabase::Postgres(url)).await;
    let mut idle = app.state.db.write().await.expect("a connection is free");
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *idle).await.expect("it answers");
    let soon = "SET LOCAL idle_in_transaction_session_timeout = 1";
    idle.execute(soon).await.expect("it is its own");
    let there = "SELECT COUNT(*) FROM pg_stat_activity WHERE pid = $1";
    for _ in 0..200 {
        let there: i64 = sqlx::query_scalar(there).bind(pid).fetch_one(&*app.state.db).await.expect("it answers");
        if there == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let error = idle.execute("SELECT 1").await.expect_err("PostgreSQL has ended the session");
    assert!(is_unavailable(&error), "{error:?}");
}

#[tokio::test]
async fn a_server_that_froze_in_a_transaction_holds_the_others_up_for_seconds_only() {
    let postgres = |database: &TestDatabase| matches!(database, TestDatabase::Postgres(_));
    let Some(database) = databases().await.into_iter().find(postgres) else { return };
    let app = TestApp::start(&database).await;
    let mut frozen = app.state.db.write().await.expect("a connection is free");
    frozen.execute("LOCK TABLE agents").await.expect("nobody else has it");
    let waited = tokio::time::timeout(Duration::from_secs(20), app.enrol("acme")).await;
    waited.expect("the lock is free again");
}
