//! Addresses as base58 text.

use clawos_interface::Key;
use clawos_receipts::text::from_base58;
pub use clawos_receipts::text::to_base58;

use crate::error::{ClientError, Result};

/// Reads a base58 address.
///
/// # Errors
/// [`ClientError::Invalid`] naming the text when it is not base58 of 32 bytes.
pub fn parse(text: &str) -> Result<Key> {
    from_base58::<32>(text).map_err(|_| {
        ClientError::Invalid(format!(
            "`{text}` is not an address: 32 bytes in base58 are expected, like 11111111111111111111111111111111"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        let key = [7u8; 32];
        assert_eq!(parse(&to_base58(&key)).expect("a key"), key);
        for bad in ["", "0OIl", "abc", &to_base58(&[1; 31]), &to_base58(&[1; 33])] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
