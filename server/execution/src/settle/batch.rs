//! A batch: what `record_usage` is told, stored before it is sent, and what became of it.

use clawos_api::execution::BatchStatus;
use clawos_interface::rules::usage::next_root;
use clawos_interface::{Key, sha256};
use clawos_receipts::batch::anchored_root;
use clawos_receipts::merkle::Tree;

use super::contents::Candidate;
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
    /// Batch `seq` of `licence` after the root `prev_root`, as the sum of these receipts; none without receipts, or with
    /// more than can be added up. A batch is formed as this, and only a batch that is still this is sent.
    pub(super) fn of(licence: &Key, seq: u64, prev_root: [u8; 32], receipts: &[Candidate]) -> Option<BatchContents> {
        let mut ordered: Vec<&Candidate> = receipts.iter().collect();
        ordered.sort_by(|a, b| a.id.cmp(&b.id));
        let tree_root = Tree::from_leaves(ordered.iter().map(|receipt| receipt.leaf).collect())?.root();
        let count = u64::try_from(receipts.len()).ok()?;
        let units = receipts.iter().try_fold(0_u64, |sum, receipt| sum.checked_add(receipt.units))?;
        let amount = receipts.iter().try_fold(0_u64, |sum, receipt| sum.checked_add(receipt.amount))?;
        let anchored_root = anchored_root(licence, seq, count, units, amount, &tree_root);
        let chain_root = next_root(sha256, &prev_root, &anchored_root);
        Some(BatchContents { seq, prev_root, count, units, amount, tree_root, anchored_root, chain_root })
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
