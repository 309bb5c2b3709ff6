//! What every request meets, in order: request id, measurement, sound headers; where callers count, also
//! detachment, credentials, rate limit; then a handler, whose panic is an answer like any other failure.

mod auth;
mod client_address;
mod detach;
mod headers;
mod observe;
mod rate_limit;
mod request_id;

pub(crate) use observe::log_id;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use clawos_api::Code;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{ApiError, AppState};

/// Makes problems of what no handler answers: other methods of a path, and panics.
pub(crate) fn problems(router: Router<AppState>) -> Router<AppState> {
    router
        .method_not_allowed_fallback(async || {
            ApiError::new(
                Code::MethodNotAllowed,
                "This path does not answer that method; `Allow` names those it answers.",
            )
        })
        .layer(CatchPanicLayer::custom(|_| ApiError::internal("a handler panicked").into_response()))
}

/// Makes problems of paths that a listener does not have; `detail` says where to find those it has.
pub(crate) fn not_found(router: Router<AppState>, detail: &'static str) -> Router<AppState> {
    router.fallback(async move || ApiError::new(Code::NotFound, detail))
}

/// Puts what bounds and identifies callers around the routes. The last layer added is the first one met.
pub(crate) fn limit(router: Router<AppState>, app: &AppState) -> Router<AppState> {
    router
        .layer(from_fn_with_state(app.clone(), rate_limit::layer))
        .layer(from_fn_with_state(app.clone(), auth::layer))
        .layer(from_fn_with_state(app.clone(), detach::layer))
}

/// Puts what every request meets first around all routes.
pub(crate) fn observe(router: Router<AppState>) -> Router<AppState> {
    router.layer(from_fn(headers::layer)).layer(from_fn(observe::layer)).layer(from_fn(request_id::layer))
}
