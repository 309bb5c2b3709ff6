//! The batches of a licence: the settled totals for anyone, the leaves for buyer and seller.
//!
//! From these anyone can recompute the licence's hash chain from its first root to the one on chain; buyer and seller the
//! totals of every batch from what its leaves bill.

use clawos_api::execution::{BatchDetail, BatchList, BatchView, BatchesQuery, LeafView, OpeningQuery};
use clawos_base::PageError;
use clawos_base::page::page_limit;
use clawos_identity::{Caller, Scope};
use clawos_interface::rules::usage::first_root;
use clawos_interface::{Key, sha256};
use clawos_receipts::Receipt;
use clawos_receipts::merkle::Leaf;
use clawos_receipts::text::{from_base58, to_base58, to_hex};

use super::store::{self, BatchRef};
use crate::Execution;
use crate::account::Account;
use crate::error::ExecutionError;
use crate::settle::{self, Batch};

impl Execution {
    /// A page of the batches of the licence at `key`, base58.
    ///
    /// # Errors
    /// [`ExecutionError::UnknownBatch`], [`ExecutionError::Page`].
    pub async fn batches(&self, key: String, query: &BatchesQuery) -> Result<BatchList, ExecutionError> {
        let limit = page_limit(query.limit)?;
        // Numbers are stored as signed integers; no batch has a larger one.
        i64::try_from(query.cursor).map_err(|_| PageError::Cursor)?;
        let account = self.batched_account(&key, query.opened_slot).await?;
        let mut batches = settle::batches_of(&self.ports.db, &account, query.cursor, limit + 1).await?;
        let more = batches.len() > limit as usize;
        batches.truncate(limit as usize);
        Ok(BatchList {
            licence: key,
            first_root: to_hex(&first_root(sha256, &account.licence, account.opened_slot)),
            next_cursor: batches.last().filter(|_| more).map(|last| last.contents.seq.to_string()),
            items: batches.into_iter().map(view).collect(),
        })
    }

    /// Batch `seq` of the licence at `key`, base58; its receipts only for the licence's buyer and seller.
    ///
    /// # Errors
    /// [`ExecutionError::UnknownBatch`].
    pub async fn batch(
        &self,
        caller: Option<&Caller>,
        key: &str,
        seq: u64,
        query: OpeningQuery,
    ) -> Result<BatchDetail, ExecutionError> {
        let account = self.batched_account(key, query.opened_slot).await?;
        let batch = settle::find_batch(&self.ports.db, &account, seq).await?.ok_or(ExecutionError::UnknownBatch)?;
        let entitled = caller.is_some_and(|caller| {
            caller.scopes.contains(Scope::Read) && [batch.buyer, batch.seller].contains(&caller.wallet)
        });
        let leaves = if entitled {
            let receipts = store::batched(&self.ports.db, &BatchRef { account, seq }).await?;
            Some(receipts.iter().map(leaf_view).collect())
        } else {
            None
        };
        Ok(BatchDetail { licence: to_base58(&account.licence), batch: view(batch), leaves })
    }

    async fn batched_account(&self, key: &str, opened_slot: Option<u64>) -> Result<Account, ExecutionError> {
        let licence: Key = from_base58(key).map_err(|_| ExecutionError::UnknownBatch)?;
        settle::find_account(&self.ports.db, &licence, opened_slot).await?.ok_or(ExecutionError::UnknownBatch)
    }
}

fn leaf_view(receipt: &Receipt) -> LeafView {
    let Leaf { units, amount, receipt_sha256 } = receipt.leaf();
    LeafView { receipt: receipt.id.clone(), receipt_sha256: to_hex(&receipt_sha256), units, amount }
}

fn view(batch: Batch) -> BatchView {
    let contents = batch.contents;
    BatchView {
        seq: contents.seq,
        prev_root: to_hex(&contents.prev_root),
        count: contents.count,
        units: contents.units,
        amount: contents.amount,
        tree_root: to_hex(&contents.tree_root),
        anchored_root: to_hex(&contents.anchored_root),
        chain_root: to_hex(&contents.chain_root),
        status: batch.status,
        transaction: batch.transaction,
        slot: batch.slot,
    }
}
