//! Counts every request for its key or its address.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clawos_api::Code;
use clawos_identity::ClientAddress;

use crate::extract::Credentials;
use crate::{ApiError, AppState, rate_headers};

/// Middleware: counts the request for its key, or for its address. Credentials that are worth nothing count as guesses.
pub(super) async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let checked = match (request.extensions().get::<Credentials>(), request.extensions().get::<ClientAddress>()) {
        (Some(Credentials::Caller(caller)), _) => app.rate_limits.check_key(&caller.key_id),
        (Some(Credentials::Refused(error)), Some(address)) if is_guess(error) => app.rate_limits.count_guess(*address),
        (_, Some(address)) => app.rate_limits.check_address(*address),
        (_, None) => Ok(None),
    };
    match checked {
        Ok(status) => {
            let mut response = next.run(request).await;
            // A limit that refused the request says more to the client than this one, which did not.
            if let Some(status) = status.filter(|_| !response.headers().contains_key(rate_headers::LIMIT)) {
                rate_headers::write(status, response.headers_mut());
            }
            response
        }
        Err(limited) => ApiError::from(limited).into_response(),
    }
}

/// Whether the credentials were looked at and are worth nothing. The server's own failures, and refusals to look at further
/// guesses, are no guesses.
fn is_guess(error: &ApiError) -> bool {
    matches!(error.code(), Code::Unauthenticated | Code::KeyExpired | Code::KeyRevoked)
}
