//! Why a skill could not answer.

use std::fmt;

/// What kind of refusal it is. The buyer pays for none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The payload cannot be used, and sending it again will not help.
    BadRequest,
    /// The endpoint, or the thing asked about, does not exist.
    NotFound,
    /// Something the skill depends on is not there now; the same call may work later.
    Unavailable,
    /// The skill itself is at fault.
    Internal,
}

/// A skill's refusal, as its caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillError {
    /// What kind of refusal it is.
    pub code: ErrorCode,
    /// For the caller: what was wrong and what would be right. The host cuts it at 1 KiB.
    pub message: String,
}

impl SkillError {
    /// The payload cannot be used.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// What was asked about does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// Something the skill depends on is not there now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unavailable, message)
    }

    /// The skill itself is at fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadRequest => "bad-request",
            Self::NotFound => "not-found",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        })
    }
}

impl fmt::Display for SkillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for SkillError {}
