//! Who is calling, as handlers ask for it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use clawos_api::Code;
use clawos_identity::Caller;

use crate::{ApiError, AppState};

/// What a request's `Authorization` header is worth; the middleware leaves it with the request.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// There is none.
    None,
    /// It is this caller's.
    Caller(Caller),
    /// It is worth nothing here, for this reason.
    Refused(ApiError),
}

impl Credentials {
    /// The caller, when there are credentials.
    fn of(parts: &Parts) -> Result<Option<Caller>, ApiError> {
        match parts.extensions.get::<Credentials>() {
            Some(Credentials::Caller(caller)) => Ok(Some(caller.clone())),
            Some(Credentials::Refused(error)) => Err(error.clone()),
            Some(Credentials::None) | None => Ok(None),
        }
    }
}

/// The authenticated caller. Refuses requests without valid credentials.
#[derive(Clone, Debug)]
pub struct Authenticated(
    /// The caller.
    pub Caller,
);

impl FromRequestParts<AppState> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        Credentials::of(parts)?.map(Authenticated).ok_or_else(|| {
            ApiError::new(Code::Unauthenticated, "Send `Authorization: Bearer` with an access token or an API key.")
        })
    }
}

/// For endpoints that are public but say more to some callers. Credentials that are worth nothing are refused: without them
/// the answer would be another one than the caller expects.
#[derive(Clone, Debug)]
pub struct MaybeCaller(
    /// The caller, when there are credentials.
    pub Option<Caller>,
);

impl FromRequestParts<AppState> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        Credentials::of(parts).map(MaybeCaller)
    }
}
