//! The statements that keys sign, each with a first line of its own, so that no signature can be used for another.

mod challenge;
mod receipt_key;
mod version;

pub use challenge::Challenge;
pub use receipt_key::{CertifiedKey, KeyCertificate, PublishedKey};
pub use version::VersionStatement;

use thiserror::Error;

/// A statement's field may have this many bytes.
pub const MAX_FIELD: usize = 256;

/// Why a statement has no text, or a text is no statement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StatementError {
    /// A field that could be read as something else: empty, too long, or not visible ASCII.
    #[error("`{field}` must be 1 to {MAX_FIELD} visible ASCII characters without spaces")]
    Field {
        /// The field's name.
        field: &'static str,
    },
    /// Text that is not, byte for byte, what this statement would be written as.
    #[error("not a {0} statement of this version")]
    Form(&'static str),
}

/// A field that stands on one line and can be nothing but itself.
fn plain<'a>(field: &'static str, value: &'a str) -> Result<&'a str, StatementError> {
    let visible = value.bytes().all(|byte| byte.is_ascii_graphic());
    if value.is_empty() || value.len() > MAX_FIELD || !visible {
        return Err(StatementError::Field { field });
    }
    Ok(value)
}
