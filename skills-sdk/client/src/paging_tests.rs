//! Lists of an HTTP server that lies about where they end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Query;
use axum::routing::any;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::http::Call;

/// The answer to the request of this number (from 0) at this cursor.
type Lie = fn(usize, Option<&str>) -> Value;

#[derive(Deserialize)]
struct Asked {
    cursor: Option<String>,
}

/// A server that answers every request with `lie`, and how often it was asked.
async fn serve(lie: Lie) -> (Client, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let answer = async move |Query(query): Query<Asked>| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        axum::Json(lie(number, query.cursor.as_deref()))
    };
    let router = axum::Router::new().fallback(any(answer));
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (Client::new(&format!("http://{address}")).expect("a client"), asked)
}

/// Reads a list of numbers of at most `most_pages` pages.
async fn read(client: &Client, most_pages: u64) -> Result<Vec<u64>> {
    let mut all = Vec::new();
    let fetch = async |cursor| client.json(Call::get("/numbers").query("cursor", cursor)).await;
    let keep = |number| {
        all.push(number);
        ControlFlow::Continue(())
    };
    client.every_page(most_pages, fetch, keep).await?;
    Ok(all)
}

fn reason(error: &ClientError) -> &str {
    match error {
        ClientError::Unreadable { reason, .. } => reason,
        other => panic!("another error: {other}"),
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    let pages: Lie = |number, cursor| match (number, cursor) {
        (0, None) => json!({ "items": [1, 2], "next_cursor": "a" }),
        (1, Some("a")) => json!({ "items": [3], "next_cursor": "b" }),
        (2, Some("b")) => json!({ "items": [], "next_cursor": null }),
        other => panic!("{other:?}"),
    };
    let (client, _) = serve(pages).await;
    assert_eq!(read(&client, 3).await.expect("a list"), [1, 2, 3]);
}

#[tokio::test]
async fn a_list_that_does_not_end_is_refused_after_few_requests() {
    let empty: Lie = |number, _| json!({ "items": [], "next_cursor": number.to_string() });
    let same: Lie = |_, _| json!({ "items": [1], "next_cursor": "again" });
    let circle: Lie = |number, _| json!({ "items": [1], "next_cursor": (number % 3).to_string() });
    let endless: Lie = |number, _| json!({ "items": [1], "next_cursor": number.to_string() });
    let large: Lie = |_, _| json!({ "items": vec![1; 101], "next_cursor": null });
    let long: Lie = |_, _| json!({ "items": [1], "next_cursor": "x".repeat(513) });
    let cases = [
        (empty, 1, "empty"),
        (same, 2, "repeats"),
        (circle, 4, "repeats"),
        (endless, 50, "more than 50 pages"),
        (large, 1, "101 items"),
        (long, 1, "512 bytes"),
    ];
    for (lie, requests, why) in cases {
        let (client, asked) = serve(lie).await;
        let error = read(&client, 50).await.expect_err("it does not end");
        assert!(reason(&error).contains(why), "{why}: {error}");
        assert_eq!(asked.load(Ordering::Relaxed), requests, "{why}");
    }
}

#[tokio::test]
async fn every_list_of_the_api_is_read_so() {
    let empty: Lie =
        |number, _| json!({ "items": [], "next_cursor": number.to_string(), "licence": "", "first_root": "" });
    let (client, asked) = serve(empty).await;
    let licence = "1".repeat(32);
    let refused = [
        client.batches(&licence, 7, 3).await.map(drop),
        client.versions("acme.word-count").await.map(drop),
        client.receipts_of("acme.word-count", BTreeSet::from(["run_1".to_owned()])).await.map(drop),
    ];
    for refused in refused {
        assert!(reason(&refused.expect_err("it does not end")).contains("empty"));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

/// A page of 100 batches, and no end of them.
fn endless_batches(number: usize, _: Option<&str>) -> Value {
    let batch = json!({
        "seq": "1", "prev_root": "", "count": "1", "units": "1", "amount": "1", "tree_root": "", "anchored_root": "",
        "chain_root": "", "status": "confirmed", "transaction": null,
    });
    json!({
        "licence": "", "first_root": "", "items": vec![batch; PAGE as usize], "next_cursor": number.to_string(),
    })
}

#[tokio::test]
async fn as_many_batches_as_the_chain_has_recorded_are_read_and_no_end_of_them_is_refused() {
    // More than a licence in use for two months has, with a batch a minute.
    const RECORDED: u64 = 100_100;
    let all: Lie = |number, cursor| {
        let mut page = endless_batches(number, cursor);
        if number as u64 + 1 == RECORDED / u64::from(PAGE) {
            page["next_cursor"] = Value::Null;
        }
        page
    };
    let licence = "1".repeat(32);
    let (client, asked) = serve(all).await;
    let batches = client.batches(&licence, 7, RECORDED).await.expect("what the chain counts is read");
    assert_eq!((batches.len() as u64, asked.load(Ordering::Relaxed)), (RECORDED, 1_001));

    let (client, asked) = serve(endless_batches).await;
    let refused = client.batches(&licence, 7, 150).await.expect_err("the chain has recorded 150");
    assert!(reason(&refused).contains("more than 12 pages"), "{refused}");
    assert_eq!(asked.load(Ordering::Relaxed), 12, "two pages, and ten for what was recorded since");
}

/// The id of the receipt on the page of this number.
fn receipt_id(number: usize) -> String {
    format!("run_{number:032x}")
}

#[tokio::test]
async fn receipts_are_read_until_all_that_are_looked_for_are_found() {
    let endless: Lie = |number, _| {
        let vectors: Value = serde_json::from_str(include_str!("../../receipts/vectors/receipts.json")).expect("JSON");
        let mut receipt = vectors["receipts"][0]["signed"].clone();
        receipt["id"] = receipt_id(number).into();
        json!({ "items": [receipt], "next_cursor": number.to_string() })
    };
    let (client, asked) = serve(endless).await;
    let wanted = BTreeSet::from([receipt_id(1), receipt_id(3)]);
    let found = client.receipts_of("acme.word-count", wanted.clone()).await.expect("both are there");
    assert_eq!(found.into_iter().map(|signed| signed.receipt.id).collect::<BTreeSet<_>>(), wanted);
    assert_eq!(asked.load(Ordering::Relaxed), 4, "no older ones are asked for");

    assert!(client.receipts_of("acme.word-count", BTreeSet::new()).await.expect("nothing to find").is_empty());
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}
