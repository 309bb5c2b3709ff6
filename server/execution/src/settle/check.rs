//! The check of what is stored against what was signed, the same when a batch is formed, and before it is sent or
//! given up.

use clawos_interface::Key;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::usage::may_record;
use clawos_licensing::{LicenceState, Snapshot};

use super::batch::{Batch, BatchContents};
use super::contents::Candidate;
use super::past::billed_in;
use super::past_store;
use super::receipt_store::{self, Rows};
use super::signed_body::{Refused, Signers, Unbillable};
use super::store::{self, Change};
use super::{RETRY_MS, SettleError, Settler, show};
use crate::account::Account;
use crate::audit::Action;

/// What happens when this server's meter is not the one that receipts were made under.
pub(super) const OTHER_METER: &str =
    "receipts wait for the meter that they were made under, which the licence names: start a server with its key";
/// What happens when the licence was renewed with another proxy's meter and this server's may not record any more.
pub(super) const MOVED: &str = "the licence has another meter by now, and the time of this one to record is over";
/// What happens when a stored batch is another than the one that was formed.
const CHANGED: &str = "the stored batch was changed after it was formed: it is not the sum of its signed receipts";

/// Why a stored batch is neither sent nor given up.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Withheld {
    /// It may be sent by a server with another meter key.
    #[error("{OTHER_METER}")]
    OtherMeter,
    /// One of its receipts is not as it was signed.
    #[error("receipt {id}: {reason}")]
    Receipt {
        /// The receipt.
        id: String,
        reason: Unbillable,
    },
    /// Number, count, units, amount or roots are not those of its receipts.
    #[error("its totals or roots are not those of its receipts")]
    Totals,
}

impl Settler {
    /// Sorts an account's stored receipts, in their order, into what they bill and those that are not what was signed.
    pub(super) async fn sort(
        &self,
        account: &Account,
        stored: Rows,
    ) -> Result<(Vec<Candidate>, Vec<Refused>), SettleError> {
        let network = self.licensing.network().await?;
        let keys = self.licensing.certified_keys().await?;
        let signers = Signers::new(network.genesis, network.program, keys);
        let account = *account;
        // Signatures are worked on for a while.
        let Rows { receipts, unreadable } = stored;
        let (candidates, mut refused) = tokio::task::spawn_blocking(move || signers.sort(&account, receipts)).await?;
        refused.extend(unreadable.into_iter().map(|id| Refused { id, reason: Unbillable::Row }));
        Ok((candidates, refused))
    }

    /// Whether the buyer renewed with another proxy's meter, and the program does not let this one record what it served
    /// before any more: it does for a settle delay, where nothing is paid for a unit.
    pub(super) fn is_moved(&self, licence: &Licence, state: &Snapshot<LicenceState>) -> bool {
        let (meter, now) = (self.licensing.meter(), self.licensing.now_secs(state));
        licence.previous_meter == meter && may_record(licence, &state.value.listing.config, &meter, now) == Ok(false)
    }

    /// Whether a batch whose root the licence has is what its receipts add up to. They need no signature: the root binds
    /// them.
    pub(super) async fn is_as_anchored(&self, batch: &Batch) -> Result<bool, SettleError> {
        let bodies = past_store::bodies(&self.db, &batch.account, batch.contents.seq).await?;
        let (licence, contents) = (batch.account.licence, batch.contents.clone());
        Ok(tokio::task::spawn_blocking(move || billed_in(&licence, &contents, &bodies).is_some()).await?)
    }

    /// Whether a batch is the sum of its signed receipts, so that it may be sent, or given up. One that is not stays where
    /// it is, for its operator to look at; that is logged, and noted in the audit log once.
    pub(super) async fn is_as_signed(&self, batch: &Batch) -> Result<bool, SettleError> {
        let stored = receipt_store::batched(&self.db, &batch.account, batch.contents.seq).await?;
        let (candidates, refused) = self.sort(&batch.account, stored).await?;
        let Some(withheld) = withheld(&batch.account.licence, &batch.contents, &candidates, refused) else {
            return Ok(true);
        };
        let (problem, action, counter) = match withheld {
            Withheld::OtherMeter => (OTHER_METER, Action::BatchWaits, "clawos_other_meter_batches_total"),
            Withheld::Receipt { .. } | Withheld::Totals => {
                (CHANGED, Action::BatchWithheld, "clawos_withheld_batches_total")
            }
        };
        let opened_slot = batch.account.opened_slot;
        tracing::error!(licence = %show(&batch.account.licence), opened_slot, seq = batch.contents.seq, reason = %withheld, "a batch is not worked on: {problem}");
        let retry_at = self.clock.now_ms() + RETRY_MS;
        let mut tx = self.db.write().await?;
        super::pending_store::mark_stopped(&mut tx, &batch.account, super::Halt::Withheld).await?;
        store::change(&mut tx, batch, &Change::Pending { problem: Some(problem), retry_at }).await?;
        if batch.problem.as_deref() != Some(problem) {
            metrics::counter!(counter).increment(1);
            self.note(&mut tx, action, batch, &withheld.to_string()).await?;
        }
        tx.commit().await?;
        Ok(false)
    }
}

/// Why a batch is not what its receipts bill; none when it is.
fn withheld(
    licence: &Key,
    contents: &BatchContents,
    candidates: &[Candidate],
    refused: Vec<Refused>,
) -> Option<Withheld> {
    if refused.iter().any(|refused| matches!(refused.reason, Unbillable::OtherMeter(_))) {
        return Some(Withheld::OtherMeter);
    }
    if let Some(Refused { id, reason }) = refused.into_iter().next() {
        return Some(Withheld::Receipt { id, reason });
    }
    let signed = BatchContents::of(licence, contents.seq, contents.prev_root, candidates);
    (signed.as_ref() != Some(contents)).then_some(Withheld::Totals)
}
