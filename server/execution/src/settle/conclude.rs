//! What became of the open batches: landed, lost for good, on their way, or to be sent (again).

use std::collections::BTreeMap;

use clawos_api::execution::BatchStatus;
use clawos_base::Failpoint;
use clawos_interface::Key;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::bill::cost;
use clawos_licensing::{LicenceState, Search, Snapshot, TransactionStatus};
use clawos_solana::failure::{describe, failed_instruction};
use solana_transaction::Transaction;
use sqlx::AnyConnection;

use super::batch::BatchContents;
use super::chain_status::{ChainStatus, chain_status};
use super::contents;
use super::store::{self, Change};
use super::{Batch, RETRY_MS, SettleError, Settler, States, show};
use crate::audit::{self, Action};

/// What is to be done about an open batch.
#[derive(Debug)]
enum Next {
    /// It was done.
    Nothing,
    /// It is to be sent (again).
    Send,
    /// It went in this transaction, which has not shown yet.
    FollowUp(String),
}

impl Settler {
    /// Decides about each open batch by what the chain says; returns those still to be sent.
    pub(super) async fn conclude(&self, open: Vec<Batch>, states: &States) -> Result<Vec<Batch>, SettleError> {
        let mut to_send = Vec::new();
        // By the transaction they went in.
        let mut sent: BTreeMap<String, Vec<Batch>> = BTreeMap::new();
        for batch in open {
            let Some(state) = states.get(&batch.account.licence) else { continue };
            self.hold.keep().await?;
            let licence = batch.account.licence;
            match self.conclude_one(&batch, state).await {
                Ok(Next::Nothing) => {}
                Ok(Next::Send) => to_send.push(batch),
                Ok(Next::FollowUp(signature)) => sent.entry(signature).or_default().push(batch),
                Err(error) => self.log_and_skip(error, &licence)?,
            }
        }
        for (signature, batches) in &sent {
            self.hold.keep().await?;
            if let Err(error) = self.follow_up(signature, batches).await {
                self.log_and_skip(error, &batches[0].account.licence)?;
            }
        }
        Ok(to_send)
    }

    /// Decides about a batch. What is stored may have been changed: nothing is given up, waived or formed again, or taken
    /// for settled, before that was compared with its receipts. A batch that is to be sent is checked then.
    async fn conclude_one(&self, batch: &Batch, state: &Snapshot<LicenceState>) -> Result<Next, SettleError> {
        let licence = state.value.licence.as_ref();
        match (chain_status(batch, licence), batch.status, &batch.transaction) {
            (ChainStatus::Landed, ..) if self.is_as_anchored(batch).await? => self.landed(batch, state.slot).await?,
            (ChainStatus::Landed, ..) => {
                self.is_as_signed(batch).await?;
            }
            (ChainStatus::Impossible(problem), ..) => self.lost(batch, problem).await?,
            (ChainStatus::Open, BatchStatus::Submitted, Some(signature)) => {
                return Ok(Next::FollowUp(signature.clone()));
            }
            (ChainStatus::Open, ..) if licence.is_some_and(|licence| !agrees(batch, licence)) => {
                // The buyer would be charged what no receipt says.
                if self.is_as_signed(batch).await? {
                    self.void(batch, "the licence has another price now").await?;
                }
            }
            (ChainStatus::Open, ..) if licence.is_some_and(|licence| self.is_too_large(batch, licence, state)) => {
                if self.is_as_signed(batch).await? {
                    self.reopen(batch).await?;
                }
            }
            (ChainStatus::Open, ..) => return Ok(Next::Send),
        }
        Ok(Next::Nothing)
    }

    /// Notes that a batch is on chain. The transaction's own slot is known while the node remembers it.
    async fn landed(&self, batch: &Batch, seen_at: u64) -> Result<(), SettleError> {
        let mut slot = seen_at;
        if let Some(signature) = &batch.transaction
            && let Ok(TransactionStatus::Confirmed { slot: own }) =
                self.licensing.chain().transaction_status(signature, Search::Recent).await
        {
            slot = own;
        }
        self.confirmed(batch, slot).await
    }

