//! The version statement: a publisher's signature over what exactly a version is, so that no server can swap a module.

use ed25519_dalek::SigningKey;

use super::{StatementError, plain};
use crate::signature::{self, SignatureError};
use crate::text::to_hex;
use crate::{Hash, Key, Signature};

const DOMAIN: &str = "clawos/version/v1";

/// What a publisher says of one version of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionStatement {
    /// The listing's id, `publisher.name`.
    pub skill: String,
    /// The semantic version.
    pub version: String,
    /// SHA-256 of the artifact.
    pub module_sha256: Hash,
    /// SHA-256 of the resolved manifest's canonical JSON.
    pub manifest_sha256: Hash,
}

impl VersionStatement {
    /// The text to sign. Errors when id or version could be mistaken for another line.
    pub fn text(&self) -> Result<String, StatementError> {
        Ok(format!(
            "{DOMAIN}\nskill: {}\nversion: {}\nmodule: {}\nmanifest: {}\n",
            plain("skill", &self.skill)?,
            plain("version", &self.version)?,
            to_hex(&self.module_sha256),
            to_hex(&self.manifest_sha256),
        ))
    }

    /// Signs the statement with the publisher's wallet key.
    pub fn sign(&self, publisher: &SigningKey) -> Result<Signature, StatementError> {
        Ok(signature::sign(publisher, self.text()?.as_bytes()))
    }

    /// Whether `signature` is `publisher`'s. A statement that has no text has no valid signature.
    pub fn verify(&self, publisher: &Key, signature: &Signature) -> Result<(), SignatureError> {
        let text = self.text().map_err(|_| SignatureError::BadSignature)?;
        signature::verify(publisher, text.as_bytes(), signature)
    }
}
