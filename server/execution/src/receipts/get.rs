//! One receipt, with its proof once it is anchored. For its buyer and its seller only.

use clawos_api::execution::ReceiptAnswer;
use clawos_identity::{Caller, Scope};

use super::{proof, store};
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
        let anchor = match &stored.batch {
            Some(batch) => Some(proof::anchor(&self.ports.db, id, batch).await?),
            None => None,
        };
        Ok(ReceiptAnswer { receipt: stored.signed, anchor })
    }
}
