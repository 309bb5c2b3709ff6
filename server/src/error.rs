//! The one error that reaches a client: a stable code and a public message outside, the cause only in the log.
//!
//! Domains keep their own typed errors and convert them here, one `From` per domain. On the wire it is RFC 9457
//! `application/problem+json`; [`Code`] is the table of all codes.

mod codes;

pub use codes::Code;

use crate::http::rate_limit::Standing;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::error::Error as StdError;
use std::time::Duration;
use utoipa::ToSchema;

/// One thing wrong with a request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) to the value; for a multipart body the name of the part comes first.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// What a client is told, and (apart) why it happened.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    /// Boxed, since few errors have one and every `Result` of the server would be larger for it.
    receipt: Option<Box<serde_json::Value>>,
    retry_after: Option<Duration>,
    standing: Option<Standing>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl ApiError {
    /// An error with this code and public message.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            receipt: None,
            retry_after: None,
            standing: None,
            cause: None,
        }
    }

    /// Something went wrong inside; the client learns nothing but the request id.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "The server failed; report the request id.").caused_by(cause)
    }

    /// Keeps the cause for the log; never shown.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Lists what is wrong, field by field.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds the signed receipt of a call that ran and failed.
    #[must_use]
    pub fn with_receipt(mut self, receipt: serde_json::Value) -> Self {
        self.receipt = Some(Box::new(receipt));
        self
    }

    /// Tells the client when to come back (`Retry-After`, rounded up to seconds).
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Tells the client which rate limit it met (`RateLimit-Policy` and `RateLimit`).
    #[must_use]
    pub fn limited_by(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
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

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if crate::database::is_disk_full(&error) {
            return Self::new(Code::StorageFull, "The server has no room left; nothing was stored.").caused_by(error);
        }
        Self::internal(error)
    }
}

/// The body of every error answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `https://clawos.dev/errors/` and the code.
    pub r#type: String,
    /// What this code means.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened here and what to do.
    pub detail: String,
    /// Stable, for programs.
    pub code: &'static str,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Quote this when you report a problem.
    pub request_id: String,
    /// Field by field, where the body was wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The signed receipt (amount 0) of a call that ran and failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub receipt: Option<serde_json::Value>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = crate::http::request_id::current();
        let code = self.code;
        match (&self.cause, code.status() >= 500) {
            (Some(cause), true) => tracing::error!(code = code.as_str(), %request_id, cause = %chain(cause.as_ref())),
            (Some(cause), false) => tracing::debug!(code = code.as_str(), %request_id, cause = %chain(cause.as_ref())),
            (None, _) => tracing::debug!(code = code.as_str(), %request_id, detail = %self.detail),
        }
        let problem = Problem {
            r#type: format!("https://clawos.dev/errors/{}", code.as_str()),
            title: code.title(),
            status: code.status(),
            detail: self.detail,
            code: code.as_str(),
            retryable: code.retryable(),
            request_id,
            errors: self.errors,
            receipt: self.receipt.map(|receipt| *receipt),
        };
        let body = serde_json::to_vec(&problem).expect("a problem has only strings, numbers and JSON values");
        let status = StatusCode::from_u16(code.status()).expect("the table holds valid statuses");
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"clawos\""));
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_millis().div_ceil(1_000).max(1) as u64));
        }
        if let Some(standing) = self.standing {
            standing.write(headers);
        }
        response
    }
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
