//! Requests that change something run to their end even when the client hangs up.
//!
//! hyper drops a handler's future with its connection; a half-done publish or call would then depend on luck. Such a
//! request runs in a task of its own.

use super::request_id;
use crate::error::ApiError;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Middleware: see the module.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let work = tokio::spawn(request_id::scope(request_id::current(), next.run(request)));
    work.await.unwrap_or_else(|error| ApiError::internal(error).into_response())
}
