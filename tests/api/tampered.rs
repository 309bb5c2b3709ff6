//! What a server makes of a database that an older version, a copy put back, another server or a kill left in an odd state.

use clawos_config::Config;
use clawos_tests::app::{TestDatabase, databases};
use clawos_tests::chain;
use clawos_tests::market::{Market, stranger};
use clawos_tests::relay::Relay;
use serde_json::json;

use crate::execute::receipt;
use crate::settlement::{BATCH_AGE, CALL, check_proof, usage};

/// Changes the server's database behind its back, as an older version or a copy put back would have left it.
pub(crate) async fn tamper(market: &Market, statement: &'static str, id: &str) {
    let done = sqlx::query(statement).bind(id).execute(&*market.app.state.db).await.expect("it is SQL");
    assert_eq!(done.rows_affected(), 1, "{statement}");
}

/// Another server, which does nothing, is the one that settles from now on.
pub(crate) async fn another_settles(market: &Market) {
    let held = "INSERT INTO settler_leases (id, server, until) VALUES (1, $1, 9000000000000)
        ON CONFLICT (id) DO UPDATE SET server = excluded.server, until = excluded.until";
    tamper(market, held, "another").await;
    // Longer than a server believes without asking that it is the one.
    market.app.clock.advance(30_000);
}

/// That server is gone, so this one settles again.
pub(crate) async fn nobody_settles(market: &Market) {
    tamper(market, "DELETE FROM settler_leases WHERE server = $1", "another").await;
}

#[tokio::test]
async fn a_licence_whose_last_batch_is_unknown_here_is_not_billed_again() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 100 * CALL).await;
    let first = receipt(&market.call(&buyer, "first").await.json(200));
    market.app.clock.advance(BATCH_AGE);
    check_proof(&market, &buyer, &first).await;
    // A copy of the database from before the batch: its receipt is pending once more.
    let licence = bs58::encode(first.receipt.licence.unwrap()).into_string();
    tamper(&market, "DELETE FROM batches WHERE licence = $1", &licence).await;
    let again = "UPDATE receipts SET settlement = 'pending', batch_seq = NULL WHERE id = $1";
    tamper(&market, again, &first.receipt.id).await;
    let again =
        "UPDATE usage_accounts SET pending_units = 1, pending_count = 1, pending_amount = 1000 WHERE licence = $1";
    tamper(&market, again, &licence).await;
    market.app.clock.advance(BATCH_AGE);
    let mut problem = None;
    for _ in 0..100 {
        let row: (Option<String>,) = sqlx::query_as("SELECT problem FROM usage_accounts WHERE licence = $1")
            .bind(&licence)
            .fetch_one(&*market.app.state.db)
            .await
            .unwrap();
        problem = row.0;
        if problem.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(problem.is_some_and(|problem| problem.contains("does not know")));
    let settled = market.licence(&buyer).await;
    assert_eq!((settled.usage_seq(), settled.usage_total(), settled.credit()), (1, 1, 99 * CALL));
    // Nor is more served that could never be charged; the operator sees it, and other licences are none the worse.
    let refused = market.call(&buyer, "more").await.problem("units_busy");
    assert!(refused["detail"].as_str().unwrap().contains("newer copy of the database"), "{refused}");
    assert_eq!(market.app.state.execution.backlog().await.unwrap().unknown_licences, 1);
    let other = market.buyer("other").await;
    market.buy_usage(&other, CALL).await;
    market.call(&other, "hello").await.json(200);
}

#[tokio::test]
async fn nothing_is_settled_or_believed_on_another_network_than_the_databases() {
    let way = Relay::to(&chain::shared().rpc_url()).await;
    let by_this_way = |config: &mut Config| config.chain.rpc_url = way.url();
    let market = Market::with(&TestDatabase::Sqlite, by_this_way, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 5 * CALL).await;
    let signed = receipt(&market.call(&buyer, "hello").await.json(200));
    let network = "UPDATE networks SET genesis = $1";
    tamper(&market, network, &bs58::encode(stranger()).into_string()).await;
    // Where it can see the chain it would not start at all.
    way.set_up(false);
    let market = market.restart_with(&TestDatabase::Sqlite, by_this_way).await;
    way.set_up(true);
    market.app.clock.advance(BATCH_AGE);
    market.call(&buyer, "hello").await.problem("rpc_unavailable");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(market.licence(&buyer).await.usage_seq(), 0);
    // It was only that: on its own network it settles.
    tamper(&market, network, &chain::shared().genesis_hash().to_string()).await;
    let market = market.restart(&TestDatabase::Sqlite).await;
    market.app.clock.advance(BATCH_AGE);
    check_proof(&market, &buyer, &signed).await;
}

