//! Who is calling: the bearer token of a request, resolved once, and the extractor handlers ask for.

use super::client_address::ClientAddress;
use crate::app::AppState;
use crate::error::{ApiError, Code};
use crate::identity::{self, Scope, Scopes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clawos_interface::Key;
use std::sync::Arc;

/// An authenticated caller. As a handler argument it refuses requests without valid credentials.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `agt_…`
    pub agent_id: Arc<str>,
    /// The agent's immutable name.
    pub handle: Arc<str>,
    /// The agent's wallet.
    pub wallet: Key,
    /// `key_…` for an API key, `ses_…` for a session; rate limits count by it.
    pub key_id: Arc<str>,
    /// What it may do.
    pub scopes: Scopes,
    /// USDC base units an API key may spend a day; `None` for sessions.
    pub daily_cap: Option<u64>,
    /// What counts as one with this key when it spends: the first of the keys that made or replaced one another.
    pub family: Arc<str>,
}

impl Caller {
    /// Whether it is a session, and not an API key.
    pub fn is_session(&self) -> bool {
        self.key_id.starts_with("ses_")
    }

    /// Refuses callers without `scope`.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        Err(ApiError::new(Code::ScopeMissing, format!("This needs a key with the scope `{}`.", scope.as_str())))
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| {
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
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Self::Rejection> {
        Ok(MaybeCaller(parts.extensions.get::<Caller>().cloned()))
    }
}

/// Middleware: resolves the bearer token. Wrong credentials are refused even where none are needed, and count against
/// the address they came from.
pub(super) async fn layer(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let address = ClientAddress::of(&request, &app.config.listen);
    let resolved = match bearer(request.headers()) {
        Ok(None) => Ok(None),
        Ok(Some(token)) => identity::authenticate(&app, token, address).await.map(Some),
        Err(error) => Err(error),
    };
    match resolved {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            request.extensions_mut().insert(address);
            next.run(request).await
        }
        // Our own troubles, and the refusal to look at more guesses, are none.
        Err(error) if !is_guess(&error) => error.into_response(),
        Err(error) => match app.rate_limits.count_guess(address) {
            Ok(()) => error.into_response(),
            Err(limited) => limited.into_response(),
        },
    }
}

/// Whether the credentials were looked at and are worth nothing.
fn is_guess(error: &ApiError) -> bool {
    matches!(error.code(), Code::Unauthenticated | Code::KeyExpired | Code::KeyRevoked)
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token
        .filter(|token| !token.is_empty())
        .map(Some)
        .ok_or_else(|| ApiError::new(Code::Unauthenticated, "The Authorization header must be `Bearer` and a token."))
}
