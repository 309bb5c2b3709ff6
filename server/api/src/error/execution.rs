//! The table's rows of execution.

use std::time::Duration;

use clawos_api::Code;
use clawos_base::database::{is_disk_full, is_unavailable};
use clawos_execution::{CommitError, ExecutionError, ReserveError};
use clawos_runtime::Unavailable;

use super::ApiError;
use super::table::{database_unavailable, storage_full};

/// How long a caller whose licence's units are busy should wait: about until a batch has landed.
const UNITS_RETRY_AFTER: Duration = Duration::from_secs(2);
/// The same where an operator has to do something first.
const OPERATOR_RETRY_AFTER: Duration = Duration::from_secs(300);

impl From<ExecutionError> for ApiError {
    fn from(error: ExecutionError) -> Self {
        let text = error.to_string();
        match error {
            ExecutionError::TooManyCalls { retry_after } => {
                ApiError::new(Code::SandboxBusy, text).retry_after(retry_after)
            }
            ExecutionError::EndpointNotFound(_) => ApiError::new(Code::EndpointNotFound, text),
            ExecutionError::PayloadTooLarge => ApiError::new(Code::PayloadTooLarge, text),
            ExecutionError::PayloadInvalid(fields) => ApiError::new(Code::PayloadInvalid, text).with_errors(fields),
            ExecutionError::MaxCostExceeded { .. } => ApiError::new(Code::MaxCostExceeded, text),
            ExecutionError::TooManyFailures { retry_after, .. }
            | ExecutionError::FreeCallsUsedUp { retry_after, .. } => {
                ApiError::new(Code::RateLimited, text).retry_after(retry_after)
            }
            ExecutionError::Units(ReserveError::SetAside | ReserveError::Unrecorded { .. }) => {
                ApiError::new(Code::UnitsBusy, text).retry_after(UNITS_RETRY_AFTER)
            }
            ExecutionError::Units(ReserveError::UnknownBatch | ReserveError::Stopped) => {
                ApiError::new(Code::UnitsBusy, text).retry_after(OPERATOR_RETRY_AFTER)
            }
            ExecutionError::Units(ReserveError::MeteredElsewhere) => ApiError::new(Code::WrongProxy, text),
            ExecutionError::Units(ReserveError::Exhausted { credit: true, .. }) => {
                ApiError::new(Code::InsufficientCredit, text)
            }
            ExecutionError::Units(ReserveError::Exhausted { .. } | ReserveError::AboveBatchCap { .. }) => {
                ApiError::new(Code::UnitsExhausted, text)
            }
            ExecutionError::SpendingCap(_) => ApiError::new(Code::SpendingCap, text),
            ExecutionError::OutcomeUnknown { .. } => ApiError::new(Code::OutcomeUnknown, text).caused_by(error),
            ExecutionError::TermsChanged => ApiError::new(Code::TermsChanged, text),
            ExecutionError::UnknownReceipt | ExecutionError::UnknownLeaf => ApiError::new(Code::ReceiptNotFound, text),
            ExecutionError::UnknownBatch | ExecutionError::UnknownLicence => ApiError::new(Code::NotFound, text),
            ExecutionError::Invalid(error) => error.into(),
            ExecutionError::ScopeMissing(error) => error.into(),
            ExecutionError::Page(error) => error.into(),
            ExecutionError::Audit(error) => error.into(),
            ExecutionError::Idempotency(error) => error.into(),
            ExecutionError::Registry(error) => error.into(),
            ExecutionError::Licensing(error) => error.into(),
            ExecutionError::RateLimited(error) => error.into(),
            ExecutionError::Commit(error) => error.into(),
            ExecutionError::Sandbox(error) => error.into(),
            ExecutionError::Database(error) => error.into(),
            other => ApiError::internal(other),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match &error {
            CommitError::Database(cause) if is_disk_full(cause) => storage_full(error),
            CommitError::Database(cause) if is_unavailable(cause) => database_unavailable(error),
            _ => ApiError::internal(error),
        }
    }
}

impl From<Unavailable> for ApiError {
    fn from(reason: Unavailable) -> Self {
        match reason {
            Unavailable::PoolFull { retry_after } => {
                ApiError::new(Code::SandboxBusy, "All sandboxes are in use; nothing ran.").retry_after(retry_after)
            }
            Unavailable::InvalidModule(_) => {
                let detail = "The stored module cannot be run; its publisher must publish it again.";
                ApiError::new(Code::ModuleInvalid, detail).caused_by(reason)
            }
            Unavailable::StorageFull(_) => {
                let detail = "The server has no room for the compiled module; nothing ran.";
                ApiError::new(Code::StorageFull, detail).caused_by(reason)
            }
            Unavailable::DeadlinePassed => {
                ApiError::new(Code::Deadline, "The call's deadline passed before it began; nothing ran.")
            }
            other => ApiError::internal(other),
        }
    }
}