#[tokio::test]
async fn a_call_whose_lease_another_server_took_over_is_not_charged() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 100 * CALL).await;
        let paid = receipt(&market.call(&buyer, "paid").await.json(200));
        let licence = bs58::encode(paid.receipt.licence.unwrap()).into_string();
        // By its clock the lease had lapsed.
        tamper(&market, "DELETE FROM leases WHERE licence = $1", &licence).await;
        let lost = receipt(&market.call(&buyer, "lost").await.json(200));
        market.app.clock.advance(BATCH_AGE);
        check_proof(&market, &buyer, &paid).await;
        tamper(&market, "UPDATE receipts SET id = id WHERE id = $1 AND settlement = 'waived'", &lost.receipt.id).await;
        let settled = market.licence(&buyer).await;
        assert_eq!((settled.usage_total(), settled.credit()), (1, 99 * CALL));

        // Both sides of the licence can read that it was given up, and why; nobody else can.
        let log = format!("/licences/{licence}/audit");
        for party in [&buyer.agent, &market.author] {
            let entries = market.app.get_as(party.token(), &log).await.json(200);
            let slot = settled.created_slot();
            let entry = &entries["items"][0];
            assert_eq!((&entry["actor"], &entry["action"]), (&json!("settlement"), &json!("receipts.waive")));
            assert_eq!(entry["target"], format!("{licence}@{slot}"));
            assert_eq!(entry["detail"], "1 units: the lease they came from lapsed before their calls ended");
            assert_eq!(entries["items"].as_array().map(Vec::len), Some(1));
        }
        let nosy = market.app.enrol("nosy").await;
        market.app.get_as(nosy.token(), &log).await.problem("not_found");
        market.app.get(&log).await.problem("unauthenticated");
        let publishing = json!({"name": "k", "scopes": ["publish"]});
        let key = market.app.post_as(buyer.agent.token(), "/agents/me/keys", &publishing).await.json(201);
        market.app.get_as(key["key"].as_str().unwrap(), &log).await.problem("scope_missing");
    }
}

#[tokio::test]
async fn a_batch_that_landed_before_its_licence_was_closed_is_not_called_dead() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 100 * CALL).await;
        let signed = receipt(&market.call(&buyer, "hello").await.json(200));
        market.app.clock.advance(BATCH_AGE);
        market.anchored(&buyer, &signed.receipt.id).await;
        // As if the server had been killed right after sending, and had found no licence when it came back.
        let nobody = bs58::encode(stranger()).into_string();
        tamper(&market, "UPDATE receipts SET licence = $1 WHERE settlement = 'batched'", &nobody).await;
        tamper(&market, "UPDATE usage_accounts SET licence = $1 WHERE pending_count = 0", &nobody).await;
        let sent = "UPDATE batches SET licence = $1, status = 'submitted', last_valid_height = 0 WHERE seq = 1";
        tamper(&market, sent, &nobody).await;
        market.anchored(&buyer, &signed.receipt.id).await;
    }
}

#[tokio::test]
async fn a_lease_in_a_new_opening_hides_no_batches_of_an_earlier_one() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 100 * CALL).await;
        let signed = receipt(&market.call(&buyer, "hello").await.json(200));
        market.app.clock.advance(BATCH_AGE);
        market.anchored(&buyer, &signed.receipt.id).await;
        let licence = bs58::encode(signed.receipt.licence.unwrap()).into_string();
        // As if the account had been closed and opened again.
        let reopened = "INSERT INTO usage_accounts (licence, opened_slot, skill_account, buyer, seller, priced, currency,
                pending_units, pending_count, pending_amount, pending_since, batch_cap, retry_at)
            SELECT licence, opened_slot + 1, '', '', '', 0, '', 0, 0, 0, 0, 0, 0 FROM usage_accounts WHERE licence = $1";
        tamper(&market, reopened, &licence).await;
        let batches = format!("/licences/{licence}/batches");
        let listed = async |query: String| {
            market.app.get(&format!("{batches}{query}")).await.json(200)["items"].as_array().unwrap().len()
        };
        let slot = market.licence(&buyer).await.created_slot();
        assert_eq!(listed(String::new()).await, 1);
        assert_eq!(listed(format!("?opened_slot={slot}")).await, 1);
        assert_eq!(listed(format!("?opened_slot={}", slot + 1)).await, 0);
        market.app.get(&format!("{batches}/1?opened_slot={slot}")).await.json(200);
        market.app.get(&format!("{batches}/1?opened_slot={}", slot + 1)).await.problem("not_found");
        market.app.get(&format!("{batches}?opened_slot=7")).await.problem("not_found");
    }
}
