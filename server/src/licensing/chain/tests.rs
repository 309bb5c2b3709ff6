//! The connection to an endpoint that refuses, stalls, or is another one than before.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
use super::*;
use crate::clock::{ShiftedClock, SystemClock};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::net::TcpListener;

/// An endpoint that gives `answer` to each request; its URL.
async fn endpoint(answer: impl Fn(Value) -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new()
        .fallback(move |body: String| std::future::ready(answer(serde_json::from_str(&body).unwrap())));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn chain(url: &str) -> Chain {
    Chain::new(url, Arc::new(SystemClock))
}

#[tokio::test]
async fn no_error_shows_the_endpoints_url() {
    let refusing = endpoint(|_| StatusCode::FORBIDDEN.into_response()).await;
    let rambling = endpoint(|_| "no".into_response()).await;
    for url in [refusing.as_str(), rambling.as_str(), "http://127.0.0.1:1"] {
        let chain = chain(&format!("{url}/v2/key-in-path?api-key=key-in-query"));
        let error = chain.block_height().await.unwrap_err();
        for text in [error.to_string(), format!("{error:?}"), format!("{chain:?}")] {
            assert!(!text.contains("key-in-") && !text.contains("127.0.0.1"), "{text}");
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_asks_to_wait_is_not_waited_for() {
    let busy = endpoint(|_| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "60")]).into_response()).await;
    let chain = chain(&busy);
    let asked = tokio::time::timeout(RPC_TIMEOUT * 2, chain.block_height()).await;
    assert!(matches!(asked, Ok(Err(ChainError::Unreachable(_)))), "{asked:?}");
    assert!(chain.is_down());
}

#[tokio::test]
async fn another_network_at_the_same_address_is_not_believed() {
    let (ours, theirs): (Key, Key) = ([1; 32], [2; 32]);
    let serving = Arc::new(Mutex::new(Some(ours)));
    let node = Arc::clone(&serving);
    let url = endpoint(move |request| match *node.lock().unwrap() {
        None => StatusCode::BAD_GATEWAY.into_response(),
        Some(genesis) if request["method"] == "getGenesisHash" => {
            axum::Json(json!({ "result": bs58::encode(genesis).into_string() })).into_response()
        }
        Some(_) => axum::Json(json!({ "result": 7 })).into_response(),
    })
    .await;
    let clock = Arc::new(ShiftedClock::default());
    let chain = Chain::new(&url, clock.clone());
    chain.belong_to(ours);
    assert_eq!(chain.block_height().await.unwrap(), 7);
    for (network, believed) in [(theirs, false), (ours, true)] {
        *serving.lock().unwrap() = None;
        clock.advance(DOWN_MS);
        chain.genesis().await.unwrap_err();
        clock.advance(DOWN_MS);
        *serving.lock().unwrap() = Some(network);
        for _ in 0..2 {
            match chain.block_height().await {
                Ok(height) => assert!(believed && height == 7),
                Err(ChainError::OtherNetwork { .. }) => assert!(!believed),
                Err(error) => panic!("{error}"),
            }
        }
    }
}
