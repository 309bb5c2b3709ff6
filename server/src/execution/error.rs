//! Why the execution side cannot start.

/// The execution side cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// The database failed.
    #[error("the database failed while execution started: {0}")]
    Database(#[from] sqlx::Error),
}
