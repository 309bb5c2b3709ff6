//! Ed25519 as ClawOS uses it: deterministic signing, strict verification (no malleable signatures, no weak keys).

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::{Key, Signature};

/// An invalid signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The 32 bytes are not a point of the curve.
    #[error("the key is not a valid Ed25519 public key")]
    BadKey,
    /// The signature is not this key's signature of this message.
    #[error("the signature does not match the message and the key")]
    BadSignature,
}

/// Signs `message`.
pub fn sign(key: &SigningKey, message: &[u8]) -> Signature {
    key.sign(message).to_bytes()
}

/// Checks `signature` by Ed25519's strict rules.
pub fn verify(key: &Key, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
    let key = VerifyingKey::from_bytes(key).map_err(|_| SignatureError::BadKey)?;
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_strict(message, &signature).map_err(|_| SignatureError::BadSignature)
}

/// The public half of a signing key.
pub fn public_key(key: &SigningKey) -> Key {
    key.verifying_key().to_bytes()
}
