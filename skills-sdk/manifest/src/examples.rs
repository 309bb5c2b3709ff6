//! Compares a skill's answer with its example, and fixes the seed, time and call id that examples run under.

use serde_json::Value;
use thiserror::Error;

/// The seed of an example's randomness, SHA-256 of `clawos/example`: the same wherever examples run, so that what passes
/// before publishing passes then.
pub const SEED: [u8; 32] = [
    0xa7, 0x91, 0x35, 0x69, 0xdf, 0x72, 0xa9, 0xe4, 0x9c, 0x83, 0x4b, 0x4c, 0x44, 0xcc, 0x28, 0x0b, 0xa3, 0xc0, 0x7c,
    0xdb, 0x79, 0xa6, 0x7f, 0x87, 0x34, 0x8b, 0x06, 0x7a, 0x25, 0x36, 0x7a, 0xe9,
];

/// The wall clock that examples see, Unix milliseconds: 2026-01-01T00:00:00Z.
pub const TIME_MS: u64 = 1_767_225_600_000;

/// The call id that examples see: all zeros, which no real call has.
pub const CALL_ID: &str = "run_00000000000000000000000000000000";

/// Most characters of a value that are shown in a message.
const MAX_SHOWN: usize = 120;

/// The first place where an answer differs from its example.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at `{pointer}`: expected {expected}, got {found}")]
pub struct Difference {
    /// JSON pointer to the place; empty for the whole.
    pub pointer: String,
    /// What the example has there.
    pub expected: String,
    /// What the answer has there.
    pub found: String,
}

/// Compares an answer's bytes with the example's output, as JSON: the order of members and the spelling of numbers do not
/// count. Errors with the first difference.
pub fn compare(expected: &Value, answer: &[u8]) -> Result<(), Difference> {
    match serde_json::from_slice(answer) {
        Ok(found) => difference(expected, &found, String::new()).map_or(Ok(()), Err),
        Err(_) => Err(Difference {
            pointer: String::new(),
            expected: "JSON".to_owned(),
            found: "bytes that are not".to_owned(),
        }),
    }
}

/// Both nest at most as deep as their readers allowed (128), so recursion is bounded.
fn difference(expected: &Value, found: &Value, pointer: String) -> Option<Difference> {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                compare_members(a.get(name), b.get(name), pointer)
            })
        }
        (Value::Array(a), Value::Array(b)) => (0..a.len().max(b.len()))
            .find_map(|index| compare_members(a.get(index), b.get(index), format!("{pointer}/{index}"))),
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        _ if expected == found => None,
        _ => compare_shown(Some(expected), Some(found), pointer),
    }
}

fn compare_members(expected: Option<&Value>, found: Option<&Value>, pointer: String) -> Option<Difference> {
    match (expected, found) {
        (Some(expected), Some(found)) => difference(expected, found, pointer),
        _ => compare_shown(expected, found, pointer),
    }
}

fn compare_shown(expected: Option<&Value>, found: Option<&Value>, pointer: String) -> Option<Difference> {
    let shown = |value: Option<&Value>| match value {
        None => "nothing".to_owned(),
        Some(value) => {
            let text = value.to_string();
            let short: String = text.chars().take(MAX_SHOWN).collect();
            if short.len() < text.len() { format!("{short}…") } else { short }
        }
    };
    Some(Difference { pointer, expected: shown(expected), found: shown(found) })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_seed_is_the_hash_it_is_said_to_be() {
        assert_eq!(super::SEED, clawos_receipts::sha256(b"clawos/example"));
    }
}
