//! A call that ran, and how a door turns it and its sealed receipt into the answer's bytes.

use std::fmt;

use clawos_api::execution::ExecuteAnswer;
use clawos_base::Cause;
use clawos_base::idempotency::Answer;
use clawos_receipts::SignedReceipt;

use crate::failure::RunFailure;

/// A call that ran.
pub enum Finished {
    /// It succeeded: its answer, which lacks only the receipt.
    Succeeded(Box<ExecuteAnswer>),
    /// It failed, and costs nothing. Its logs are told to nobody but the skill's own publisher, and to him the last error.
    Failed {
        /// How.
        failure: RunFailure,
        /// What the caller is told.
        detail: String,
        /// The request that it answers: `req_…`.
        request_id: String,
    },
}

impl fmt::Debug for Finished {
    /// Without what was computed, which is the buyer's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Finished::Succeeded(_) => "Succeeded",
            Finished::Failed { .. } => "Failed",
        })
    }
}

/// Writes the answer of a finished call with its signed receipt. A door supplies it; it is called once for each call, and
/// the bytes it gives are both sent and, for a keyed call, stored. It fails only for what JSON cannot hold.
pub type EncodeAnswer = fn(Finished, &SignedReceipt) -> Result<Answer, Cause>;
