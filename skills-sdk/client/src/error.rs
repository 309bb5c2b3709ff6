//! What can go wrong in a call, with everything a caller needs to decide what to do next.

use serde::{Deserialize, Serialize};

use crate::login::ChallengeRefused;
use crate::solana::ChainError;
use crate::wallet::WalletError;

/// The result of every call of this crate.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// An RFC 9457 problem as the server sends it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    /// `https://clawos.dev/errors/CODE`, or `about:blank` when something before the server answered.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The short name of the problem.
    #[serde(default)]
    pub title: String,
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// What happened this time.
    #[serde(default)]
    pub detail: String,
    /// The stable code, for programs: `licence_required`, `rate_limited`, …
    #[serde(default)]
    pub code: String,
    /// Whether the same request may succeed later.
    #[serde(default)]
    pub retryable: bool,
    /// The id of this request in the server's logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The fields that were wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The zero-charge receipt of a run that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<serde_json::Value>,
    /// Seconds the server asked the client to wait (`Retry-After`).
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// Whether the server is still processing the first request with the same `Idempotency-Key`.
    pub fn is_running(&self) -> bool {
        self.code == "idempotency_running"
    }
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON Pointer to the field.
    pub pointer: String,
    /// What would be right.
    pub detail: String,
}

/// Why a call did not work.
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
        /// What the connection said.
        reason: String,
    },
    /// An answer came that is not what this version of the API says.
    #[error(
        "{url} answered something this client does not understand: {reason}; is it a ClawOS server of the same version?"
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

    /// A stable code: the server's, the chain's, or one of `unreachable`, `unreadable`, `invalid`, `challenge_refused` and
    /// `wallet`.
    pub fn code(&self) -> &str {
        match self {
            Self::Problem(problem) => &problem.code,
            Self::Unreachable { .. } => "unreachable",
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
            Self::Unreachable { .. } => true,
            Self::Chain(error) => error.retryable(),
            _ => false,
        }
    }

    /// Whether the request may have done its work though no answer of it arrived: only the same `Idempotency-Key` tells.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unreadable { .. } => true,
            Self::Problem(problem) => {
                problem.is_running() || (problem.status >= 500 && problem.retryable && problem.receipt.is_none())
            }
            _ => false,
        }
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
