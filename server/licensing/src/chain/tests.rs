//! The connection to an endpoint that refuses, stalls, or is another one than before.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Mutex;

use clawos_base::{ShiftedClock, SystemClock};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;

/// An endpoint that gives `answer` to each request: the status line after the version, with any further header lines, and
/// the body. Its URL.
async fn endpoint(answer: impl Fn(Value) -> (&'static str, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            let (mut line, mut length) = (String::new(), 0);
            while stream.read_line(&mut line).await.unwrap() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            let (head, text) = answer(serde_json::from_slice(&body).unwrap());
            let length = text.len();
            let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

fn chain(url: &str) -> Chain {
    Chain::new(url, Arc::new(SystemClock))
}

#[tokio::test]
async fn no_error_shows_the_endpoints_url() {
    let refusing = endpoint(|_| ("403 Forbidden", String::new())).await;
    let rambling = endpoint(|_| ("200 OK", "no".to_owned())).await;
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
    let busy = endpoint(|_| ("429 Too Many Requests\r\nretry-after: 60", String::new())).await;
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
        None => ("502 Bad Gateway", String::new()),
        Some(genesis) if request["method"] == "getGenesisHash" => {
            ("200 OK", json!({ "result": bs58::encode(genesis).into_string() }).to_string())
        }
        Some(_) => ("200 OK", json!({ "result": 7 }).to_string()),
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
