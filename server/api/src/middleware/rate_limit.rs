//! Counts every request for its key or its address.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clawos_identity::{Caller, ClientAddress};

use crate::{ApiError, AppState, rate_headers};

/// Middleware: counts the request for its key, or for its address.
pub(super) async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let checked = match (request.extensions().get::<Caller>(), request.extensions().get::<ClientAddress>()) {
        (Some(caller), _) => app.rate_limits.check_key(&caller.key_id),
        (None, Some(address)) => app.rate_limits.check_address(*address),
        (None, None) => Ok(None),
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