    async fn confirmed(&self, batch: &Batch, slot: u64) -> Result<(), SettleError> {
        Failpoint::BatchSeen.reach();
        self.change(batch, Change::Confirmed { slot }).await?;
        Failpoint::BatchConfirmed.reach();
        self.forget_transaction(batch).await;
        metrics::counter!("clawos_batches_confirmed_total").increment(1);
        metrics::counter!("clawos_units_settled_total").increment(batch.contents.units);
        Ok(())
    }

    /// Gives up a batch that the licence will never take, unless it took it before: the account may have been closed
    /// since, or a later batch recorded, while no server was looking.
    async fn lost(&self, batch: &Batch, problem: &str) -> Result<(), SettleError> {
        if let Some(signature) = &batch.transaction {
            match self.status_in_history(signature).await? {
                TransactionStatus::Confirmed { slot } => return self.confirmed(batch, slot).await,
                TransactionStatus::Failed(_) => {}
                // It may have landed in a block that is not confirmed yet.
                TransactionStatus::Unknown
                    if self.licensing.chain().block_height().await? <= batch.last_valid_height.unwrap_or(0) =>
                {
                    return Ok(());
                }
                TransactionStatus::Unknown => {}
            }
        }
        if !self.is_as_signed(batch).await? {
            return Ok(());
        }
        tracing::error!(licence = %show(&batch.account.licence), seq = batch.contents.seq, problem, "a batch can never land");
        let mut tx = self.db.write().await?;
        store::change(&mut tx, batch, &Change::Dead { problem }).await?;
        self.note(&mut tx, Action::BatchDead, batch, problem).await?;
        Failpoint::DeadWritten.reach();
        tx.commit().await?;
        Failpoint::DeadStored.reach();
        self.forget_transaction(batch).await;
        Ok(())
    }

    async fn status_in_history(&self, signature: &str) -> Result<TransactionStatus, SettleError> {
        let chain = self.licensing.chain();
        match chain.transaction_status(signature, Search::History).await {
            // The node keeps no history.
            Err(_) if !chain.is_down() => Ok(chain.transaction_status(signature, Search::Recent).await?),
            status => Ok(status?),
        }
    }

    async fn forget_transaction(&self, batch: &Batch) {
        if let Some(signature) = &batch.transaction {
            self.in_flight.lock().await.remove(signature);
        }
    }

    /// Voids a batch that is certainly not on chain and must not or cannot get there: its receipts are waived.
    pub(super) async fn void(&self, batch: &Batch, why: &str) -> Result<(), SettleError> {
        tracing::error!(licence = %show(&batch.account.licence), seq = batch.contents.seq, "a batch was voided: {why}");
        metrics::counter!("clawos_waived_units_total").increment(batch.contents.units);
        self.remove(batch, "waived", Action::BatchVoided, why).await
    }

    /// Whether a batch that was refused is larger than the caps allow by now, and is certainly not on chain: none of its
    /// transactions can land any more, and the chain waits for its number.
    fn is_too_large(&self, batch: &Batch, licence: &Licence, state: &Snapshot<LicenceState>) -> bool {
        batch.status == BatchStatus::Pending
            && batch.problem.is_some()
            && licence.usage_seq().checked_add(1) == Some(batch.contents.seq)
            && contents::room(licence, &state.value.listing.config, self.licensing.now_secs(state))
                .is_ok_and(|room| batch.contents.units > room)
    }

    /// Removes a batch that the buyer's caps, lowered since, forbid: its receipts go into smaller ones.
    async fn reopen(&self, batch: &Batch) -> Result<(), SettleError> {
        tracing::warn!(licence = %show(&batch.account.licence), seq = batch.contents.seq, units = batch.contents.units, "a batch is larger than the buyer's caps allow by now; it is formed again");
        self.remove(batch, "pending", Action::BatchReopened, "it is larger than the buyer's caps allow by now").await
    }

