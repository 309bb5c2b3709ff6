//! Retries against a real HTTP server that fails in chosen ways.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use super::*;

/// The answers of the server, in order, and the idempotency keys it saw.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
    keys: Arc<Mutex<Vec<Option<String>>>>,
}

async fn answer(State(script): State<Script>, headers: HeaderMap) -> Response {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
    script.keys.lock().expect("keys").push(key);
    let mut answers = script.answers.lock().expect("answers");
    let (status, body) = if answers.is_empty() { (200, "{}") } else { answers.remove(0) };
    (StatusCode::from_u16(status).expect("a status"), body).into_response()
}

async fn serve(answers: &[(u16, &'static str)]) -> (Client, Script) {
    let script = Script { answers: Arc::new(Mutex::new(answers.to_vec())), ..Script::default() };
    let router = axum::Router::new().fallback(any(answer)).with_state(script.clone());
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (Client::new(&format!("http://{address}")).expect("a client"), script)
}

const BUSY: (u16, &str) = (
    503,
    r#"{"type":"t","title":"t","status":503,"code":"rpc_unavailable","detail":"later","retryable":true,"request_id":"r1"}"#,
);
const WRONG: (u16, &str) = (
    422,
    r#"{"type":"t","title":"t","status":422,"code":"payload_invalid","detail":"no","retryable":false,"errors":[{"pointer":"/a","detail":"a number"}]}"#,
);

const RUNNING: (u16, &str) =
    (409, r#"{"type":"t","title":"t","status":409,"code":"idempotency_running","detail":"wait","retryable":true}"#);

async fn post(client: &Client, retry: Retry) -> Result<serde_json::Value> {
    client.json(Call::post("/x", json(&serde_json::json!({})), retry)).await
}

#[tokio::test]
async fn a_retryable_problem_is_tried_again_with_the_same_key() {
    let (client, script) = serve(&[BUSY, BUSY]).await;
    post(&client, Retry::Safe).await.expect("the third try");
    let keys = script.keys.lock().expect("keys").clone();
    assert_eq!(keys.len(), 3);
    assert!(keys[0].as_ref().is_some_and(|key| key.len() == 32));
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn what_is_not_retryable_or_not_idempotent_is_tried_once() {
    let (client, script) = serve(&[WRONG]).await;
    let error = post(&client, Retry::Safe).await.expect_err("refused");
    let problem = error.problem().expect("a problem");
    assert_eq!((error.status(), error.code(), error.retryable()), (Some(422), "payload_invalid", false));
    assert_eq!(problem.errors[0].pointer, "/a");
    assert_eq!(script.keys.lock().expect("keys").len(), 1);

    let (client, script) = serve(&[BUSY]).await;
    let error = post(&client, Retry::Unsent).await.expect_err("once");
    assert_eq!((error.code(), error.retryable()), ("rpc_unavailable", true));
    assert_eq!(error.problem().map(|problem| problem.request_id.as_str()), Some("r1"));
    assert_eq!(script.keys.lock().expect("keys").len(), 1);
}

#[tokio::test]
async fn it_gives_up_after_the_last_attempt() {
    let (client, script) = serve(&[BUSY; 8]).await;
    post(&client, Retry::Safe).await.expect_err("still busy");
    assert_eq!(script.keys.lock().expect("keys").len(), MAX_ATTEMPTS as usize);
}

#[tokio::test]
async fn what_the_server_is_still_at_work_on_is_asked_for_until_the_time_is_over() {
    let (client, script) = serve(&[RUNNING; 8]).await;
    post(&client, Retry::Safe).await.expect("the answer of the first request");
    assert_eq!(script.keys.lock().expect("keys").len(), 9);

    let (client, script) = serve(&[RUNNING; 100]).await;
    let call = Call::post("/x", json(&serde_json::json!({})), Retry::Safe).timeout(Duration::from_millis(600));
    let error = client.json::<serde_json::Value>(call).await.expect_err("it is still running");
    assert_eq!((error.code(), error.outcome_unknown()), ("idempotency_running", true));
    assert!(script.keys.lock().expect("keys").len() < 20, "the last tries are counted again");
}

#[tokio::test]
async fn an_answer_that_is_no_problem_and_one_that_is_no_json_are_told_apart() {
    let (client, _) = serve(&[(404, "<html>nothing</html>"), (200, "not json")]).await;
    let error = post(&client, Retry::Safe).await.expect_err("404");
    assert_eq!((error.status(), error.code()), (Some(404), "http_404"));
    let error = post(&client, Retry::Safe).await.expect_err("unreadable");
    assert_eq!(error.code(), "unreadable");
}

#[tokio::test]
async fn an_unreachable_server_says_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let client = Client::new(&format!("http://{address}")).expect("a client");
    let error = post(&client, Retry::Unsent).await.expect_err("nobody there");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    assert!(error.retryable());
}

#[tokio::test]
async fn a_server_that_never_answers_is_asked_once_and_named() {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    let client = Client::new(&format!("http://{}", listener.local_addr().expect("an address"))).expect("a client");
    // It takes every connection and says nothing.
    let served = tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(listener.accept().await.expect("a connection"));
            assert_eq!(held.len(), 1, "it is not asked again");
        }
    });
    let call = Call::post("/x", json(&serde_json::json!({})), Retry::Safe).timeout(Duration::from_millis(300));
    let error = client.json::<serde_json::Value>(call).await.expect_err("no answer");
    assert_eq!((error.code(), error.outcome_unknown()), ("silent", true), "{error}");
    assert!(!served.is_finished());
}

#[test]
fn addresses_are_checked() {
    for bad in ["", "127.0.0.1:8080", "ftp://x", "http://user:pass@x", "http://", "file:///etc/passwd"] {
        assert!(Client::new(bad).is_err(), "{bad}");
    }
    let client = Client::new("http://Example.com:80/base/").expect("a client");
    assert_eq!(client.origin(), "http://example.com");
    assert_eq!(
        client.url("/api/v1/x", &[("q", "a&b".to_owned())]).as_str(),
        "http://example.com/base/api/v1/x?q=a%26b"
    );
}

#[test]
fn pauses_grow_and_long_ones_are_left_to_the_caller() {
    for (attempt, most) in [(2, 250), (3, 500), (4, 1000)] {
        let pause = pause_before(attempt, None).expect("a pause");
        assert!(
            pause <= Duration::from_millis(most) && pause >= Duration::from_millis(most / 2 - 1),
            "{attempt}: {pause:?}"
        );
    }
    assert_eq!(pause_before(2, Some(2)), Some(Duration::from_secs(2)));
    assert_eq!(pause_before(2, Some(3600)), None);
}
