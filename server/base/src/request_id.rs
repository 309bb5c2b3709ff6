//! The id of the request that a task serves. It travels as a task-local, so that errors and the audit log can name it
//! without every function passing it on.

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request this task serves; empty outside one.
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Runs `work` as part of request `id`.
pub async fn scope<F: Future>(id: String, work: F) -> F::Output {
    CURRENT.scope(id, work).await
}
