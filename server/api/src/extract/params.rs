//! Path parameters and headers whose mistakes are answered as problems.

use axum::extract::FromRequestParts;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;
use clawos_api::Code;
use clawos_api::limits::MAX_IDEMPOTENCY_KEY;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::ApiError;

/// A NUL in a URL. It is a character like any other to SQLite and an error to Postgres, and no name here has one.
pub(super) const NUL: &str = "%00";

/// A path parameter.
#[derive(Debug)]
pub struct Path<T>(
    /// Its value.
    pub T,
);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if parts.uri.path().contains(NUL) {
            return Err(ApiError::new(Code::NotFound, "The path contains a NUL character."));
        }
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Path(value))
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        ApiError::new(Code::NotFound, "The path is malformed.").caused_by(rejection)
    }
}

/// The header for the API's documentation; `IdempotencyKey` reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "only its description is used")]
pub struct IdempotencyHeader {
    /// Names this request, so that repeating it does nothing twice: 1 to 255 visible ASCII characters, a UUID is best.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

/// The `Idempotency-Key` header, when there is one.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(
    /// Its text, without the quotes of an sf-string.
    pub Option<String>,
);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(IdempotencyKey(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        if !(1..=MAX_IDEMPOTENCY_KEY).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
            let detail = "Idempotency-Key must be 1 to 255 visible ASCII characters; a UUID is best.";
            return Err(ApiError::new(Code::HeaderInvalid, detail));
        }
        Ok(IdempotencyKey(Some(text.to_owned())))
    }
}
