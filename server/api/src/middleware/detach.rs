//! Requests that change something run to their end even when the client hangs up.
//!
//! hyper drops a handler's future with its connection; a half-done publish or call would then depend on luck. Such a
//! request runs in a task of its own.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clawos_base::request_id;
use tracing::Instrument;

use crate::{ApiError, AppState};

/// Middleware: see the module.
pub(super) async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let running = app.detached.start();
    let work = request_id::scope(request_id::current(), async move {
        let _running = running;
        next.run(request).await
    });
    tokio::spawn(work.in_current_span()).await.unwrap_or_else(|error| ApiError::internal(error).into_response())
}
