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
///
/// `?` makes one of any other error: code `Internal`, and a message that tells the caller nothing of it, since what failed
/// inside may hold what callers must not read. Its text is kept as the [`cause`](Self::cause), for the author. Where the
/// payload is to blame, say so: `.map_err(|error| SkillError::bad_request(format!("rows: {error}")))?`.
///
/// ```
/// # use clawos_skill::{ErrorCode, SkillError};
/// fn number(text: &str) -> Result<u32, SkillError> {
///     Ok(text.parse()?)
/// }
/// let error = number("seven").unwrap_err();
/// assert_eq!((error.code, error.message.as_str()), (ErrorCode::Internal, "the skill failed"));
/// assert_eq!(error.cause(), Some("invalid digit found in string"));
/// ```
// It is no `std::error::Error` itself: the conversion from every such error would then overlap with that from itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillError {
    /// What kind of refusal it is.
    pub code: ErrorCode,
    /// For the caller: what was wrong and what would be right. The host cuts it at 1 KiB.
    pub message: String,
    cause: Option<String>,
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
        Self { code, message: message.into(), cause: None }
    }

    /// The error that `?` made this one of, with the errors behind it. The author is told: in a sandbox it is logged, as an
    /// error, when the call ends with it.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

impl<E: std::error::Error> From<E> for SkillError {
    fn from(error: E) -> Self {
        let mut cause = error.to_string();
        let mut behind = error.source();
        while let Some(error) = behind {
            cause = format!("{cause}: {error}");
            behind = error.source();
        }
        Self { cause: Some(cause), ..Self::internal("the skill failed") }
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

/// For the author, in tests: with the cause, which callers are not told.
impl fmt::Display for SkillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        self.cause.iter().try_for_each(|cause| write!(f, " ({cause})"))
    }
}
