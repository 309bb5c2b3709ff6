//! 64-bit integers in JSON: written as decimal strings, because JavaScript cannot hold them as numbers; read as
//! strings, and as numbers where a small one was written so.

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::ser::Serializer;

/// Writes a decimal string.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads a decimal string or a whole number.
///
/// # Errors
/// Signs, fractions, blanks and numbers above 64 bits are refused.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(U64)
}

struct U64;

impl Visitor<'_> for U64 {
    type Value = u64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number of 64 bits, as a decimal string")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// The same for a value that may be null or absent.
pub mod option {
    use serde::de::Deserializer;
    use serde::ser::Serializer;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Wrapped(#[serde(with = "super")] u64);

    /// Writes a decimal string or null.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Wrapped).serialize(serializer)
    }

    /// Reads a decimal string, a whole number or null.
    ///
    /// # Errors
    /// As for a value that is there.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Both {
        #[serde(with = "super")]
        a: u64,
        #[serde(with = "super::option", default)]
        b: Option<u64>,
    }

    #[test]
    fn strings_and_numbers_are_read_and_strings_written() {
        let all = Both { a: u64::MAX, b: Some(7) };
        let text = r#"{"a":"18446744073709551615","b":"7"}"#;
        assert_eq!(serde_json::from_str::<Both>(text).expect("read"), all);
        assert_eq!(serde_json::to_string(&all).expect("written"), text);
        let small: Both = serde_json::from_str(r#"{"a":3,"b":null}"#).expect("read");
        assert_eq!(small, Both { a: 3, b: None });
        for bad in [r#"{"a":"+1"}"#, r#"{"a":""}"#, r#"{"a":-1}"#, r#"{"a":1.5}"#, r#"{"a":"18446744073709551616"}"#] {
            assert!(serde_json::from_str::<Both>(bad).is_err(), "{bad}");
        }
    }
}
