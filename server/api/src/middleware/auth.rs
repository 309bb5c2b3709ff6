//! Who is calling: the bearer token of a request, resolved once.
//!
//! A token that is worth nothing is refused only where it matters who calls ([`crate::extract::Authenticated`],
//! [`crate::extract::MaybeCaller`]): whoever holds a dead one can still sign in again, refresh, and read what is public.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use clawos_api::Code;

use super::client_address;
use crate::extract::Credentials;
use crate::{ApiError, AppState};

/// Middleware: resolves the bearer token and hands on what it is worth.
pub(super) async fn layer(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let address = client_address::of(&request, &app.listen);
    let credentials = match bearer(request.headers()) {
        Ok(None) => Credentials::None,
        Ok(Some(token)) => match app.identity.authenticate(token, address).await {
            Ok(caller) => {
                let span = tracing::Span::current();
                span.record("agent", &*caller.agent_id).record("key", &*caller.key_id);
                Credentials::Caller(caller)
            }
            Err(error) => Credentials::Refused(error.into()),
        },
        Err(error) => Credentials::Refused(error),
    };
    request.extensions_mut().insert(credentials);
    request.extensions_mut().insert(address);
    next.run(request).await
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
