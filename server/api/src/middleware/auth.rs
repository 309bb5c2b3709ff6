//! Who is calling: the bearer token of a request, resolved once.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clawos_api::Code;

use super::client_address;
use crate::{ApiError, AppState};

/// Middleware: resolves the bearer token. Wrong credentials are refused even where none are needed, and count against
/// the address they came from.
pub(super) async fn layer(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let address = client_address::of(&request, &app.listen);
    let resolved = match bearer(request.headers()) {
        Ok(None) => Ok(None),
        Ok(Some(token)) => app.identity.authenticate(token, address).await.map(Some).map_err(ApiError::from),
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
        // The server's own failures, and refusals to look at further guesses, do not count as guesses.
        Err(error) if !is_guess(&error) => error.into_response(),
        Err(error) => match app.rate_limits.count_guess(address) {
            Ok(()) => error.into_response(),
            Err(limited) => ApiError::from(limited).into_response(),
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
