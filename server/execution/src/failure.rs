//! How a failed call is told: the text of its failure, the name of its outcome, and nothing the guest computed.

use clawos_receipts::receipt::Outcome;
use clawos_runtime::Failure;

/// Longest text of a failure that leaves the server (bytes): a failed call is free, so it must not carry results.
const MAX_TEXT: usize = 1_024;

/// Why a call that ran has no result.
#[derive(Debug, Clone)]
pub enum RunFailure {
    /// The sandbox says so.
    Guest(Failure),
    /// The output does not match the endpoint's schema; where and how.
    OutputInvalid(String),
}

impl RunFailure {
    /// What the caller is told; `logged` is what else the skill's own publisher is.
    pub(crate) fn detail(&self, logged: Option<&str>) -> String {
        let text = match self {
            RunFailure::OutputInvalid(text) => format!("the skill's output does not match its schema: {text}"),
            RunFailure::Guest(failure) => failure.to_string(),
        };
        let logged = logged.map_or_else(String::new, |logged| format!(" It logged: {logged}."));
        format!("{}.{logged} Nothing was charged.", cut(text, MAX_TEXT))
    }

    /// Its name in receipts.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            RunFailure::OutputInvalid(_) => Outcome::OutputInvalid,
            RunFailure::Guest(failure) => outcome(failure),
        }
    }
}

fn outcome(failure: &Failure) -> Outcome {
    match failure {
        Failure::OutOfFuel => Outcome::OutOfFuel,
        Failure::Deadline => Outcome::Deadline,
        Failure::Memory => Outcome::Memory,
        Failure::StackOverflow => Outcome::StackOverflow,
        Failure::OutputTooLarge => Outcome::OutputTooLarge,
        Failure::GuestError { .. } => Outcome::GuestError,
        // Whatever else a later runtime may report is a crash to the buyer.
        _ => Outcome::Trap,
    }
}

fn cut(mut text: String, max: usize) -> String {
    text.truncate(text.floor_char_boundary(max));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawos_runtime::GuestErrorCode;

    #[test]
    fn a_failure_carries_no_more_than_a_kibibyte_of_the_guests_text() {
        let message = "ü".repeat(4_000);
        let failure = RunFailure::Guest(Failure::GuestError { code: GuestErrorCode::BadRequest, message });
        assert!(failure.detail(None).len() <= MAX_TEXT + 32);
        assert!(failure.detail(Some("a panic")).ends_with(". It logged: a panic. Nothing was charged."));
    }
}
