//! The table from the domains' errors to codes and public texts. A refusal's text is its own `Display`; what went wrong
//! inside becomes `internal`, with the cause for the log alone.

use std::time::Duration;

use clawos_api::{Code, FieldError};
use clawos_base::audit::AuditError;
use clawos_base::database::{is_disk_full, is_outcome_unknown, is_unavailable};
use clawos_base::idempotency::IdempotencyError;
use clawos_base::{Invalid, PageError};
use clawos_identity::RateLimited;
use clawos_storage::StorageError;

use super::ApiError;

/// When a caller is told to come again while the database cannot be reached or is too busy: a restart of it takes about as long.
const DATABASE_RETRY_AFTER: Duration = Duration::from_secs(2);

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if is_disk_full(&error) {
            storage_full(error)
        } else if is_unavailable(&error) {
            database_unavailable(error)
        } else if is_outcome_unknown(&error) {
            let detail = "The server lost its database before it heard whether this was done. Look whether it was, or repeat \
                          the request with the same Idempotency-Key: it is then done once.";
            ApiError::new(Code::OutcomeUnknown, detail).caused_by(error)
        } else {
            Self::internal(error)
        }
    }
}

pub(super) fn storage_full(cause: impl Into<clawos_base::Cause>) -> ApiError {
    ApiError::new(Code::StorageFull, "The server has no room left; nothing was stored.").caused_by(cause)
}

pub(super) fn database_unavailable(cause: impl Into<clawos_base::Cause>) -> ApiError {
    let detail =
        "The server's database cannot be reached or is too busy now; nothing was done. Try again after Retry-After.";
    ApiError::new(Code::Unavailable, detail).retry_after(DATABASE_RETRY_AFTER).caused_by(cause)
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Full => storage_full(error),
            other => Self::internal(other),
        }
    }
}

impl From<Invalid> for ApiError {
    fn from(error: Invalid) -> Self {
        Self::new(Code::ValidationFailed, error.to_string()).with_errors(error.0)
    }
}

impl From<PageError> for ApiError {
    fn from(error: PageError) -> Self {
        let text = error.to_string();
        let field = FieldError::at(error.parameter(), &*text);
        Self::new(Code::ValidationFailed, text).with_errors(vec![field])
    }
}

impl From<AuditError> for ApiError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Page(error) => error.into(),
            AuditError::Database(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<IdempotencyError> for ApiError {
    fn from(error: IdempotencyError) -> Self {
        let text = error.to_string();
        match error {
            IdempotencyError::Mismatch => Self::new(Code::IdempotencyMismatch, text),
            IdempotencyError::Running => Self::new(Code::IdempotencyRunning, text).retry_after(Duration::from_secs(1)),
            IdempotencyError::Database(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<RateLimited> for ApiError {
    fn from(error: RateLimited) -> Self {
        Self::new(Code::RateLimited, error.to_string()).retry_after(error.retry_after).limited_by(error.status)
    }
}
