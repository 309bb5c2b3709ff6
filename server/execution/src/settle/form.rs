//! Forming an account's next batch and storing it, before anything is sent.

use clawos_base::Failpoint;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::usage::may_record;
use clawos_interface::rules::validity::is_expired;
use clawos_licensing::{LicenceState, Snapshot};
use sqlx::AnyConnection;

use super::check::{MOVED, OTHER_METER};
use super::contents::{self, Candidate};
use super::halt::Halt;
use super::past::{self, Anchored, Stopped};
use super::pending_store::{self, PendingAccount};
use super::signed_body::{Refused, Unbillable};
use super::store::find_batch;
use super::{Batch, RETRY_MS, SettleError, Settler, States, receipt_store, show};
use crate::account::Account;
use crate::audit::{self, Action};

/// A receipt this young may rest on looser caps, or on another meter, than the licence was read with: that reading is as old
/// as this round, and its node may have been behind (milliseconds). Far longer than either.
const READING_UNCERTAIN_MS: i64 = 180_000;
/// A receipt that was made so much later than now is not billed yet (milliseconds): its server's clock was ahead. On chain it
/// would make each later batch be compared with all until its time.
const CLOCKS_DIFFER_MS: i64 = 300_000;
/// What happens to such receipts.
const TOO_EARLY: &str = "receipts wait for the time that they say they were made at: the clock of a server was ahead";
/// Why nothing more of a licence is settled once the chain has a batch that this database never stored.
const UNKNOWN_BATCH: &str = "the chain has a batch of this licence that this database does not know";
/// The same where a receipt would be billed twice, or where that cannot be ruled out.
const CHANGED_BATCH: &str =
    "a batch that is on chain is not what was anchored, or one of its receipts is to be billed again";
/// What happens when receipts and licence name different prices.
const OTHER_PRICE: &str = "receipts were waived that were made at another price than the licence has now";
/// What happens when the licence is gone.
const CLOSED: &str = "the licence account was closed before its usage was settled";
/// What happens when what is stored is not what was signed.
const NOT_SIGNED: &str = "receipts were set aside that are not as they were signed";
/// What happens when a single receipt can no longer be recorded.
const ABOVE_CAP: &str = "receipts were waived that are larger than the buyer's caps, lowered since, let through";

/// What is to become of an account's receipts that are in no batch.
#[derive(Debug, Default)]
struct Sorted {
    /// May be billed.
    candidates: Vec<Candidate>,
    /// Are not as they were signed.
    refused: Vec<Refused>,
    /// Were made under a meter that the licence does not name any more, so that nobody can record them.
    lost: Vec<Candidate>,
    /// Why others stay as they are, if some do. They hold up none of the account.
    waits: Option<&'static str>,
}

/// What an account's next batch may take.
#[derive(Debug)]
struct Unbilled {
    candidates: Vec<Candidate>,
    /// When the newest receipt that is on chain was made (Unix milliseconds).
    newest: i64,
    /// The time it is formed at (Unix milliseconds).
    now: i64,
}

impl Settler {
    /// Forms an account's next batch and stores it, if it is time for one and there is room.
    pub(super) async fn form(
        &self,
        wanted: &PendingAccount,
        states: &States,
        now: i64,
    ) -> Result<Option<Batch>, SettleError> {
        let Some(state) = states.get(&wanted.account.licence) else { return Ok(None) };
        let account = &wanted.account;
        let licence = state.value.licence.filter(|licence| licence.created_slot() == account.opened_slot);
        // What expired may be bought again at another price, for which its usage could not be recorded.
        let ends = |licence: Licence| licence.exit_kind != 0 || is_expired(&licence, self.licensing.now_secs(state));
        if !wanted.due && !licence.is_none_or(ends) {
            return Ok(None);
        }
        // Before the lock.
        let (sorted, newest) = match &licence {
            Some(licence) => {
                let sorted = self.sort_pending(account, licence, state, now).await?;
                let newest = self.newest_settled(account, licence, &sorted.candidates).await?;
                (sorted, newest)
            }
            None => (Sorted::default(), Ok(0)),
        };
        let Sorted { candidates, refused, lost, waits } = sorted;
        let mut tx = self.db.write().await?;
        pending_store::lock(&mut tx, account).await?;
        set_aside(&mut tx, account, &refused, now).await?;
        waive(&mut tx, account, &lost, MOVED, now).await?;
        let seq = match (licence, newest) {
            (Some(_), Err(reason)) => {
                stop(&mut tx, account, reason, now).await?;
                None
            }
            (Some(licence), Ok(newest)) => {
                pending_store::clear_stopped(&mut tx, account).await?;
                self.form_locked(&mut tx, account, Unbilled { candidates, newest, now }, &licence, state).await?
            }
            (None, _) => {
                waive_closed(&mut tx, account, now).await?;
                None
            }
        };
        if let (Some(problem), Ok(_)) = (waits, newest) {
            tracing::warn!(licence = %show(&account.licence), "{problem}");
            pending_store::postpone_account(&mut tx, account, now + RETRY_MS, problem).await?;
        }
        let Some(seq) = seq else {
            tx.commit().await?;
            return Ok(None);
        };
        Failpoint::BatchWritten.reach();
        tx.commit().await?;
        Failpoint::BatchStored.reach();
        Ok(find_batch(&self.db, account, seq).await?)
    }

