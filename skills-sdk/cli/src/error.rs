//! Every error of a command: its message, exit code and problem+json.

use std::path::PathBuf;

use clawos_client::api::Money;
use clawos_client::solana::ChainError;
use clawos_client::{ClientError, FieldError, Problem, WalletError};

/// The result of every command.
pub type Result<T, E = CliError> = std::result::Result<T, E>;

/// Exit codes. 0 is success; clap itself ends with 2 for wrong usage.
pub mod exit {
    /// Wrong use of the command line.
    pub const USAGE: u8 = 2;
    /// Not signed in, not allowed, or the wallet cannot be used.
    pub const AUTH: u8 = 3;
    /// The thing asked for is not there.
    pub const NOT_FOUND: u8 = 4;
    /// What was given is invalid, or a check failed.
    pub const INVALID: u8 = 5;
    /// Money or a licence is missing, or the program on chain refused.
    pub const PAYMENT: u8 = 6;
    /// The server limits the rate of requests.
    pub const RATE_LIMIT: u8 = 7;
    /// The server, the chain, the network or the skill failed.
    pub const REMOTE: u8 = 8;
    /// What was asked for is not on chain yet.
    pub const NOT_ANCHORED: u8 = 9;
    /// The user stopped it (Ctrl-C), as a shell reports it.
    pub const INTERRUPTED: u8 = 130;
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The command line is invalid.
    #[error("{0}")]
    Usage(String),
    /// There is no session for this server (its origin).
    #[error("not signed in to {0}")]
    NotSignedIn(String),
    /// Something that was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// A skill does not have the version that was asked for.
    #[error("{0}")]
    VersionNotFound(String),
    /// The input is invalid; each finding says what would be right.
    #[error("{message}")]
    Invalid {
        /// What was checked, and the verdict.
        message: String,
        /// One entry per problem, possibly none.
        findings: Vec<FieldError>,
    },
    /// No check failed, but the evidence needed for a proof is missing.
    #[error("{message}")]
    Unproven {
        /// What is not proven, and why.
        message: String,
        /// One entry per check that was skipped.
        findings: Vec<FieldError>,
    },
    /// A receipt that has to be on chain is not proven to be there yet.
    #[error("{message}")]
    NotAnchored {
        /// What is missing.
        message: String,
        /// One entry per check that was not made.
        findings: Vec<FieldError>,
    },
    /// The price is above what the user set.
    #[error("the price is {price}, above the {max} that --max-price allows; nothing was signed")]
    PriceAboveMax {
        /// The present price on chain.
        price: Money,
        /// The value of `--max-price`.
        max: Money,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The path as the user knows it.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The system refused something else.
    #[error("{0}")]
    System(#[from] std::io::Error),
    /// A wait reached its time limit.
    #[error("{0}")]
    TimedOut(String),
    /// The sandbox on this machine failed.
    #[error("the local sandbox failed: {0}")]
    Sandbox(String),
    /// A call that may have been made and charged, but whose answer did not arrive.
    #[error("{source}; to get the answer without paying twice, call again with --idempotency-key {idempotency_key}")]
    Unanswered {
        /// The error of the connection or of the answer.
        source: ClientError,
        /// The `Idempotency-Key` of the call.
        idempotency_key: String,
    },
    /// The user stopped a call that may have been made.
    #[error(
        "interrupted: the call may have been made and charged; to get its answer without paying twice, call again with --idempotency-key {idempotency_key}"
    )]
    Interrupted {
        /// The `Idempotency-Key` of the call.
        idempotency_key: String,
    },
    /// The wallet cannot pay for registering a skill's price; nothing was published.
    #[error("{0}, to register the price on chain; nothing was published")]
    Unaffordable(ChainError),
    /// A version is published, and the transaction with its price failed.
    #[error(
        "{0}; the version is published, but its price may not be on chain: register it with `clawos publish --register-only`"
    )]
    Unregistered(ClientError),
    /// A session that was deleted on this machine, and may live on at the server.
    #[error("{source}; the session is deleted on this machine, but the server has it until {until}{}", kept_key(.api_key.as_deref()))]
    SessionLeft {
        /// Why the server could not be told.
        source: ClientError,
        /// When the session's refresh token ends, RFC 3339, or what is known of it.
        until: String,
        /// The id of the enrolment's API key, which was kept with the session.
        api_key: Option<String>,
    },
    /// The server does not take the API key that was used.
    #[error("the API key was refused: {0}")]
    ApiKeyRefused(ClientError),
    /// The server, the chain or the wallet.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl From<ChainError> for CliError {
    fn from(error: ChainError) -> Self {
        Self::Client(error.into())
    }
}

impl From<WalletError> for CliError {
    fn from(error: WalletError) -> Self {
        Self::Client(error.into())
    }
}

impl CliError {
    /// Whether a server, a chain or a connection has a part in its text.
    pub fn is_remote(&self) -> bool {
        matches!(
            self,
            Self::Client(_)
                | Self::ApiKeyRefused(_)
                | Self::Unregistered(_)
                | Self::Unaffordable(_)
                | Self::Unanswered { .. }
                | Self::SessionLeft { .. }
                | Self::VersionNotFound(_)
        )
    }

