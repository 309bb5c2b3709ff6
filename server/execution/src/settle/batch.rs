//! A batch: what `record_usage` is told, stored before it is sent, and what became of it.

use clawos_api::execution::BatchStatus;
use clawos_interface::rules::usage::next_root;
use clawos_interface::{Key, sha256};
use clawos_receipts::batch::anchored_root;

use crate::account::Account;

/// What a batch records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BatchContents {
    /// Its number, from 1.
    pub seq: u64,
    /// The licence's root before it.
    pub prev_root: [u8; 32],
    /// Receipts in it.
    pub count: u64,
    pub units: u64,
    /// Base units.
    pub amount: u64,
    /// Merkle root over the receipts.
    pub tree_root: [u8; 32],
    /// The root told to the chain.
    pub anchored_root: [u8; 32],
    /// The licence's root once it has landed.
    pub chain_root: [u8; 32],
}

impl BatchContents {
    /// Whether its roots on `licence` are those of its totals. A row that was changed after it was formed is never sent.
    pub(super) fn is_consistent(&self, licence: &Key) -> bool {
        let root = anchored_root(licence, self.seq, self.count, self.units, self.amount, &self.tree_root);
        root == self.anchored_root && next_root(sha256, &self.prev_root, &root) == self.chain_root
    }
}

/// A stored batch.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub account: Account,
    pub skill_account: Key,
    pub buyer: Key,
    pub seller: Key,
    pub contents: BatchContents,
    pub status: BatchStatus,
    /// The signature of the transaction it was sent in.
    pub transaction: Option<String>,
    /// The block height above which that transaction cannot land.
    pub last_valid_height: Option<u64>,
    /// The slot it landed in.
    pub slot: Option<u64>,
    /// What went wrong with it. Until it lands it is then sent alone, so that it holds up no other.
    pub problem: Option<String>,
}