    /// Removes a batch that is certainly not on chain; its receipts become `settlement`.
    async fn remove(&self, batch: &Batch, settlement: &str, action: Action, why: &str) -> Result<(), SettleError> {
        let mut tx = self.db.write().await?;
        store::remove_batch(&mut tx, batch, settlement).await?;
        self.note(&mut tx, action, batch, why).await?;
        Failpoint::RemovalWritten.reach();
        tx.commit().await?;
        Failpoint::RemovalStored.reach();
        Ok(())
    }

    /// Notes in the audit log what became of a batch.
    pub(super) async fn note(
        &self,
        tx: &mut AnyConnection,
        action: Action,
        batch: &Batch,
        why: &str,
    ) -> Result<(), SettleError> {
        let BatchContents { seq, count, units, amount, .. } = batch.contents;
        let detail = format!("{count} receipts, {units} units, {amount} base units: {why}");
        Ok(audit::append(tx, self.clock.now_ms(), action, &batch.account, &seq.to_string(), &detail).await?)
    }

    /// Looks after a transaction that has not shown yet: sends it again, or gives it up once it can no longer land.
    async fn follow_up(&self, signature: &str, batches: &[Batch]) -> Result<(), SettleError> {
        let chain = self.licensing.chain();
        // Asked first: what is not seen after its time is over never will be.
        let height = chain.block_height().await?;
        match chain.transaction_status(signature, Search::Recent).await? {
            // The licences were read a moment before; the next round sees it.
            TransactionStatus::Confirmed { .. } => return Ok(()),
            TransactionStatus::Failed(error) => {
                self.failed(signature, batches, &describe(&error), failed_instruction(&error)).await?;
            }
            TransactionStatus::Unknown => {
                let last_valid = batches.iter().filter_map(|batch| batch.last_valid_height).max().unwrap_or(0);
                if height <= last_valid {
                    let again = self.in_flight.lock().await.get(signature).cloned();
                    return match again {
                        Some(transaction) => Ok(chain.send(&transaction).await?),
                        None => Ok(()),
                    };
                }
                Failpoint::BatchExpired.reach();
                for batch in batches {
                    self.change(batch, Change::Pending { problem: None, retry_at: self.clock.now_ms() }).await?;
                    Failpoint::BatchReturned.reach();
                }
            }
        }
        self.in_flight.lock().await.remove(signature);
        Ok(())
    }

    /// After a failed transaction each of its batches goes alone until it lands. Only the one whose instruction failed
    /// waits; where that is not known, the one that fails alone.
    pub(super) async fn failed(
        &self,
        signature: &str,
        batches: &[Batch],
        problem: &str,
        instruction: Option<usize>,
    ) -> Result<(), SettleError> {
        let transaction = self.in_flight.lock().await.get(signature).cloned();
        let now = self.clock.now_ms();
        for batch in batches {
            let licence = &batch.account.licence;
            let named = instruction.zip(transaction.as_ref()).is_some_and(|(index, tx)| names(tx, index, licence));
            let culprit = named || batch.problem.is_some();
            tracing::warn!(licence = %show(licence), signature, problem, culprit, "a settlement failed");
            let retry_at = if culprit { now + RETRY_MS } else { now };
            self.change(batch, Change::Pending { problem: Some(problem), retry_at }).await?;
        }
        Ok(())
    }
}

/// Whether the chain would charge for a batch what its receipts say.
fn agrees(batch: &Batch, licence: &Licence) -> bool {
    cost(batch.contents.units, licence.unit_price()) == Ok(batch.contents.amount)
}

/// Whether the instruction at `index` names this account.
fn names(transaction: &Transaction, index: usize, account: &Key) -> bool {
    let message = &transaction.message;
    let key = |at: &u8| message.account_keys.get(usize::from(*at)).is_some_and(|key| key.to_bytes() == *account);
    message.instructions.get(index).is_some_and(|instruction| instruction.accounts.iter().any(key))
}
