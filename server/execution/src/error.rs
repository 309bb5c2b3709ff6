//! What execution refuses, in the words that the caller reads, and what can fail inside.

use std::time::Duration;

use clawos_api::FieldError;
use clawos_base::audit::AuditError;
use clawos_base::idempotency::IdempotencyError;
use clawos_base::{Cause, Invalid, PageError};
use clawos_identity::{RateLimited, ScopeMissing};
use clawos_licensing::LicensingError;
use clawos_manifest::limits::MAX_INPUT_BYTES;
use clawos_registry::RegistryError;
use clawos_runtime::Unavailable;

use crate::group_commit::CommitError;
use crate::reserve::ReserveError;
use crate::spending::CapReached;

/// A call did not take place, or a receipt or batch cannot be shown. The text of a refusal is for the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// Values outside what is allowed.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The caller's key lacks a scope.
    #[error(transparent)]
    ScopeMissing(#[from] ScopeMissing),
    /// Limit or cursor of a list are wrong.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The audit log cannot be read as asked.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The request's `Idempotency-Key` cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The skill or its version cannot be found.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The caller's licence does not allow the call, or the chain cannot be read.
    #[error(transparent)]
    Licensing(#[from] LicensingError),
    /// The licence's calls come too fast.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The call ran and its receipt could not be stored, so it is not charged.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The call ran, and nobody knows whether its receipt is stored.
    #[error(
        "The call ran, and the server lost its database before it heard whether the receipt is stored. If it is, the call is \
         done and charged: look for it at /receipts/{receipt}, or repeat the call with the same Idempotency-Key; without that \
         key a repetition is another call."
    )]
    OutcomeUnknown {
        /// `run_…`: the id of that receipt.
        receipt: String,
        /// What the database said.
        #[source]
        cause: CommitError,
    },
    /// The sandbox could not run the call.
    #[error(transparent)]
    Sandbox(#[from] Unavailable),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Something that cannot be, such as a stored batch without its receipt.
    #[error(transparent)]
    Internal(Cause),

    /// No place is free for another call.
    #[error("Too many calls are under way; nothing ran. Try again after Retry-After.")]
    TooManyCalls {
        /// When to try again: most calls end within this.
        retry_after: Duration,
    },
    /// The skill has no such endpoint; holds those it has, separated by commas.
    #[error("The skill has these endpoints: {0}.")]
    EndpointNotFound(String),
    /// The payload is longer than any skill takes.
    #[error("A payload has at most {MAX_INPUT_BYTES} bytes.")]
    PayloadTooLarge,
    /// The payload does not match the endpoint's input schema; holds where and how.
    #[error("The payload does not match the endpoint's input schema; nothing ran.")]
    PayloadInvalid(Vec<FieldError>),
    /// The call could cost more than its caller accepts.
    #[error("The call could cost {most} base units and max_cost is {max}; nothing ran.")]
    MaxCostExceeded {
        /// Base units.
        most: u64,
        /// Base units.
        max: u64,
    },
    /// Calls of the skill failed too often: failed calls are free.
    #[error("{failures} calls of this skill failed within a minute; fix the request, then wait.")]
    TooManyFailures {
        /// How many failures are allowed.
        failures: u32,
        /// How long to wait.
        retry_after: Duration,
    },
    /// The publisher has made his free calls of his own skill of today.
    #[error("You have made your {per_day} free calls of your own skill of today; nothing ran.")]
    FreeCallsUsedUp {
        /// How many there are.
        per_day: u64,
        /// How long until tomorrow (UTC).
        retry_after: Duration,
    },
    /// The licence's units cannot be set aside for the call.
    #[error("Nothing ran: {0}.")]
    Units(#[source] ReserveError),
    /// The daily cap of the caller's key does not allow the call.
    #[error("Nothing ran: {0}.")]
    SpendingCap(#[source] CapReached),
    /// The licence's terms changed between two reads of it.
    #[error("The licence's price changed just now; call again.")]
    TermsChanged,

    /// No receipt of the caller has this id.
    #[error("There is no such receipt of yours; ids begin with run_.")]
    UnknownReceipt,
    /// No receipt has this id and this leaf hash.
    #[error("There is no receipt of that id with that leaf hash here.")]
    UnknownLeaf,
    /// No batch of such a licence, or not with this number, was formed here.
    #[error("No usage of such a licence was batched here.")]
    UnknownBatch,
    /// The caller is neither buyer nor seller of such a licence.
    #[error("No licence of yours, as buyer or seller, was used here under that address.")]
    UnknownLicence,
}

impl ExecutionError {
    /// Something that cannot be.
    pub(crate) fn internal(cause: impl Into<Cause>) -> ExecutionError {
        ExecutionError::Internal(cause.into())
    }
}

impl From<ReserveError> for ExecutionError {
    fn from(error: ReserveError) -> Self {
        match error {
            ReserveError::Database(error) => ExecutionError::Database(error),
            refusal => ExecutionError::Units(refusal),
        }
    }
}
