//! Who is calling, as handlers ask for it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use clawos_api::Code;
use clawos_identity::Caller;

use crate::{ApiError, AppState};

/// The authenticated caller. Refuses requests without valid credentials.
#[derive(Clone, Debug)]
pub struct Authenticated(
    /// The caller.
    pub Caller,
);

impl FromRequestParts<AppState> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        parts.extensions.get::<Caller>().cloned().map(Authenticated).ok_or_else(|| {
            ApiError::new(Code::Unauthenticated, "Send `Authorization: Bearer` with an access token or an API key.")
        })
    }
}

/// For endpoints that are public but say more to some callers.
#[derive(Clone, Debug)]
pub struct MaybeCaller(
    /// The caller, when there are credentials.
    pub Option<Caller>,
);

impl FromRequestParts<AppState> for MaybeCaller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Self::Rejection> {
        Ok(MaybeCaller(parts.extensions.get::<Caller>().cloned()))
    }
}
