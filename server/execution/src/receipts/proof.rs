//! Where a receipt stands on chain: its batch, and the path from it to the root that was anchored.

use clawos_api::execution::Anchor;
use clawos_base::Database;
use clawos_receipts::merkle::Tree;
use clawos_receipts::text::{to_base58, to_hex};

use super::store::{self, BatchRef};
use crate::error::ExecutionError;
use crate::settle;

/// The anchor of the receipt `id` in `batch`.
pub(super) async fn anchor(db: &Database, id: &str, batch: &BatchRef) -> Result<Anchor, ExecutionError> {
    let stored = settle::find_batch(db, &batch.account, batch.seq)
        .await?
        .ok_or_else(|| ExecutionError::internal("a batched receipt has no batch"))?;
    let leaves = store::leaves(db, batch).await?;
    let place = leaves.binary_search_by(|(leaf, _)| leaf.as_str().cmp(id));
    let tree = Tree::from_leaves(leaves.into_iter().map(|(_, leaf)| leaf).collect());
    let path = place.ok().and_then(|place| tree.as_ref()?.path(place));
    Ok(Anchor {
        licence: to_base58(&batch.account.licence),
        seq: batch.seq,
        count: stored.contents.count,
        units: stored.contents.units,
        amount: stored.contents.amount,
        tree_root: to_hex(&stored.contents.tree_root),
        anchored_root: to_hex(&stored.contents.anchored_root),
        path: path.ok_or_else(|| ExecutionError::internal("a batched receipt is not in its batch"))?,
        status: stored.status,
        transaction: stored.transaction,
        slot: stored.slot,
    })
}
