//! What can go wrong with a load bench.

use std::io;
use std::path::PathBuf;

/// The bench cannot be taken, or what it measured is worth nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum LoadError {
    /// A program cannot be started, or a file not read.
    #[error("{what}: {source}")]
    Io {
        /// Which.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// A service ended, or said nothing, before it was ready.
    #[error("{program} does not start; its log is {log}")]
    NotReady {
        /// The program.
        program: String,
        /// Where it wrote why.
        log: PathBuf,
    },
    /// A command of the set-up failed.
    #[error("{command}: {said}")]
    Command {
        /// As typed.
        command: String,
        /// Its last words.
        said: String,
    },
    /// A program said something else than expected.
    #[error("{program} answered with something else than expected: {said}")]
    Answer {
        /// The program.
        program: String,
        /// What it said.
        said: String,
    },
    /// Not every request of a round was answered with success.
    #[error("{failed} of {requests} requests to {target} failed: the numbers are worth nothing")]
    Failed {
        /// Whom they went to.
        target: &'static str,
        /// Requests without a good answer.
        failed: u64,
        /// Requests in all.
        requests: u64,
    },
}

/// Adds what was being done to an error of the system.
pub(crate) fn doing(what: impl Into<String>) -> impl FnOnce(io::Error) -> LoadError {
    let what = what.into();
    move |source| LoadError::Io { what, source }
}
