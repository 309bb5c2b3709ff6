//! What a call learned from outside, as a receipt commits to it.
//!
//! The hash is over the canonical JSON of an array, in the order of the call, of
//! `{"permission": …, "request_sha256": …, "response_sha256": …}`. Requests and responses stand in it as their hashes, so
//! that one exchange can be shown to somebody without the others.

use serde::Serialize;

use crate::text::hex32;
use crate::{Hash, sha256};

/// One request of a call to the outside, and what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// The word of the permission it was made by, such as `kv`.
    pub permission: &'a str,
    /// What it asked.
    pub request: &'a [u8],
    /// What it was told; none when there was no answer.
    pub response: Option<&'a [u8]>,
}

/// The members in alphabetical order, so that serde writes canonical JSON.
#[derive(Serialize)]
struct Hashed<'a> {
    permission: &'a str,
    #[serde(with = "hex32")]
    request_sha256: Hash,
    #[serde(with = "hex32::option")]
    response_sha256: Option<Hash>,
}

/// The hash of a call's exchanges, in order; none when there were none.
pub fn exchanges_sha256<'a>(exchanges: impl IntoIterator<Item = Exchange<'a>>) -> Option<Hash> {
    let hashed: Vec<Hashed<'a>> = exchanges
        .into_iter()
        .map(|exchange| Hashed {
            permission: exchange.permission,
            request_sha256: sha256(exchange.request),
            response_sha256: exchange.response.map(sha256),
        })
        .collect();
    if hashed.is_empty() {
        return None;
    }
    Some(sha256(&serde_json::to_vec(&hashed).expect("words and hashes are JSON")))
}
