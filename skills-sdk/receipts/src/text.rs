//! How bytes and 64-bit integers are written in JSON: hashes in lower-case hex, keys and signatures in base58,
//! integers of 64 bits as decimal strings. One value has exactly one text; everything else is refused.
//!
//! The submodules [`hex32`], [`base58`] and [`decimal`] are for `#[serde(with = "…")]`; each has an `option`, where
//! absent is `null` and a missing member is an error.

use thiserror::Error;

/// A text that is not the one form of a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// Not lower-case hexadecimal of the right length.
    #[error("expected {expected} lower-case hexadecimal digits")]
    Hex {
        /// How many digits the value has.
        expected: usize,
    },
    /// Not base58, or of another length.
    #[error("expected the base58 form of {expected} bytes")]
    Base58 {
        /// How many bytes the value has.
        expected: usize,
    },
    /// Not a decimal integer in its shortest form, or out of range.
    #[error("expected a decimal integer without sign, spaces or leading zeros, at most 2^64 - 1")]
    Decimal,
}

/// Bytes as lower-case hex.
pub fn to_hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// Lower-case hex of exactly `N` bytes. Errors on anything else, upper case included.
pub fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], TextError> {
    let mut bytes = [0; N];
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if lower => Ok(bytes),
        _ => Err(TextError::Hex { expected: N * 2 }),
    }
}

/// Bytes as base58 (Bitcoin's alphabet, as Solana uses it).
pub fn to_base58(bytes: &[u8]) -> String {
    bs58::encode(bytes).into_string()
}

/// Base58 of exactly `N` bytes. Errors on anything else.
pub fn from_base58<const N: usize>(text: &str) -> Result<[u8; N], TextError> {
    let error = TextError::Base58 { expected: N };
    // Base58 needs at most 1.37 characters per byte: longer text is refused before the quadratic decoding.
    if text.len() > N * 3 / 2 {
        return Err(error);
    }
    let mut bytes = [0; N];
    match bs58::decode(text).onto(&mut bytes) {
        Ok(length) if length == N => Ok(bytes),
        _ => Err(error),
    }
}

/// A decimal integer in its one form: digits only, no leading zero, 0 to 2^64 − 1.
pub fn from_decimal(text: &str) -> Result<u64, TextError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = text == "0" || !text.starts_with('0');
    if !digits || !shortest {
        return Err(TextError::Decimal);
    }
    text.parse().map_err(|_| TextError::Decimal)
}

/// Writes one codec module: a pair of functions for serde's `with`, and the same for `Option`.
macro_rules! serde_codec {
    ($(#[$doc:meta])* $name:ident, <$($n:ident)?> $value:ty, $write:expr, $read:expr) => {
        $(#[$doc])*
        pub mod $name {
            use serde::de::Error;
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            /// Writes the value's text.
            pub fn serialize<S: Serializer $(, const $n: usize)?>(value: &$value, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$write(value))
            }

            /// Reads the value's text.
            pub fn deserialize<'de, D: Deserializer<'de> $(, const $n: usize)?>(deserializer: D) -> Result<$value, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                $read(&text).map_err(D::Error::custom)
            }

            /// The same for a value that may be absent (`null`); a missing member is an error.
            pub mod option {
                use super::*;

                /// Writes the value's text or `null`.
                pub fn serialize<S: Serializer $(, const $n: usize)?>(value: &Option<$value>, serializer: S) -> Result<S::Ok, S::Error> {
                    value.as_ref().map($write).serialize(serializer)
                }

                /// Reads the value's text or `null`.
                pub fn deserialize<'de, D: Deserializer<'de> $(, const $n: usize)?>(deserializer: D) -> Result<Option<$value>, D::Error> {
                    let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                    text.map(|text| $read(&text)).transpose().map_err(D::Error::custom)
                }
            }
        }
    };
}

serde_codec!(
    /// A 32-byte hash as 64 lower-case hex digits.
    hex32, <> [u8; 32], |value: &[u8; 32]| crate::text::to_hex(value), crate::text::from_hex::<32>
);
serde_codec!(
    /// `N` bytes (a key, a signature) as base58.
    base58, <N> [u8; N], |value: &[u8; N]| crate::text::to_base58(value), crate::text::from_base58::<N>
);
serde_codec!(
    /// A `u64` as a decimal string, since a JSON number is exact only to 2^53.
    decimal, <> u64, |value: &u64| value.to_string(), crate::text::from_decimal
);

/// Reads a member that may be `null` but not missing: without it serde takes a missing member for `null`.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer)
}
