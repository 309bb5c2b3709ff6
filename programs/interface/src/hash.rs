//! SHA-256 for hosts; the program uses the syscall.

use sha2::{Digest, Sha256};

/// SHA-256 over the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The id on chain of a listing, from its id `publisher.name`.
pub fn skill_id(listing: &str) -> [u8; 32] {
    sha256(&[listing.as_bytes()])
}
