//! What the headers of every request must be, whatever it asks: a host, and at most one set of credentials.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clawos_api::Code;

use crate::ApiError;

/// Middleware: refuses what could be read in two ways.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    match check(request.version(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(detail) => ApiError::new(Code::HeaderInvalid, detail).into_response(),
    }
}

fn check(version: Version, headers: &HeaderMap) -> Result<(), &'static str> {
    let count = |name: HeaderName| headers.get_all(name).iter().count();
    // HTTP/1.0 knew no `Host`.
    if count(header::HOST) > 1 || (version == Version::HTTP_11 && count(header::HOST) == 0) {
        return Err("HTTP/1.1 needs exactly one Host header.");
    }
    if count(header::AUTHORIZATION) > 1 {
        return Err("Send one Authorization header; which of several counts would be a guess.");
    }
    Ok(())
}
