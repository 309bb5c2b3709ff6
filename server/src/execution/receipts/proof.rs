//! Where a receipt stands on chain: its batch, and the path from it to the root that was anchored.

use clawos_receipts::merkle::{Step, Tree};
use clawos_receipts::text::{decimal, to_base58, to_hex};
use serde::Serialize;
use utoipa::ToSchema;

use super::store::{self, BatchRef};
use crate::database::Database;
use crate::error::ApiError;
use crate::execution::settle::{self, BatchStatus};

/// A receipt's place on chain.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Anchor {
    /// The licence's address.
    licence: String,
    /// Number of the batch, from 1.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    seq: u64,
    /// Receipts in the batch.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    count: u64,
    /// Their units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    units: u64,
    /// Their amount, base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    amount: u64,
    /// Merkle root over the receipts, hex.
    tree_root: String,
    /// The root on chain, hex: it binds licence, number and totals to the tree.
    anchored_root: String,
    /// From the receipt's leaf to the tree's root.
    #[schema(value_type = Vec<Object>)]
    path: Vec<Step>,
    /// `pending`, `submitted`, `confirmed`, or `dead` when it can never land.
    status: BatchStatus,
    /// The settling transaction's signature, once sent.
    transaction: Option<String>,
    /// Its slot, once confirmed.
    #[serde(with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    slot: Option<u64>,
}

/// The anchor of the receipt `id` in `batch`.
pub(super) async fn anchor(db: &Database, id: &str, batch: &BatchRef) -> Result<Anchor, ApiError> {
    let stored = settle::find_batch(db, &batch.account, batch.seq)
        .await?
        .ok_or_else(|| ApiError::internal("a batched receipt has no batch"))?;
    let leaves = store::leaves(db, batch).await?;
    let place = leaves.binary_search_by(|(leaf, _)| leaf.as_str().cmp(id));
    let tree = Tree::from_leaves(leaves.into_iter().map(|(_, leaf)| leaf).collect());
    let path = place.ok().and_then(|place| tree.as_ref()?.path(place));
    Ok(Anchor {
        licence: to_base58(&batch.account.licence),
        seq: batch.seq,
        count: stored.count,
        units: stored.units,
        amount: stored.amount,
        tree_root: to_hex(&stored.tree_root),
        anchored_root: to_hex(&stored.anchored_root),
        path: path.ok_or_else(|| ApiError::internal("a batched receipt is not in its batch"))?,
        status: stored.status,
        transaction: stored.transaction,
        slot: stored.slot,
    })
}
