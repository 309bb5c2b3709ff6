//! How a failed call is told: the code and text of its failure, its free receipt, and nothing the guest computed.

use clawos_runtime::{Failure, GuestErrorCode, Unavailable};

use crate::error::{ApiError, Code};

/// Longest text of a failure that leaves the server (bytes): a failed call is free, so it must not carry results.
const MAX_TEXT: usize = 1_024;

/// Why a call that ran has no result.
#[derive(Debug, Clone)]
pub(crate) enum RunFailure {
    /// The sandbox says so.
    Guest(Failure),
    /// The output breaks the endpoint's schema; where and how.
    OutputInvalid(String),
}

impl RunFailure {
    /// The error for the client, without the receipt.
    pub(crate) fn error(&self) -> ApiError {
        let (code, text) = match self {
            RunFailure::OutputInvalid(text) => {
                (Code::OutputInvalid, format!("the skill's output breaks its schema: {text}"))
            }
            RunFailure::Guest(failure) => (code(failure), failure.to_string()),
        };
        ApiError::new(code, format!("{}. Nothing was charged.", cut(text, MAX_TEXT)))
    }
}

fn code(failure: &Failure) -> Code {
    match failure {
        Failure::OutOfFuel => Code::OutOfFuel,
        Failure::Deadline => Code::Deadline,
        Failure::Memory => Code::MemoryExceeded,
        Failure::StackOverflow => Code::StackOverflow,
        Failure::OutputTooLarge => Code::OutputTooLarge,
        Failure::Denied(_) => Code::Denied,
        Failure::GuestError { code: GuestErrorCode::BadRequest, .. } => Code::GuestBadRequest,
        Failure::GuestError { code: GuestErrorCode::NotFound, .. } => Code::GuestNotFound,
        Failure::GuestError { code: GuestErrorCode::Unavailable, .. } => Code::GuestUnavailable,
        Failure::GuestError { .. } => Code::GuestInternal,
        _ => Code::Trap,
    }
}

/// The error for a call that did not take place.
pub(crate) fn unavailable(reason: Unavailable) -> ApiError {
    match reason {
        Unavailable::PoolFull { retry_after } => {
            ApiError::new(Code::SandboxBusy, "All sandboxes are in use; nothing ran.").retry_after(retry_after)
        }
        Unavailable::InvalidModule(_) => {
            ApiError::new(Code::ModuleInvalid, "The stored module cannot be run; its publisher must publish it again.")
                .caused_by(reason)
        }
        Unavailable::StorageFull(_) => {
            ApiError::new(Code::StorageFull, "The server has no room for the compiled module; nothing ran.")
                .caused_by(reason)
        }
        other => ApiError::internal(other),
    }
}

fn cut(mut text: String, max: usize) -> String {
    text.truncate(text.floor_char_boundary(max));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_no_more_than_a_kibibyte_of_the_guests_text() {
        let message = "ü".repeat(4_000);
        let failure = RunFailure::Guest(Failure::GuestError { code: GuestErrorCode::BadRequest, message });
        let error = failure.error();
        assert_eq!(error.code(), Code::GuestBadRequest);
        assert!(error.detail().len() <= MAX_TEXT + 32);
    }
}
