//! What every request meets, in order: request id, measurement, detachment, credentials, rate limit; then a
//! handler, whose panic is an answer like any other failure.

pub mod auth;
mod client_address;
pub mod detach;
pub mod idempotency;
pub mod json;
mod observe;
pub(crate) mod openapi;
pub mod ops;
pub mod params;
pub mod rate_limit;
pub mod request_id;
pub mod values;
pub mod vault;

pub use auth::{Caller, MaybeCaller};
pub(crate) use client_address::ClientAddress;
pub use json::{Input, Problems, StrictJson};
pub use params::{IdempotencyKey, Path, Query};
pub use values::{Cursor, Money, Page, Timestamp, page, page_limit};

use crate::app::AppState;
use crate::error::{ApiError, Code};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

/// Routes that belong to no domain.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    ops::routes()
}

/// Puts the layers around the routes. The last one added is the first one met.
pub(crate) fn wrap(router: Router<AppState>, app: &AppState) -> Router<AppState> {
    router
        .fallback(async || ApiError::new(Code::NotFound, "There is no such path; see /docs."))
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed, "See /docs for the methods."))
        .layer(CatchPanicLayer::custom(|_| ApiError::internal("a handler panicked").into_response()))
        .layer(from_fn_with_state(app.clone(), rate_limit::layer))
        .layer(from_fn_with_state(app.clone(), auth::layer))
        .layer(from_fn_with_state(app.clone(), detach::layer))
        .layer(from_fn(observe::layer))
        .layer(from_fn(request_id::layer))
}
