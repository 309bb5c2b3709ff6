//! The receipt-key certificate: the on-chain meter key vouches for the key that signs receipts, for a span of time.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use crate::schema::{Address, SignatureText};
use crate::signature::{self, SignatureError};
use crate::{Key, Signature};

const DOMAIN: &[u8] = b"clawos/receipt-key/v1";

/// What the meter key says of a receipt key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCertificate {
    /// Genesis hash of the chain.
    pub genesis: Key,
    /// The marketplace program.
    pub program: Key,
    /// The receipt key.
    pub key: Key,
    /// First moment it may sign for, in Unix milliseconds.
    pub from_ms: i64,
    /// First moment it may no longer sign for, in Unix milliseconds.
    pub to_ms: i64,
}

impl KeyCertificate {
    /// The bytes the meter key signs: domain ‖ genesis ‖ program ‖ key ‖ from ‖ to (`i64` little-endian).
    pub fn message(&self) -> Vec<u8> {
        [DOMAIN, &self.genesis, &self.program, &self.key, &self.from_ms.to_le_bytes(), &self.to_ms.to_le_bytes()]
            .concat()
    }

    /// Certifies the key.
    pub fn sign(&self, meter: &SigningKey) -> CertifiedKey {
        CertifiedKey {
            certificate: signature::sign(meter, &self.message()),
            from_ms: self.from_ms,
            key: self.key,
            to_ms: self.to_ms,
        }
    }

    /// Whether `signature` is the meter key's.
    pub fn verify(&self, meter: &Key, signature: &Signature) -> Result<(), SignatureError> {
        signature::verify(meter, &self.message(), signature)
    }
}

/// A receipt key with its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertifiedKey {
    /// The meter key's signature.
    #[serde(with = "crate::text::base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = SignatureText))]
    pub certificate: Signature,
    /// First moment the key may sign for, in Unix milliseconds.
    pub from_ms: i64,
    /// The receipt key.
    #[serde(with = "crate::text::base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = Address))]
    pub key: Key,
    /// First moment it may no longer sign for, in Unix milliseconds.
    pub to_ms: i64,
}

/// A certified key as `/.well-known/clawos.json` publishes it. Old ones, and those of earlier meters, stay published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedKey {
    /// The key and its certificate.
    #[serde(flatten)]
    pub certified: CertifiedKey,
    /// The meter key that is said to have signed it. A verifier takes the meter from the chain, never from here.
    #[serde(with = "crate::text::base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = Address))]
    pub meter: Key,
}

impl CertifiedKey {
    /// The certificate this key claims to have on that chain and program.
    pub fn statement(&self, genesis: Key, program: Key) -> KeyCertificate {
        KeyCertificate { genesis, program, key: self.key, from_ms: self.from_ms, to_ms: self.to_ms }
    }

    /// Whether the key may sign for the moment `at_ms` (Unix milliseconds).
    pub fn covers(&self, at_ms: u64) -> bool {
        i64::try_from(at_ms).is_ok_and(|at| self.from_ms <= at && at < self.to_ms)
    }
}
