//! Merkle trees over SHA-256, the same for a group that shares a signature and for a batch that is anchored on chain.
//!
//! A leaf is `H(0x00 ‖ units ‖ amount ‖ H(receipt))`, integers as `u64` little-endian, so that totals can be checked
//! from leaves without the receipts; a node is `H(0x01 ‖ left ‖ right)`; an odd node is promoted unchanged.

use serde::{Deserialize, Serialize};

use crate::{Hash, sha256_parts};

/// A path is never longer than this: a tree of 2^64 leaves has 64 levels.
pub const MAX_PATH: usize = 64;

/// On which side of the node it is joined with a step's hash stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Side {
    /// The step's hash is the left half.
    Left,
    /// The step's hash is the right half.
    Right,
}

/// One step from a leaf towards the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// Hash of the node beside the path's.
    #[serde(with = "crate::text::hex32")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Sha256))]
    pub hash: Hash,
    /// Where the neighbour stands.
    pub side: Side,
}

/// What a leaf commits to: one receipt, and what it bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// How many units the receipt bills.
    pub units: u64,
    /// What it bills, in base units of its currency.
    pub amount: u64,
    /// SHA-256 of the receipt's canonical JSON.
    pub receipt_sha256: Hash,
}

impl Leaf {
    /// The leaf's hash: what stands at the bottom of a tree.
    pub fn hash(&self) -> Hash {
        sha256_parts(&[&[0x00], &self.units.to_le_bytes(), &self.amount.to_le_bytes(), &self.receipt_sha256])
    }
}

/// The hash of a node with these children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_parts(&[&[0x01], left, right])
}

/// The root that `path` leads to from the leaf hash `leaf`; `None` for a path longer than [`MAX_PATH`].
pub fn root_of_path(leaf: Hash, path: &[Step]) -> Option<Hash> {
    if path.len() > MAX_PATH {
        return None;
    }
    Some(path.iter().fold(leaf, |node, step| match step.side {
        Side::Left => node_hash(&step.hash, &node),
        Side::Right => node_hash(&node, &step.hash),
    }))
}

/// Whether `path` leads from the leaf hash `leaf` to `root`.
pub fn verify_path(leaf: Hash, path: &[Step], root: Hash) -> bool {
    root_of_path(leaf, path) == Some(root)
}

/// A tree of at least one leaf, with all its levels.
#[derive(Debug, Clone)]
pub struct Tree {
    /// `levels[0]` are the leaves; the last level is the root alone.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over these leaf hashes in this order; `None` when there are none, since nothing has no root.
    pub fn from_leaves(leaves: Vec<Hash>) -> Option<Self> {
        if leaves.is_empty() {
            return None;
        }
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(|pair| match pair {
                [left, right] => node_hash(left, right),
                odd => odd[0],
            });
            levels.push(above.collect());
        }
        Some(Self { levels })
    }

    /// The hash that stands for the whole tree.
    pub fn root(&self) -> Hash {
        self.levels.last().expect("a tree has at least one level")[0]
    }

    /// How many leaves there are: at least 1.
    pub fn leaf_count(&self) -> usize {
        self.levels[0].len()
    }

    /// The steps from leaf number `index` (from 0) to the root; empty for a lone leaf, `None` outside the tree.
    pub fn path(&self, index: usize) -> Option<Vec<Step>> {
        if index >= self.leaf_count() {
            return None;
        }
        let steps = self.levels.iter().enumerate().filter_map(|(height, level)| {
            let position = index >> height;
            let (neighbour, side) =
                if position.is_multiple_of(2) { (position + 1, Side::Right) } else { (position - 1, Side::Left) };
            level.get(neighbour).map(|hash| Step { hash: *hash, side })
        });
        Some(steps.collect())
    }
}
