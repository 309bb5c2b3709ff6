//! The endpoints, one file per group, with the shapes that `CONTRACTS`/openapi give them.
//!
//! 64-bit integers that are money, fuel or units travel as decimal strings ([`number`]).

pub mod agents;
pub mod execute;
pub mod keys;
pub mod market;
pub mod number;
pub mod receipts;
pub mod skills;

use clawos_interface::money::show;
use serde::{Deserialize, Serialize};

use crate::error::{ClientError, Result};

/// The prefix of every versioned endpoint.
pub(crate) const BASE: &str = "/api/v1";

/// The longest id that is put into an address, in characters.
const MAX_ID_CHARS: usize = 128;

/// An amount of money in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Base units: lamports, or millionths of a USDC.
    #[serde(with = "number")]
    pub amount: u64,
    /// `SOL` or `USDC`.
    pub currency: String,
    /// How many decimals the base unit stands for.
    pub decimals: u8,
}

impl std::fmt::Display for Money {
    /// `2.5 USDC`: the decimal amount without trailing zeros.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", show(self.amount.into(), self.decimals.min(19)), self.currency)
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page starts; none on the last one.
    pub next_cursor: Option<String>,
}

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

    #[test]
    fn money_is_shown_as_people_write_it() {
        let show = |amount, decimals| Money { amount, currency: "X".to_owned(), decimals }.to_string();
        assert_eq!(show(2_500_000, 6), "2.5 X");
        assert_eq!(show(1, 9), "0.000000001 X");
        assert_eq!(show(0, 6), "0 X");
        assert_eq!(show(u64::MAX, 0), "18446744073709551615 X");
    }
}
