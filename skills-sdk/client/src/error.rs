//! The errors of every call: message, stable code, and whether a retry is safe.

use clawos_api::{Code, Problem};

use crate::login::ChallengeRefused;
use crate::solana::ChainError;
use crate::wallet::WalletError;

/// The result of every call of this crate.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server answered with a problem.
    #[error("{} ({})", .0.detail, .0.code)]
    Problem(Box<Problem>),
    /// No answer came: the server is not there, or the connection broke.
    #[error("cannot reach {url}: {reason}; check the address and that the server runs")]
    Unreachable {
        /// The address that was tried.
        url: String,
        /// The error of the connection.
        reason: String,
    },
    /// The server took the connection and then said nothing.
    #[error("{url} did not answer within {secs} s: it is overloaded, or has stopped working")]
    Silent {
        /// The address that was asked.
        url: String,
        /// The time that it had, in seconds.
        secs: u64,
    },
    /// An answer came that is not what this version of the API says.
    #[error(
        "{url} answered something this client does not understand: {reason}; check that it is a ClawOS server of the same version"
    )]
    Unreadable {
        /// The address that answered.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The caller gave something that cannot be sent.
    #[error("{0}")]
    Invalid(String),
    /// A sign-in challenge that this client refuses to sign.
    #[error(transparent)]
    Challenge(#[from] ChallengeRefused),
    /// The wallet cannot be used.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The chain refused, or could not be reached.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl ClientError {
    /// The HTTP status, when a server answered.
    pub fn status(&self) -> Option<u16> {
        self.problem().map(|problem| problem.status)
    }

    /// A stable code: the server's, the chain's, or one of `unreachable`, `silent`, `unreadable`, `invalid`,
    /// `challenge_refused` and `wallet`.
    pub fn code(&self) -> &str {
        match self {
            Self::Problem(problem) => &problem.code,
            Self::Unreachable { .. } => "unreachable",
            Self::Silent { .. } => "silent",
            Self::Unreadable { .. } => "unreadable",
            Self::Invalid(_) => "invalid",
            Self::Challenge(_) => "challenge_refused",
            Self::Wallet(_) => "wallet",
            Self::Chain(error) => error.code(),
        }
    }

    /// Whether the same call may succeed later.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.retryable,
            Self::Unreachable { .. } | Self::Silent { .. } => true,
            Self::Chain(error) => error.retryable(),
            _ => false,
        }
    }

    /// Whether the request may have done its work though no answer of it arrived: only the same `Idempotency-Key` tells.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } | Self::Unreadable { .. } => true,
            Self::Problem(problem) => {
                let away = problem.status >= 500 && problem.retryable && problem.receipt.is_none();
                self.is_running() || self.code() == Code::OutcomeUnknown.as_str() || away
            }
            _ => false,
        }
    }

    /// Whether the first request with the same `Idempotency-Key` is still at work.
    pub(crate) fn is_running(&self) -> bool {
        self.code() == Code::IdempotencyRunning.as_str()
    }

    /// The server's problem, when there is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}

/// The innermost reason of an error: the outer ones of HTTP and RPC libraries only repeat the address.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
