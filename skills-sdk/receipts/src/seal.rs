//! Sealing: one signature over the Merkle root of a group of receipts, and each receipt's path to it.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::merkle::{self, Step, Tree};
use crate::signature::{self, SignatureError};
use crate::{Hash, Key, Receipt, Signature, strict_json};

const DOMAIN: &[u8] = b"clawos/receipts/v1";

/// What proves that a receipt was signed. It is not part of what is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// From the receipt's leaf to `root`; empty when the receipt was alone.
    pub path: Vec<Step>,
    /// The Merkle root over the group.
    #[serde(with = "crate::text::hex32")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Sha256))]
    pub root: Hash,
    /// The receipt key's signature of the root.
    #[serde(with = "crate::text::base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::SignatureText))]
    pub signature: Signature,
}

/// A receipt and its evidence, as they are stored, sent and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedReceipt {
    /// What the evidence proves.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// Path, root and signature.
    pub evidence: Evidence,
}

/// Receipts that cannot share a signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// A group needs at least one receipt.
    #[error("there is no receipt to seal")]
    Empty,
    /// Two receipts with the same id.
    #[error("two receipts have the id {0}")]
    DuplicateId(String),
    /// A receipt of another chain or program, or made for another key.
    #[error("the receipt {0} names another chain, program or key than the group's")]
    Stranger(String),
}

/// Evidence that does not prove the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The path leads elsewhere: receipt, path or root was changed.
    #[error("the Merkle path does not lead from this receipt to the signed root")]
    Path,
    /// The root was not signed by the receipt's key for its chain and program.
    #[error("the signed root: {0}")]
    Signature(#[from] SignatureError),
}

/// The bytes a receipt key signs: domain ‖ genesis ‖ program ‖ root.
pub fn message(genesis: &Key, program: &Key, root: &Hash) -> Vec<u8> {
    [DOMAIN, genesis, program, root].concat()
}

/// Seals a group with one signature; the answer is in order of receipt id.
///
/// Errors when the group is empty, when two ids are equal, or when a receipt names another chain, program or key.
pub fn seal(mut receipts: Vec<Receipt>, key: &SigningKey) -> Result<Vec<SignedReceipt>, SealError> {
    receipts.sort_by(|a, b| a.id.cmp(&b.id));
    if let Some(pair) = receipts.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(SealError::DuplicateId(pair[0].id.clone()));
    }
    let Receipt { genesis, program, .. } = *receipts.first().ok_or(SealError::Empty)?;
    let group = (genesis, program, signature::public_key(key));
    if let Some(stranger) = receipts.iter().find(|receipt| (receipt.genesis, receipt.program, receipt.key) != group) {
        return Err(SealError::Stranger(stranger.id.clone()));
    }
    let tree = Tree::from_leaves(receipts.iter().map(Receipt::leaf_hash).collect()).ok_or(SealError::Empty)?;
    let root = tree.root();
    let signature = signature::sign(key, &message(&genesis, &program, &root));
    let sealed = receipts.into_iter().enumerate().map(|(index, receipt)| SignedReceipt {
        receipt,
        evidence: Evidence { path: tree.path(index).expect("the index is a leaf's"), root, signature },
    });
    Ok(sealed.collect())
}

impl SignedReceipt {
    /// Reads a signed receipt from JSON, as strictly as it is written: no unknown, missing or repeated members.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        strict_json::check(json).map_err(serde::de::Error::custom)?;
        serde_json::from_slice(json)
    }

    /// Checks path and signature against the key the receipt names. Who vouches for that key is another question.
    pub fn verify_evidence(&self) -> Result<(), EvidenceError> {
        let Evidence { path, root, signature } = &self.evidence;
        if !merkle::verify_path(self.receipt.leaf_hash(), path, *root) {
            return Err(EvidenceError::Path);
        }
        let message = message(&self.receipt.genesis, &self.receipt.program, root);
        Ok(signature::verify(&self.receipt.key, &message, signature)?)
    }
}

/// By hand, since serde cannot refuse unknown members of a flattened struct.
impl<'de> Deserialize<'de> for SignedReceipt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut members = Map::<String, Value>::deserialize(deserializer)?;
        let evidence = members.remove("evidence").ok_or_else(|| D::Error::missing_field("evidence"))?;
        Ok(Self {
            receipt: Receipt::deserialize(Value::Object(members)).map_err(D::Error::custom)?,
            evidence: Evidence::deserialize(evidence).map_err(D::Error::custom)?,
        })
    }
}
