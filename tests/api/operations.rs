//! Health, readiness, version and metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use clawos_interface::Currency;
use clawos_tests::app::{TestApp, TestDatabase, address, databases, new_key, send};
use clawos_tests::chain;
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use clawos_tests::relay::Relay;
use clawos_tests::scratch::SmallDisk;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::execute::receipt;
use crate::settlement::{BATCH_AGE, CALL};
use crate::tampered::{another_settles, nobody_settles, tamper};

#[tokio::test]
async fn the_server_tells_how_it_is() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let get = |path: &str| send(app.http.get(format!("{}{path}", app.operations)));
        assert_eq!(get("/healthz").await.json(200), json!({"status": "ok"}));
        let ready = get("/readyz").await.json(200);
        assert_eq!(ready, json!({"ready": true, "database": true, "storage": true, "network": true, "chain": true}));
        let version = get("/version").await.json(200);
        assert_eq!(version["name"], "clawos-server");
        assert!(version["runtime"].as_str().unwrap().starts_with("wasmtime-"));
        app.get("/skills").await.json(200);
        let metrics = get("/metrics").await;
        assert!(
            metrics
                .text()
                .contains("clawos_http_requests_total{method=\"GET\",route=\"/api/v1/skills\",status=\"200\"}")
        );
        let known = send(app.http.get(format!("{}/.well-known/clawos.json", app.origin))).await.json(200);
        assert_eq!(known["origin"], app.origin);
        assert_eq!(known["genesis"], chain::shared().genesis_hash().to_string());
    }
}

/// How long a test waits for the server's end: longer than it takes, shorter than any connection may take by itself.
const ENDS: Duration = Duration::from_secs(8);

#[tokio::test]
async fn a_monitor_that_takes_nothing_of_its_answers_does_not_keep_the_server_from_ending() {
    let mut app = TestApp::with(&TestDatabase::Sqlite, |config| config.listen.shutdown_ms = 100).await;
    // Of many answers, so that they fill whatever lies between.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("any size");
    let address = app.operations.trim_start_matches("http://").parse().expect("an address");
    let mut monitor = socket.connect(address).await.expect("it listens");
    let asked = "GET /metrics HTTP/1.1\r\nhost: monitor\r\n\r\n".repeat(4_000);
    monitor.write_all(asked.as_bytes()).await.expect("it takes requests");
    // And one that does not come to the end of its request.
    let mut slow = TcpStream::connect(address).await.expect("it listens");
    slow.write_all(b"GET /metrics HTTP/1.1\r\n").await.expect("it takes requests");
    monitor.readable().await.expect("it answers");
    tokio::time::timeout(ENDS, app.stop()).await.expect("it ends");
}

#[tokio::test]
async fn the_public_is_told_only_that_the_process_is_alive() {
    let app = TestApp::with(&TestDatabase::Sqlite, |config| config.limits.anonymous_rate_per_minute = 3).await;
    for path in ["/readyz", "/metrics", "/version"] {
        send(app.http.get(format!("{}{path}", app.origin))).await.problem("not_found");
        assert_eq!(send(app.http.get(format!("{}{path}", app.operations))).await.status, 200);
    }
    // Neither answers for the other, and whoever asks often is no reason to call the server dead.
    app.get("/skills").await.problem("rate_limited");
    for _ in 0..5 {
        assert_eq!(send(app.http.get(format!("{}/healthz", app.origin))).await.json(200), json!({"status": "ok"}));
    }
    let of_operations = |method: Method, path: &str| app.http.request(method, format!("{}{path}", app.operations));
    for path in ["/nothing", "/docs/"] {
        send(of_operations(Method::GET, path)).await.problem("not_found");
    }
    let skills = of_operations(Method::GET, "/api/v1/skills").send().await.expect("it answers");
    assert_eq!(skills.status(), 404);
    assert_eq!(skills.json::<Value>().await.expect("a problem")["code"], "not_found");
    send(of_operations(Method::POST, "/metrics")).await.problem("method_not_allowed");
    send(of_operations(Method::PUT, "/readyz")).await.problem("method_not_allowed");
}

#[tokio::test]
async fn a_server_that_never_saw_its_chain_is_not_ready() {
    for database in databases().await {
        let way = Relay::to(&chain::shared().rpc_url()).await;
        way.set_up(false);
        let app = TestApp::with(&database, |config| config.chain.rpc_url = way.url()).await;
        let ready = async || send(app.http.get(format!("{}/readyz", app.operations))).await;
        let unknown = ready().await.json(503);
        assert_eq!(
            (&unknown["ready"], &unknown["network"], &unknown["chain"]),
            (&json!(false), &json!(false), &json!(false))
        );
        way.set_up(true);
        app.clock.advance(2_000);
        assert_eq!(ready().await.json(200)["network"], true);
        // Once it is known, a call rests on what was read before.
        way.set_up(false);
        let known = ready().await.json(200);
        assert_eq!((&known["network"], &known["chain"]), (&json!(true), &json!(false)));
    }
}

