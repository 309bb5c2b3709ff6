//! Receipts: the bill and the evidence of every call, and everything needed to make or check one.
//!
//! This is the one place of the receipt format, of canonical JSON (RFC 8785), of Merkle trees and of every text that a
//! ClawOS key signs. It does no I/O and knows neither server nor chain. The words of a receipt (kind, tier, currency, unit)
//! and the billing rule are those of the program: `clawos_interface::codes` and `clawos_interface::rules::bill`.
//!
//! | module | owns |
//! | --- | --- |
//! | [`receipt`] | the fields of a receipt, their encoding, the rules that hold between them |
//! | [`seal`] | one signature over a group of receipts, and its check |
//! | [`exchange`] | the hash of what a call learned from outside |
//! | [`merkle`], [`batch`] | trees, proofs, the root that is anchored on chain |
//! | [`statement`] | sign-in challenge, version statement, receipt-key certificate |
//! | [`canonical`], [`strict_json`] | JSON as bytes that hash the same everywhere |
//! | [`id`], [`text`], [`signature`] | ids, hex/base58/decimal text, Ed25519 |
//!
//! `vectors/` holds test vectors, made by a second implementation, for other languages to repeat.

pub mod batch;
pub mod canonical;
pub mod exchange;
pub mod id;
pub mod merkle;
pub mod receipt;
#[cfg(feature = "openapi")]
pub mod schema;
pub mod seal;
pub mod signature;
pub mod statement;
pub mod strict_json;
pub mod text;

pub use canonical::{CanonicalError, canonical_json};
pub use ed25519_dalek::SigningKey;
pub use id::new_id;
pub use receipt::{Receipt, ReceiptError};
pub use seal::{Evidence, SignedReceipt};

/// A SHA-256 hash.
pub type Hash = [u8; 32];
/// An Ed25519 public key, or an address on chain. Shown as base58.
pub type Key = [u8; 32];
/// An Ed25519 signature. Shown as base58.
pub type Signature = [u8; 64];

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash {
    sha256_parts(&[bytes])
}

/// SHA-256 of the parts, one after the other.
pub fn sha256_parts(parts: &[&[u8]]) -> Hash {
    use sha2::Digest;
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
