//! How a call can fail: [`Failure`] when it took place, [`Unavailable`] when it did not.

use std::{fmt, time::Duration};

use clawos_manifest::source::RuntimeKind;
use thiserror::Error;

use crate::Engine;

/// Longest text of a failure that leaves the sandbox, in bytes. A failed call is free, so it must not carry results.
pub const MAX_FAILURE_TEXT: usize = 1024;

/// Why a call that took place has no result. The buyer pays nothing for it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The fuel limit was reached.
    #[error("the call used up its fuel; raise the fuel limit or send less input")]
    OutOfFuel,
    /// The wall-clock limit or the caller's deadline was reached.
    #[error("the call did not end in time; raise the time limit or send less input")]
    Deadline,
    /// The guest wanted more memory than the limit.
    #[error("the call needed more memory than its limit; raise the memory limit or send less input")]
    Memory,
    /// The guest's stack overflowed (512 KiB).
    #[error("the skill's stack overflowed; it recursed too deep")]
    StackOverflow,
    /// The result is longer than the output limit.
    #[error("the skill's result is larger than the output limit")]
    OutputTooLarge,
    /// The guest crashed or broke the rules of the interface.
    #[error("the skill crashed: {0}")]
    Trap(String),
    /// The guest used something it was not granted: the permission's name, or `files`.
    #[error("the skill was denied {0}")]
    Denied(String),
    /// The caller cancelled the call.
    #[error("the call was cancelled")]
    Cancelled,
    /// The guest answered with an error of its own.
    #[error("the skill answered {code}: {message}")]
    GuestError {
        /// The kind of error.
        code: GuestErrorCode,
        /// The guest's text, at most [`MAX_FAILURE_TEXT`] bytes.
        message: String,
    },
}

impl Failure {
    /// The outcome's name in a receipt. Stable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfFuel => "out_of_fuel",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::StackOverflow => "stack_overflow",
            Self::OutputTooLarge => "output_too_large",
            // A server grants all that its skills may ask for, so no receipt tells a denial from a crash.
            Self::Trap(_) | Self::Denied(_) => "trap",
            Self::Cancelled => "cancelled",
            Self::GuestError { .. } => "guest_error",
        }
    }
}

/// The kinds of error a guest can answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuestErrorCode {
    /// The payload makes no sense to the skill.
    BadRequest,
    /// What was asked for does not exist.
    NotFound,
    /// The skill cannot answer now.
    Unavailable,
    /// The skill is broken.
    Internal,
}

impl fmt::Display for GuestErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadRequest => "bad-request",
            Self::NotFound => "not-found",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        })
    }
}

/// Why no call took place. Nothing ran and nothing may be charged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// As many calls are running as this host allows.
    #[error("all sandboxes are busy; try again in {} ms", retry_after.as_millis())]
    PoolFull {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The module can never run here. The reason says what to change.
    #[error("the module was refused: {0}")]
    InvalidModule(String),
    /// The caller cancelled before the call began.
    #[error("the call was cancelled before it began")]
    Cancelled,
    /// The caller's deadline passed before the call began.
    #[error("the call's deadline passed before it began")]
    DeadlinePassed,
    /// There is no room for compiled code. The text is for the host's operator.
    #[error("the sandbox host has no room left: {0}")]
    StorageFull(String),
    /// The host has a problem of its own. The text is for its operator, not for a client.
    #[error("the sandbox host failed: {0}")]
    Host(String),
}

impl Unavailable {
    /// The refusal of a module of a kind that none of `engines` runs.
    #[must_use]
    pub fn unsupported(kind: RuntimeKind, engines: &[Engine]) -> Self {
        let kinds: Vec<_> = engines.iter().map(|engine| engine.kind.as_str()).collect();
        Self::InvalidModule(format!("its runtime kind is `{kind}`; this host runs: {}", kinds.join(", ")))
    }

    /// Stable code of the refusal.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::PoolFull { .. } => "sandbox_busy",
            Self::InvalidModule(_) => "module_invalid",
            Self::Cancelled => "cancelled",
            Self::DeadlinePassed => "deadline",
            Self::StorageFull(_) => "storage_full",
            Self::Host(_) => "internal",
        }
    }
}

/// Cuts `text` to at most `max` bytes at a character boundary.
pub(crate) fn truncated(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max));
    }
    text
}
