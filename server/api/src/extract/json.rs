//! JSON request bodies: bounded, strict, and with the JSON Pointer of what is wrong.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use clawos_api::{Code, FieldError};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::ApiError;

/// How long a body may take to arrive: the largest, of about a megabyte, at 35 KB a second.
const MAX_BODY_TIME: Duration = Duration::from_secs(30);

/// A JSON body: what it may weigh. Its `Deserialize` must refuse unknown members; the domain checks its values.
pub trait Body: DeserializeOwned + Send {
    /// Largest body in bytes. Small by default, since most bodies are a few short strings.
    const MAX_BYTES: usize = 64 * 1024;
}

/// A body, with the bytes it was read from.
#[derive(Debug)]
pub struct StrictJson<T> {
    /// The value.
    pub value: T,
    /// The exact bytes, for fingerprints and raw members.
    pub raw: Bytes,
}

impl<T: Body, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        check_body(request.headers(), T::MAX_BYTES)?;
        let raw = tokio::time::timeout(MAX_BODY_TIME, read(request, T::MAX_BYTES)).await.map_err(|_| {
            let detail = format!("The body did not arrive within {} seconds.", MAX_BODY_TIME.as_secs());
            ApiError::new(Code::InvalidBody, detail)
        })??;
        Ok(StrictJson { value: parse::<T>(&raw)?, raw })
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::new(Code::UnsupportedMediaType, "Send the body as `Content-Type: application/json`."))
}

/// Refuses a body that need not be read to be refused: one that says it is larger than `limit` bytes, or that is compressed.
///
/// # Errors
/// `payload_too_large`, `unsupported_media_type`.
pub(crate) fn check_body(headers: &HeaderMap, limit: usize) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity")) {
        let detail = "Compressed bodies are not read; send it as it is, without Content-Encoding.";
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    match text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > limit as u64 => Err(too_large(limit)),
        _ => Ok(()),
    }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(Code::PayloadTooLarge, format!("The body may have at most {limit} bytes."))
}

async fn read(request: Request, limit: usize) -> Result<Bytes, ApiError> {
    axum::body::to_bytes(request.into_body(), limit).await.map_err(|error| {
        // `to_bytes` has one limit error and otherwise reports a broken connection.
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        if source.contains("length limit") {
            too_large(limit)
        } else {
            ApiError::new(Code::InvalidBody, "The body could not be read to its end.").caused_by(error)
        }
    })
}

fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, ApiError> {
    // Serde would take a list of the right length for an object.
    if raw.trim_ascii_start().first() == Some(&b'[') {
        let field = FieldError { pointer: String::new(), detail: "expected an object, found a list".to_owned() };
        return Err(
            ApiError::new(Code::InvalidBody, "The body does not have the right shape.").with_errors(vec![field])
        );
    }
    let mut reader = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        let detail = if inner.is_data() { "The body does not have the right shape." } else { "The body is not JSON." };
        ApiError::new(Code::InvalidBody, detail).with_errors(vec![FieldError { pointer, detail: inner.to_string() }])
    })?;
    reader.end().map_err(|error| {
        let field = FieldError { pointer: String::new(), detail: error.to_string() };
        ApiError::new(Code::InvalidBody, "The body is not JSON.").with_errors(vec![field])
    })?;
    Ok(value)
}

fn pointer(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Map { key } => {
                text.push('/');
                text.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Seq { index } => text.push_str(&format!("/{index}")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}
