//! The one error that reaches a client: a stable code and a public message outside, the cause only in the log.
//!
//! Domains have typed errors of their own; `table` maps them. On the wire it is RFC 9457 `application/problem+json`
//! ([`clawos_api::Problem`]).

mod execution;
mod identity;
mod licensing;
mod registry;
mod table;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clawos_api::{Code, FieldError, Problem};
use clawos_base::{Cause, request_id};
use clawos_identity::RateStatus;

use crate::rate_headers;

/// When the same request may succeed, where nothing better is known: about what a restart takes.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What a client is told, and (apart) why it happened.
#[derive(Clone, Debug)]
pub struct ApiError {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    rate: Option<RateStatus>,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

impl ApiError {
    /// An error with this code and public message.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None, rate: None, cause: None }
    }

    /// Something went wrong inside; the client learns nothing but the request id.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(Code::Internal, "The server failed; report the request id.").caused_by(cause)
    }

    /// Keeps the cause for the log; never shown.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// Lists what is wrong, field by field.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Tells the client when to try again (`Retry-After`, rounded up to seconds). A retryable code says two seconds without.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Tells the client which rate limit it met (`RateLimit-Policy` and `RateLimit`).
    #[must_use]
    pub fn limited_by(mut self, rate: RateStatus) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Its stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The public message.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = request_id::current();
        let code = self.code;
        match (&self.cause, code.status() >= 500) {
            (Some(cause), true) => tracing::error!(code = code.as_str(), %request_id, cause = %chain(cause.as_ref())),
            (Some(cause), false) => tracing::debug!(code = code.as_str(), %request_id, cause = %chain(cause.as_ref())),
            (None, _) => tracing::debug!(code = code.as_str(), %request_id, detail = %self.detail),
        }
        let body = Problem { errors: self.errors, ..Problem::new(code, self.detail, request_id) };
        let body = serde_json::to_vec(&body).expect("a problem has only strings, numbers and JSON values");
        let status = StatusCode::from_u16(code.status()).expect("the table holds valid statuses");
        let retry_after = self.retry_after.or(code.retryable().then_some(RETRY_AFTER));
        let mut response = problem(status, retry_after, body.into());
        if let Some(rate) = self.rate {
            rate_headers::write(rate, response.headers_mut());
        }
        response
    }
}

/// An answer that is a problem, from its JSON: here are the headers that every one of them has.
pub(crate) fn problem(status: StatusCode, retry_after: Option<Duration>, body: Bytes) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"clawos\""));
    }
    if let Some(after) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_millis().div_ceil(1_000).max(1) as u64));
    }
    response
}

/// The cause and its causes in one line.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
