//! JSON-RPC over HTTP: `POST /` with a call or a batch, `GET /health`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::node::Node;
use crate::rpc::{self, RpcError};

/// Largest request body, in bytes: enough for a batch of the largest transactions.
const MAX_BODY: usize = 256 << 10;
/// The most requests served at once; the others wait. They share one chain, so more threads would queue at its lock.
const MAX_AT_WORK: usize = 64;

#[derive(Clone)]
struct Http {
    node: Arc<Node>,
    at_work: Arc<Semaphore>,
}

pub(crate) fn router(node: Arc<Node>) -> Router {
    let state = Http { node, at_work: Arc::new(Semaphore::new(MAX_AT_WORK)) };
    Router::new()
        .route("/", post(call).options(preflight))
        .route("/health", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(state)
}

async fn call(State(http): State<Http>, headers: HeaderMap, body: Bytes) -> Response {
    let json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    if !json {
        let message = "Supplied content type is not allowed. Content-Type: application/json is required";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response();
    }
    let _permit = http.at_work.acquire().await.expect("the semaphore is never closed");
    let node = http.node;
    // Running programs and writing the ledger block, briefly.
    let answer = tokio::task::spawn_blocking(move || rpc::answer(&node, &body)).await;
    let answer = answer.unwrap_or_else(|error| {
        tracing::error!(%error, "a request failed inside localnet");
        Some(rpc::failure(Value::Null, &RpcError::internal("localnet must be restarted")))
    });
    let mut response = answer.map_or_else(String::new, |answer| answer.to_string()).into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    // As on a validator, so that wallets in a browser work.
    let any = HeaderValue::from_static("*");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

/// What a browser asks before it calls from a page of another origin.
async fn preflight() -> (StatusCode, [(HeaderName, &'static str); 3]) {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, solana-client"),
    ];
    (StatusCode::NO_CONTENT, headers)
}
