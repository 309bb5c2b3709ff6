//! The id of the request being served: taken from `X-Request-Id` when it is sane, else made; echoed on the answer.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use clawos_base::request_id::scope;

/// Request and response header.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id taken from a client (bytes); longer ones are replaced.
const MAX_LEN: usize = 64;

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
