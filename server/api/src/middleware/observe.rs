//! One log line and one measurement per request. What is logged while a request is served names the request, and as soon as
//! they are known its agent, key, skill and receipt. Bodies, headers and query strings are never logged.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use clawos_base::request_id;
use tracing::Instrument;
use tracing::field::Empty;

/// Middleware: see the module.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    // At the level of errors, so that every line has it whatever is logged.
    let span = tracing::error_span!(
        "request", id = %request_id::current(), agent = Empty, key = Empty, skill = Empty, receipt = Empty
    );
    measure(request, next).instrument(span).await
}

/// Serves the request. Metrics are labelled with the route, never with the path, and with methods that exist, so
/// their number is bounded.
async fn measure(request: Request, next: Next) -> Response {
    let route =
        request.extensions().get::<MatchedPath>().map_or("unmatched".to_owned(), |path| path.as_str().to_owned());
    let method = known(request.method());
    let started = Instant::now();
    let response = next.run(request).await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    tracing::info!(%method, %route, status, micros = elapsed.as_micros() as u64);
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("clawos_http_requests_total", &labels).increment(1);
    metrics::histogram!("clawos_http_request_seconds", &labels).record(elapsed.as_secs_f64());
    response
}

/// The method's name; a caller's invention is `OTHER`.
fn known(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.iter().position(|known| known == method).map_or("OTHER", |place| NAMES[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_method_makes_no_series_of_its_own() {
        assert_eq!(known(&Method::PATCH), "PATCH");
        assert_eq!(known(&Method::from_bytes(b"BREW").expect("a token")), "OTHER");
    }
}
