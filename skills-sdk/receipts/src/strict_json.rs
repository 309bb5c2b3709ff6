//! The check every payload passes before it is hashed: valid UTF-8 JSON, no duplicate member names, bounded depth.
//!
//! A payload is hashed as its raw bytes and then read by others (validator, guest, verifier). With a name twice, two
//! readers could see two different inputs under one hash; so such bytes are refused at the door.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// Arrays and objects may nest this deep: far more than data needs, and no reader's stack suffers.
pub const MAX_DEPTH: usize = 64;

/// Bytes that are not strict JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not strict JSON: {problem}")]
#[non_exhaustive]
pub struct StrictJsonError {
    /// What is wrong, and where (line and column, counted from 1).
    pub problem: String,
}

/// Checks that `bytes` are one JSON value in UTF-8, without a byte-order mark, where no object names a member twice and
/// nothing nests deeper than [`MAX_DEPTH`].
pub fn check(bytes: &[u8]) -> Result<(), StrictJsonError> {
    let refuse = |error: serde_json::Error| StrictJsonError { problem: error.to_string() };
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(StrictJsonError { problem: format!("not UTF-8 at byte {}", error.valid_up_to()) });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Strict { depth: 0 }.deserialize(&mut deserializer).map_err(refuse)?;
    deserializer.end().map_err(refuse)
}

/// Reads one value that stands inside `depth` arrays and objects, and keeps nothing of it.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        while items.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format_args!("the member {name:?} appears twice in one object")));
            }
            seen.insert(name);
            members.next_value_seed(inside)?;
        }
        Ok(())
    }
}

/// A member's name, borrowed from the input unless it was written with escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