    /// What is to become of an account's stored receipts.
    async fn sort_pending(
        &self,
        account: &Account,
        licence: &Licence,
        state: &Snapshot<LicenceState>,
        now: i64,
    ) -> Result<Sorted, SettleError> {
        let (mut candidates, refused) = self.sort(account, receipt_store::pending(&self.db, account).await?).await?;
        let now_secs = self.licensing.now_secs(state);
        let mut sorted = Sorted::default();
        let mut elsewhere = Vec::new();
        for Refused { id, reason } in refused {
            match reason {
                Unbillable::OtherMeter(receipt) => elsewhere.push(*receipt),
                reason => sorted.refused.push(Refused { id, reason }),
            }
        }
        if self.is_moved(licence, state) {
            elsewhere.append(&mut candidates);
        }
        let config = &state.value.listing.config;
        for receipt in elsewhere {
            let never = |meter| may_record(licence, config, meter, now_secs) == Ok(false);
            // A node that is behind may not show yet that the licence names its meter.
            let young = receipt.issued_at.saturating_add(READING_UNCERTAIN_MS) > now;
            if !young && receipt.other_meters.iter().all(never) {
                sorted.lost.push(receipt);
            } else {
                sorted.waits = Some(OTHER_METER);
            }
        }
        let latest = now_secs.saturating_mul(1_000).saturating_add(CLOCKS_DIFFER_MS);
        let (candidates, early): (Vec<Candidate>, Vec<Candidate>) =
            candidates.into_iter().partition(|receipt| receipt.issued_at <= latest);
        if !early.is_empty() {
            sorted.waits = Some(TOO_EARLY);
        }
        sorted.candidates = candidates;
        Ok(sorted)
    }

    /// The same under the account's lock; the number of the batch.
    async fn form_locked(
        &self,
        tx: &mut AnyConnection,
        account: &Account,
        unbilled: Unbilled,
        licence: &Licence,
        state: &Snapshot<LicenceState>,
    ) -> Result<Option<u64>, SettleError> {
        let Unbilled { candidates, newest, now } = unbilled;
        let (config, now_secs) = (&state.value.listing.config, self.licensing.now_secs(state));
        let (candidates, other_price): (Vec<Candidate>, Vec<Candidate>) =
            candidates.into_iter().partition(|receipt| contents::agrees(receipt, licence.unit_price()));
        waive(tx, account, &other_price, OTHER_PRICE, now).await?;
        let largest = contents::largest(licence, config, now_secs).unwrap_or(u64::MAX);
        let (candidates, too_large): (Vec<Candidate>, Vec<Candidate>) =
            candidates.into_iter().partition(|receipt| receipt.units <= largest);
        if too_large.iter().any(|receipt| receipt.issued_at.saturating_add(READING_UNCERTAIN_MS) > now) {
            pending_store::postpone_account(tx, account, now + RETRY_MS, ABOVE_CAP).await?;
            return Ok(None);
        }
        waive(tx, account, &too_large, ABOVE_CAP, now).await?;
        if candidates.is_empty() {
            // Whatever the counters say: an operator may have changed what they count.
            pending_store::recount(tx, account, None).await?;
            return Ok(None);
        }
        let room = contents::room(licence, config, now_secs).unwrap_or(0);
        let taken = contents::fitting(&candidates, room);
        let Some(contents) = contents::batch_contents(&account.licence, licence, &candidates[..taken]) else {
            let problem = "the buyer's caps leave no room for the next receipt now";
            pending_store::postpone_account(tx, account, now + RETRY_MS, problem).await?;
            return Ok(None);
        };
        let newest = candidates[..taken].iter().map(|receipt| receipt.issued_at).fold(newest, i64::max);
        let sealed_newest = past::seal(&self.vault, &contents.chain_root, newest)?;
        let batch = Anchored { contents, sealed_newest };
        self.store_formed(tx, account, &batch, &candidates[..taken], now).await
    }
}

