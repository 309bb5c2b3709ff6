//! The record of one anchored batch: what `record_usage` puts on chain for one licence and sequence number.

use serde::{Deserialize, Serialize};

use crate::{Hash, Key, sha256_parts};

/// The totals of a batch and the tree over its receipts (in order of receipt id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// What the licence owes for it, in base units of its currency.
    #[serde(with = "crate::text::decimal")]
    pub amount: u64,
    /// How many receipts it holds.
    #[serde(with = "crate::text::decimal")]
    pub count: u64,
    /// The Licence account.
    #[serde(with = "crate::text::base58")]
    pub licence: Key,
    /// Its place in the licence's chain, from 1.
    #[serde(with = "crate::text::decimal")]
    pub seq: u64,
    /// The Merkle root over its receipts.
    #[serde(with = "crate::text::hex32")]
    pub tree_root: Hash,
    /// How many units it bills.
    #[serde(with = "crate::text::decimal")]
    pub units: u64,
}

impl Batch {
    /// The root that stands on chain for this batch.
    pub fn anchored_root(&self) -> Hash {
        anchored_root(&self.licence, self.seq, self.count, self.units, self.amount, &self.tree_root)
    }
}

/// `SHA-256(0x02 ‖ licence ‖ seq ‖ count ‖ units ‖ amount ‖ tree_root)`, integers as `u64` little-endian.
pub fn anchored_root(licence: &Key, seq: u64, count: u64, units: u64, amount: u64, tree_root: &Hash) -> Hash {
    sha256_parts(&[
        &[0x02],
        licence,
        &seq.to_le_bytes(),
        &count.to_le_bytes(),
        &units.to_le_bytes(),
        &amount.to_le_bytes(),
        tree_root,
    ])
}
