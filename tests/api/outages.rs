//! What the server does while others fail: its RPC endpoint, or a server that shares its database.

use std::time::Duration;

use clawos_tests::app::{TestApp, TestDatabase, databases, send};
use clawos_tests::chain;
use clawos_tests::faulty_relay::FaultyRelay;
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};

/// What one call costs: 0.001 USDC in base units.
const CALL: u64 = 1_000;

/// A market whose server reaches the chain by `way`.
async fn market(way: &FaultyRelay) -> Market {
    let change = |config: &mut clawos_config::Config| config.chain.rpc_url = way.url();
    let skill = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
    Market::with(&TestDatabase::Sqlite, change, skill).await
}

#[tokio::test]
async fn while_the_chain_is_down_nobody_is_refused_for_good_on_old_state() {
    let way = FaultyRelay::to(&chain::shared().rpc_url()).await;
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
            sqlx::Executor::execute(&mut *lost, "ROLLBACK").await.expect("there is a transaction");
        }
        app.enrol("acme").await;
    }
}

#[tokio::test]
async fn while_the_database_is_down_callers_are_told_to_come_again() {
    let postgres = databases().await.into_iter().find_map(|database| match database {
        TestDatabase::Postgres(url) => Some(url),
        TestDatabase::Sqlite => None,
    });
    let Some(url) = postgres else { return };
    let mut url: reqwest::Url = url.parse().expect("it is a URL");
    let way = FaultyRelay::to(&format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"))).await;
    url.set_port(Some(way.port())).expect("it has a host");
    let app = TestApp::start(&TestDatabase::Postgres(url.to_string())).await;
    let agent = app.enrol("acme").await;
    let ready = async || send(app.http.get(format!("{}/readyz", app.operations))).await;
    way.set_up(false);
    let cause = app.state.db.ping().await.expect_err("nobody is there");
    assert!(clawos_base::database::is_unavailable(&cause), "{cause:?}");
    for answer in [app.get("/agents/acme").await, app.get_as(agent.api_key(), "/agents/me").await] {
        assert_eq!(answer.problem("unavailable")["retryable"], true);
        assert_eq!(answer.headers["retry-after"], "2");
    }
    assert_eq!(ready().await.json(503)["database"], false);
    way.set_up(true);
    app.get_as(agent.api_key(), "/agents/me").await.json(200);
    assert_eq!(ready().await.json(200)["database"], true);
}

#[tokio::test]
async fn a_server_that_froze_in_a_transaction_holds_the_others_up_for_seconds_only() {
    let postgres = |database: &TestDatabase| matches!(database, TestDatabase::Postgres(_));
    let Some(database) = databases().await.into_iter().find(postgres) else { return };
    let app = TestApp::start(&database).await;
    let mut frozen = app.state.db.write().await.expect("a connection is free");
    sqlx::Executor::execute(&mut *frozen, "LOCK TABLE agents").await.expect("nobody else has it");
    let waited = tokio::time::timeout(Duration::from_secs(20), app.enrol("acme")).await;
    waited.expect("the lock is free again");
}