#[tokio::test]
async fn an_operator_sees_what_runs_out_and_what_is_owed() {
    for database in databases().await {
        let priced = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
        let market = Market::open(&database, priced).await;
        assert!(market.app.state.licensing.meter_balance().await.expect("the chain answers") > 0);
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 10_000).await;
        let none = market.app.state.execution.backlog().await.expect("it answers");
        assert_eq!((none.receipts, none.units, none.oldest_ms), (0, 0, 0));
        assert_eq!(none.amounts, BTreeMap::from([(Currency::Sol, 0), (Currency::Usdc, 0)]));
        market.call(&buyer, "hello").await.json(200);
        let last = receipt(&market.call(&buyer, "hello").await.json(200));
        market.app.clock.advance(5_000);
        let owed = market.app.state.execution.backlog().await.expect("it answers");
        assert_eq!((owed.receipts, owed.units, owed.unknown_licences), (2, 2, 0));
        assert_eq!(owed.amounts, BTreeMap::from([(Currency::Sol, 0), (Currency::Usdc, 2 * CALL)]));
        assert!((5_000..60_000).contains(&owed.oldest_ms), "{owed:?}");

        let metrics = send(market.app.http.get(format!("{}/metrics", market.app.operations))).await.text();
        for gauge in ["clawos_meter_lamports", "clawos_unsettled_units", "clawos_unsettled_oldest_seconds"] {
            assert!(metrics.contains(&format!("# TYPE {gauge} gauge")), "{gauge}: {metrics}");
        }
        for currency in Currency::ALL {
            let gauge = format!("clawos_unsettled_amount{{currency=\"{currency}\"}}");
            assert!(metrics.contains(&gauge), "{gauge}: {metrics}");
        }
        // What is in a batch that did not land yet is owed still; what landed is not.
        another_settles(&market).await;
        let batched = "INSERT INTO batches (licence, opened_slot, seq, prev_root, count, units, amount, tree_root,
                anchored_root, chain_root, sealed_newest, status, formed_at, retry_at)
            SELECT licence, opened_slot, 7, leaf, 3, 3, 500, leaf, leaf, leaf, leaf, 'pending', 0, 0 FROM receipts
            WHERE id = $1";
        let id = &last.receipt.id;
        tamper(&market, batched, id).await;
        let owed = market.app.state.execution.backlog().await.expect("it answers");
        assert_eq!(owed.amounts[&Currency::Usdc], 2 * CALL + 500);
        let gone = "DELETE FROM batches WHERE seq = 7 AND tree_root IN (SELECT leaf FROM receipts WHERE id = $1)";
        tamper(&market, gone, id).await;
        nobody_settles(&market).await;
        market.app.clock.advance(BATCH_AGE);
        market.anchored(&buyer, id).await;
        let owed = market.app.state.execution.backlog().await.expect("it answers");
        assert_eq!(owed.amounts[&Currency::Usdc], 0);
        // Each histogram is cut where its unit says something.
        for bucket in [
            "clawos_call_fuel_bucket{le=\"1000000000\"}",
            "clawos_group_commit_receipts_bucket{le=\"256\"}",
            "le=\"0.0005\"}",
        ] {
            assert!(metrics.contains(bucket), "{bucket}: {metrics}");
        }
    }
}

#[tokio::test]
async fn a_full_database_disk_is_said_and_passes() {
    let Some(disk) = SmallDisk::mount(1024) else { return };
    let url = format!("sqlite:{}", disk.path().join("clawos.db").display());
    let app = TestApp::with(&TestDatabase::Sqlite, |config| config.data.database_url = Some(url)).await;
    let filler = disk.fill();
    let mut codes = Vec::new();
    // The log of the database has room for a few more writes.
    for n in 0..200 {
        let answer =
            app.post("/agents/register", &json!({"name": format!("agent-{n}"), "wallet": address(&new_key())})).await;
        if answer.status != 201 {
            codes.push(answer.problem("storage_full")["retryable"].clone());
            break;
        }
    }
    assert_eq!(codes, [json!(true)], "200 agents fitted on a full disk");
    std::fs::remove_file(filler).unwrap();
    app.enrol("acme").await;
}

#[tokio::test]
async fn certificates_of_an_earlier_meter_stay_published_with_its_name() {
    let market =
        Market::open(&TestDatabase::Sqlite, |handle| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING)).await;
    let read = async |market: &Market| {
        let url = format!("{}/.well-known/clawos.json", market.app.origin);
        market.app.http.get(url).send().await.expect("it answers").json::<Value>().await.expect("JSON")
    };
    let before = read(&market).await;
    assert_eq!(before["receipt_keys"][0]["meter"], before["meter"]);
    assert_eq!(before["meter"], clawos_receipts::text::to_base58(&market.listing().await.config.meter));
    // The operator gives the server another meter key.
    let another = serde_json::to_string(new_key().to_keypair_bytes().as_slice()).expect("bytes are JSON");
    std::fs::write(market.app.folder().join("meter.json"), another).expect("it is there");
    let market = market.restart(&TestDatabase::Sqlite).await;
    let after = read(&market).await;
    assert_ne!(after["meter"], before["meter"]);
    assert_eq!(after["receipt_keys"][0]["meter"], after["meter"]);
    assert_eq!(after["receipt_keys"][1], before["receipt_keys"][0]);
}
