//! The endpoints, one file per group. Their shapes are [`clawos_api`]'s, which the server uses too.

pub mod agents;
pub mod execute;
pub mod keys;
pub mod market;
pub mod receipts;
pub mod skills;

pub use clawos_api::{Money, Page};

use crate::error::{ClientError, Result};

/// The prefix of every versioned endpoint.
pub(crate) const BASE: &str = "/api/v1";

/// The longest id that is put into an address, in characters.
const MAX_ID_CHARS: usize = 128;

/// Checks that an id can stand in an address as it is, so that no id reaches another endpoint.
pub(crate) fn segment(id: &str) -> Result<&str> {
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let dots = id.bytes().all(|b| b == b'.');
    if plain && !dots && id.len() <= MAX_ID_CHARS {
        return Ok(id);
    }
    Err(ClientError::Invalid(format!(
        "`{id}` is not an id: letters, digits, `.`, `-` and `_` are expected, at most {MAX_ID_CHARS} of them"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_leave_their_place_in_the_address() {
        for good in ["acme.word-count", "run_0a", "1.2.0"] {
            assert!(segment(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", "ä", &"a".repeat(129)] {
            assert!(segment(bad).is_err(), "{bad}");
        }
    }
}
