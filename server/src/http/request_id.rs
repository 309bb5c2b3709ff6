//! The id of the request being served: taken from `X-Request-Id` when it is sane, else made; echoed on the answer.
//!
//! It travels as a task-local, so errors and the audit log can name it without every function passing it on.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// Request and response header.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id taken from a client (bytes); longer ones are replaced.
const MAX_LEN: usize = 64;

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request this task serves; empty outside one.
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Runs `work` as part of request `id`.
pub(super) async fn scope<F: Future>(id: String, work: F) -> F::Output {
    CURRENT.scope(id, work).await
}

/// Middleware: gives the request its id.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    let sent = request.headers().get(&HEADER).and_then(|value| value.to_str().ok()).filter(|id| is_sane(id));
    let id = sent.map_or_else(|| clawos_receipts::new_id("req"), str::to_owned);
    let mut response = scope(id.clone(), next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn is_sane(id: &str) -> bool {
    (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