/// Settles nothing more of an account until its operator has looked at it; in the audit log once.
async fn stop(tx: &mut AnyConnection, account: &Account, reason: Stopped, now: i64) -> Result<(), SettleError> {
    let (problem, halt, counter) = match reason {
        Stopped::Unknown { .. } => (UNKNOWN_BATCH, Halt::UnknownBatch, "clawos_unknown_batches_total"),
        Stopped::Changed { .. } | Stopped::Billed { .. } => {
            (CHANGED_BATCH, Halt::Changed, "clawos_changed_batches_total")
        }
    };
    tracing::error!(licence = %show(&account.licence), %reason, "{problem}; nothing more of it is served or settled");
    pending_store::postpone_account(tx, account, now + RETRY_MS, problem).await?;
    if pending_store::mark_stopped(tx, account, halt).await? {
        metrics::counter!(counter).increment(1);
        audit::append(tx, now, Action::Stopped, account, "", &format!("{problem}: {reason}")).await?;
    }
    Ok(())
}

/// Waives receipts that can never be charged, so that they hold up no other.
async fn waive(
    tx: &mut AnyConnection,
    account: &Account,
    receipts: &[Candidate],
    problem: &str,
    now: i64,
) -> Result<(), SettleError> {
    let (mut count, mut units) = (0_u64, 0_u64);
    for receipt in receipts {
        if pending_store::take_out(tx, &receipt.id, "waived").await? {
            (count, units) = (count + 1, units.saturating_add(receipt.units));
        }
    }
    if count == 0 {
        return Ok(());
    }
    tracing::error!(licence = %show(&account.licence), units, "{problem}");
    metrics::counter!("clawos_waived_units_total").increment(units);
    pending_store::recount(tx, account, Some(problem)).await?;
    let detail = format!("{count} receipts, {units} units: {problem}");
    Ok(audit::append(tx, now, Action::Waived, account, "", &detail).await?)
}

/// Waives what is pending of a licence that is gone from the chain.
async fn waive_closed(tx: &mut AnyConnection, account: &Account, now: i64) -> Result<(), SettleError> {
    let receipts = pending_store::waive_all(tx, account, CLOSED).await?;
    if receipts > 0 {
        tracing::error!(licence = %show(&account.licence), receipts, "{CLOSED}");
        audit::append(tx, now, Action::Waived, account, "", &format!("{receipts} receipts: {CLOSED}")).await?;
    }
    Ok(())
}

/// Takes receipts out of settlement that are not as they were signed: somebody changed or added rows. They are never
/// charged; the licence's other receipts are settled all the same.
pub(super) async fn set_aside(
    tx: &mut AnyConnection,
    account: &Account,
    refused: &[Refused],
    now: i64,
) -> Result<(), SettleError> {
    let mut changed = false;
    for Refused { id, reason } in refused {
        if !pending_store::take_out(tx, id, "set_aside").await? {
            continue;
        }
        changed = true;
        tracing::error!(licence = %show(&account.licence), receipt = id, %reason, "a stored receipt was set aside: it is not as it was signed, so nobody is charged for it");
        metrics::counter!("clawos_set_aside_receipts_total").increment(1);
        audit::append(tx, now, Action::SetAside, account, id, &reason.to_string()).await?;
    }
    if changed {
        pending_store::recount(tx, account, Some(NOT_SIGNED)).await?;
    }
    Ok(())
}