    /// One finding about what was given.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), findings: Vec::new() }
    }

    /// Wraps a file's error.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => exit::USAGE,
            Self::NotSignedIn(_) => exit::AUTH,
            Self::NotFound(_) | Self::VersionNotFound(_) => exit::NOT_FOUND,
            Self::Invalid { .. } | Self::Unproven { .. } => exit::INVALID,
            Self::NotAnchored { .. } => exit::NOT_ANCHORED,
            Self::PriceAboveMax { .. } => exit::PAYMENT,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => exit::NOT_FOUND,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::FileTooLarge => exit::INVALID,
            Self::File { .. } | Self::System(_) | Self::TimedOut(_) | Self::Sandbox(_) => exit::REMOTE,
            Self::Interrupted { .. } => exit::INTERRUPTED,
            Self::Unaffordable(_) => exit::PAYMENT,
            Self::ApiKeyRefused(error) | Self::Unregistered(error) => client_code(error),
            Self::Client(error) | Self::Unanswered { source: error, .. } | Self::SessionLeft { source: error, .. } => {
                client_code(error)
            }
        }
    }

    /// The stable code for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::Usage(_) => "usage",
            Self::NotSignedIn(_) => "unauthenticated",
            Self::NotFound(_) => "not_found",
            Self::VersionNotFound(_) => "version_not_found",
            Self::Invalid { .. } => "invalid",
            Self::Unproven { .. } => "unproven",
            Self::NotAnchored { .. } => "not_anchored",
            Self::PriceAboveMax { .. } => "price_above_max",
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::FileTooLarge => "invalid",
            Self::File { .. } | Self::System(_) => "io",
            Self::TimedOut(_) => "timed_out",
            Self::Sandbox(_) => "sandbox",
            Self::Interrupted { .. } => "interrupted",
            Self::Unaffordable(error) => error.code(),
            Self::ApiKeyRefused(error) | Self::Unregistered(error) => error.code(),
            Self::Client(error) | Self::Unanswered { source: error, .. } | Self::SessionLeft { source: error, .. } => {
                error.code()
            }
        }
    }

    /// The same error, where `api_key` says that a key and not the session was used.
    #[must_use]
    pub fn of_api_key(self, api_key: bool) -> Self {
        match self {
            Self::Client(error)
                if api_key && matches!(error.code(), "unauthenticated" | "key_expired" | "key_revoked") =>
            {
                Self::ApiKeyRefused(error)
            }
            other => other,
        }
    }

    /// The error as RFC 9457 problem+json: the server's own where one answered.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Client(ClientError::Problem(problem)) => return (**problem).clone(),
            Self::Unanswered { source: ClientError::Problem(problem), .. }
            | Self::ApiKeyRefused(ClientError::Problem(problem)) => {
                return Problem { detail: self.to_string(), ..(**problem).clone() };
            }
            _ => {}
        }
        let (status, title) = match self.exit_code() {
            exit::AUTH => (401, "Not authorised"),
            exit::NOT_FOUND => (404, "Not found"),
            exit::PAYMENT => (402, "Payment required"),
            exit::RATE_LIMIT => (429, "Too many requests"),
            exit::REMOTE => (503, "Remote failure"),
            exit::NOT_ANCHORED => (425, "Not on chain yet"),
            _ => (422, "Invalid"),
        };
        Problem {
            r#type: format!("https://clawos.dev/errors/{}", self.code()),
            title: title.to_owned(),
            status,
            detail: self.to_string(),
            code: self.code().to_owned(),
            retryable: match self {
                Self::Client(error) | Self::Unanswered { source: error, .. } => error.retryable(),
                Self::Interrupted { .. } => true,
                other => matches!(other, Self::TimedOut(_) | Self::NotAnchored { .. }),
            },
            request_id: String::new(),
            errors: self.findings().to_vec(),
            receipt: None,
            retry_after_secs: None,
        }
    }

    /// The single findings, from here or from the server.
    pub fn findings(&self) -> &[FieldError] {
        match self {
            Self::Invalid { findings, .. } | Self::Unproven { findings, .. } | Self::NotAnchored { findings, .. } => {
                findings
            }
            Self::Client(error) => error.problem().map_or(&[], |problem| &problem.errors),
            _ => &[],
        }
    }
}

/// What else was deleted with a session, and is valid still.
fn kept_key(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| {
        format!("; the API key {id} of the registration was deleted with it on this machine, and stays valid there")
    })
}

fn client_code(error: &ClientError) -> u8 {
    match error {
        ClientError::Problem(problem) => problem_code(problem),
        ClientError::Invalid(_) => exit::USAGE,
        ClientError::Challenge(_) | ClientError::Wallet(_) => exit::AUTH,
        ClientError::Chain(ChainError::Absent(_)) => exit::NOT_FOUND,
        ClientError::Chain(ChainError::Refused { .. } | ChainError::Funds(_) | ChainError::OtherMeter { .. }) => {
            exit::PAYMENT
        }
        ClientError::Chain(ChainError::LostMoney { .. } | ChainError::NotAWallet(_)) => exit::INVALID,
        _ => exit::REMOTE,
    }
}

/// A server's problem: by code where the status alone would mislead, else by status.
fn problem_code(problem: &Problem) -> u8 {
    match problem.code.as_str() {
        "wrong_proxy" | "not_registered" | "not_for_sale" | "kind_not_offered" | "skill_free" | "terms_changed" => {
            return exit::PAYMENT;
        }
        "challenge_expired" | "challenge_used" | "bad_signature" => return exit::AUTH,
        // What the skill itself did, not what the caller gave.
        "out_of_fuel" | "memory_exceeded" | "stack_overflow" | "output_too_large" => return exit::REMOTE,
        _ => {}
    }
    match problem.status {
        401 | 403 => exit::AUTH,
        402 => exit::PAYMENT,
        404 => exit::NOT_FOUND,
        429 => exit::RATE_LIMIT,
        400..=499 => exit::INVALID,
        _ => exit::REMOTE,
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
