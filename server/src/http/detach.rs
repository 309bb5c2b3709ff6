//! Requests that change something run to their end even when the client hangs up.
//!
//! hyper drops a handler's future with its connection; a half-done publish or call would then depend on luck. Such a
//! request runs in a task of its own.

use super::request_id;
use crate::app::AppState;
use crate::error::ApiError;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

/// Counts the requests that run on their own, so that the server's end can wait for them.
#[derive(Debug, Default)]
pub struct Detached {
    running: watch::Sender<usize>,
}

/// One of them, until dropped.
struct Running(watch::Sender<usize>);

impl Detached {
    /// Resolves once none is running.
    pub async fn ended(&self) {
        // It fails only without a sender, and there is ours.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    fn start(&self) -> Running {
        self.running.send_modify(|running| *running += 1);
        Running(self.running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

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
    tokio::spawn(work).await.unwrap_or_else(|error| ApiError::internal(error).into_response())
}
