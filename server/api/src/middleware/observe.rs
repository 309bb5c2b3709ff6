//! One log line and one measurement per request. What is logged while a request is served names the request, its skill,
//! receipt or licence, and as soon as they are known its agent and key. Bodies, headers and query strings are never logged.

use std::time::Instant;

use axum::RequestExt;
use axum::extract::{MatchedPath, RawPathParams, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use clawos_api::limits::MAX_SKILL_ID;
use clawos_base::request_id;
use tracing::field::Empty;
use tracing::{Instrument, Span};

/// Middleware: see the module.
pub(super) async fn layer(mut request: Request, next: Next) -> Response {
    // At the level of errors, so that every line has it whatever is logged.
    let span = tracing::error_span!(
        "request", id = %request_id::current(), agent = Empty, key = Empty, skill = Empty, licence = Empty, receipt = Empty
    );
    let route =
        request.extensions().get::<MatchedPath>().map_or("unmatched".to_owned(), |path| path.as_str().to_owned());
    // A path that no route matches has no parameters.
    if let Ok(parameters) = request.extract_parts::<RawPathParams>().await {
        for (name, value) in &parameters {
            if let Some(field) = field_of(&route, name) {
                span.in_scope(|| log_id(field, value));
            }
        }
    }
    measure(request, next, route).instrument(span).await
}

/// Which field of the request's log lines a parameter of its path is.
fn field_of(route: &str, parameter: &str) -> Option<&'static str> {
    let resources = [
        ("/skills/{id}", "skill"),
        ("/verify/{skill}", "skill"),
        ("/receipts/{id}", "receipt"),
        ("/licences/{key}", "licence"),
    ];
    let found =
        resources.into_iter().find(|(part, _)| route.contains(part) && part.contains(&format!("{{{parameter}}}")));
    found.map(|(_, field)| field)
}

/// Names `id` in every further log line of the request. What is longer than any id of ours is left out.
pub(crate) fn log_id(field: &'static str, id: &str) {
    if id.len() <= MAX_SKILL_ID {
        Span::current().record(field, id);
    }
}

/// Serves the request. Metrics are labelled with the route, never with the path, and with methods that exist, so
/// their number is bounded.
async fn measure(request: Request, next: Next, route: String) -> Response {
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
    fn a_parameter_is_logged_as_what_it_names() {
        assert_eq!(field_of("/api/v1/skills/{id}/versions/{version}", "id"), Some("skill"));
        assert_eq!(field_of("/api/v1/skills/{id}/versions/{version}", "version"), None);
        assert_eq!(field_of("/api/v1/marketplace/verify/{skill}", "skill"), Some("skill"));
        assert_eq!(field_of("/api/v1/receipts/{id}/proof", "id"), Some("receipt"));
        assert_eq!(field_of("/api/v1/licences/{key}/batches", "key"), Some("licence"));
        assert_eq!(field_of("/api/v1/agents/me/keys/{key}", "key"), None);
    }

    #[test]
    fn an_invented_method_makes_no_series_of_its_own() {
        assert_eq!(known(&Method::PATCH), "PATCH");
        assert_eq!(known(&Method::from_bytes(b"BREW").expect("a token")), "OTHER");
    }
}
