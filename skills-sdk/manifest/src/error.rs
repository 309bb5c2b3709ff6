//! One problem of a manifest: where, what, and what would be right.

use serde::Serialize;
use thiserror::Error;

/// A problem of a manifest. They come in lists: all that can be found at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Error)]
#[error("{key}: {problem} ({hint})")]
pub struct ManifestError {
    /// The key as written in the file, such as `pricing.usage.per` or `endpoints[0].name`; empty for the whole file.
    pub key: String,
    /// What is wrong, as a phrase that follows the key.
    pub problem: String,
    /// What would be right.
    pub hint: String,
}

impl ManifestError {
    /// A problem at `key`.
    pub fn new(key: impl Into<String>, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into(), hint: hint.into() }
    }
}
