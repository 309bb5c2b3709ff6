//! The number of a batch that was formed, which is the one after the chain's last: what happens where a stored batch has it.

use clawos_api::execution::BatchStatus;
use sqlx::AnyConnection;

use super::contents::Candidate;
use super::past::Anchored;
use super::{RETRY_MS, SettleError, Settler, pending_store, show, store};
use crate::account::Account;
use crate::audit::Action;

/// What happens when the chain waits for the number of a batch that was seen on it.
const NOT_SHOWN: &str =
    "the chain does not show a batch of this licence that is stored as settled: is the chain's node behind?";

impl Settler {
    /// Stores a batch of an account, which is locked, and moves its receipts into it; its number then. None where a
    /// stored batch has that number:
    /// - A dead one is removed, as the chain never took it. Its receipts are pending again, so that the next batch is
    ///   formed of them as well.
    /// - Where the chain was seen to have taken it, the account waits for a node that shows it.
    /// - One that is open was formed by another server in the meantime.
    pub(super) async fn store_formed(
        &self,
        tx: &mut AnyConnection,
        account: &Account,
        formed: &Anchored,
        receipts: &[Candidate],
        now: i64,
    ) -> Result<Option<u64>, SettleError> {
        let seq = formed.contents.seq;
        let Some(earlier) = store::batch_at(tx, account, seq).await? else {
            store::add_batch(tx, account, formed, receipts, now).await?;
            return Ok(Some(seq));
        };
        match earlier.status {
            BatchStatus::Dead => {
                tracing::warn!(licence = %show(&account.licence), seq, "the chain still waits for the number of a dead batch; its receipts are settled again");
                store::remove_batch(tx, &earlier, "pending").await?;
                self.note(tx, Action::BatchReopened, &earlier, "it was dead, and the chain still waits for its number")
                    .await?;
            }
            BatchStatus::Confirmed => {
                tracing::error!(licence = %show(&account.licence), seq, "{NOT_SHOWN}");
                pending_store::postpone_account(tx, account, now + RETRY_MS, NOT_SHOWN).await?;
            }
            BatchStatus::Pending | BatchStatus::Submitted => {}
        }
        Ok(None)
    }
}
