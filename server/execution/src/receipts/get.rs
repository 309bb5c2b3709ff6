//! One receipt, with its proof once it is anchored: the receipt for its buyer and its seller, the proof for whoever has it.

use clawos_api::execution::{Anchor, ProofAnswer, ProofQuery, ReceiptAnswer};
use clawos_identity::{Caller, Scope};
use clawos_receipts::text::from_hex;

use super::proof;
use super::store::{self, BatchRef};
use crate::Execution;
use crate::error::ExecutionError;

impl Execution {
    /// The caller's receipt `id`, as buyer or seller, and where it stands on chain.
    ///
    /// # Errors
    /// [`ExecutionError::UnknownReceipt`], also for somebody else's: ids tell nothing.
    pub async fn receipt(&self, caller: &Caller, id: &str) -> Result<ReceiptAnswer, ExecutionError> {
        caller.require(Scope::Read)?;
        let stored = store::find(&self.ports.db, id).await?;
        let own = |stored: &store::Stored| {
            let receipt = &stored.signed.receipt;
            receipt.buyer == caller.wallet || receipt.seller == caller.wallet
        };
        let stored = stored.filter(own).ok_or(ExecutionError::UnknownReceipt)?;
        let anchor = self.anchor(id, stored.batch).await?;
        Ok(ReceiptAnswer { receipt: stored.signed, settlement: stored.settlement, anchor })
    }

    /// Where the receipt `id` stands on chain, for whoever has it: its leaf hash shows that. It tells nothing about the
    /// receipt itself.
    ///
    /// # Errors
    /// [`ExecutionError::UnknownLeaf`].
    pub async fn proof(&self, id: &str, query: &ProofQuery) -> Result<ProofAnswer, ExecutionError> {
        let leaf = from_hex(&query.leaf).map_err(|_| ExecutionError::UnknownLeaf)?;
        let found = store::find_leaf(&self.ports.db, id, &leaf).await?;
        let (settlement, batch) = found.ok_or(ExecutionError::UnknownLeaf)?;
        Ok(ProofAnswer { settlement, anchor: self.anchor(id, batch).await? })
    }

    async fn anchor(&self, id: &str, batch: Option<BatchRef>) -> Result<Option<Anchor>, ExecutionError> {
        Ok(match batch {
            Some(batch) => Some(proof::anchor(&self.ports.db, id, &batch).await?),
            None => None,
        })
    }
}
