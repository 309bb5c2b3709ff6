//! Receipts become durable in groups: whatever arrives while one group is being written forms the next. One signature
//! and one transaction serve all of them; each answer waits for its group.
//!
//! A receipt, the units it uses, what the API key spent and the stored answer of an idempotent call are one transaction:
//! after a crash either all of them exist or none.

use std::sync::Arc;

use axum::http::StatusCode;
use clawos_interface::Key;
use clawos_receipts::{Receipt, SignedReceipt, SigningKey};
use tokio::sync::{mpsc, oneshot};

use super::receipts::{self, NewReceipt};
use super::reserve::Account;
use super::spending::Spend;
use crate::clock::Clock;
use crate::database::Database;
use crate::error::{ApiError, Code};
use crate::http::idempotency::{Claim, Idempotency};

/// Receipts in one group, at most: what one transaction writes in a few milliseconds.
const MAX_GROUP: usize = 256;
/// Receipts that wait for their group, at most. Beyond it calls wait before they hand theirs in.
const QUEUE: usize = 4 * MAX_GROUP;

/// A call's record on its way to the disk.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The receipt, complete but for its evidence.
    pub receipt: Receipt,
    /// The usage to settle; none when it is free or failed.
    pub charge: Option<Charge>,
    /// What it counts against the API key's cap.
    pub spend: Option<Spend>,
    /// The answer to store with it.
    pub answer: Option<StoredAnswer>,
}

/// Usage of a licence that a batch will carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charge {
    /// The licence in this opening.
    pub account: Account,
    /// The skill's account.
    pub skill_account: Key,
    /// Whether the units came from a lease, which then has to cover them.
    pub leased: bool,
    /// Most units that the buyer allows in one batch; 0 = no cap.
    pub batch_cap: u64,
}

/// Writes an answer's body once its receipt has its evidence.
pub(crate) type Render = Box<dyn FnOnce(&SignedReceipt) -> Vec<u8> + Send>;

/// The answer of an idempotent call, made once the evidence is there.
pub(crate) struct StoredAnswer {
    /// The right to store it.
    pub claim: Claim,
    /// Its status.
    pub status: StatusCode,
    /// Writes its body.
    pub render: Render,
}

impl std::fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredAnswer").field("claim", &self.claim).finish_non_exhaustive()
    }
}

/// A receipt could not be made durable. The call is then not charged.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the receipt could not be stored: {cause}")]
pub(crate) struct CommitError {
    code: Code,
    /// What the caller is told.
    detail: String,
    /// Why, for the log.
    cause: String,
}

impl From<ApiError> for CommitError {
    fn from(error: ApiError) -> Self {
        CommitError { code: error.code(), detail: error.detail().to_owned(), cause: format!("{error:?}") }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        ApiError::new(error.code, error.detail.clone()).caused_by(error)
    }
}

type Waiting = (Entry, oneshot::Sender<Result<SignedReceipt, CommitError>>);

/// Hands receipts to the writing task.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    queue: mpsc::Sender<Waiting>,
}

/// What the writing task works with.
#[derive(Debug)]
pub(crate) struct Writer {
    pub db: Database,
    pub clock: Arc<dyn Clock>,
    pub idempotency: Arc<Idempotency>,
    pub key: SigningKey,
    /// Names this process among those that share the database.
    pub server: String,
}

impl GroupCommit {
    /// Starts the writing task. It ends when the `GroupCommit` is dropped and everything handed in is written.
    pub(crate) fn start(writer: Writer) -> GroupCommit {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(writer.run(waiting));
        GroupCommit { queue }
    }

    /// Makes a receipt durable and returns it with its evidence.
    ///
    /// # Errors
    /// When the database fails: nothing of the call is stored then.
    pub(crate) async fn commit(&self, entry: Entry) -> Result<SignedReceipt, CommitError> {
        let stopped = || CommitError::from(ApiError::internal("the server is stopping"));
        let (done, committed) = oneshot::channel();
        self.queue.send((entry, done)).await.map_err(|_| stopped())?;
        committed.await.map_err(|_| stopped())?
    }
}

impl Writer {
    async fn run(self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut group = Vec::with_capacity(MAX_GROUP);
        while waiting.recv_many(&mut group, MAX_GROUP).await > 0 {
            let (entries, done): (Vec<Entry>, Vec<_>) = group.drain(..).unzip();
            let ids: Vec<String> = entries.iter().map(|entry| entry.receipt.id.clone()).collect();
            metrics::histogram!("clawos_group_commit_receipts").record(ids.len() as f64);
            let written = self.write(entries).await;
            if let Err(error) = &written {
                tracing::error!(%error, receipts = ids.len(), "a group of receipts could not be stored");
            }
            for (id, done) in ids.iter().zip(done) {
                let answer = written.as_ref().map_err(Clone::clone).map(|sealed| {
                    let place = sealed.binary_search_by(|signed| signed.receipt.id.cmp(id));
                    sealed[place.expect("every receipt of the group is sealed")].clone()
                });
                // A caller that hung up does not undo his call.
                let _ = done.send(answer);
            }
        }
    }

    /// Seals and stores one group; the result is ordered by receipt id.
    async fn write(&self, mut entries: Vec<Entry>) -> Result<Vec<SignedReceipt>, CommitError> {
        entries.sort_by(|a, b| a.receipt.id.cmp(&b.receipt.id));
        let receipts = entries.iter().map(|entry| entry.receipt.clone()).collect();
        let sealed = clawos_receipts::seal::seal(receipts, &self.key).map_err(ApiError::internal)?;
        self.store(entries, &sealed).await?;
        Ok(sealed)
    }

    async fn store(&self, entries: Vec<Entry>, sealed: &[SignedReceipt]) -> Result<(), ApiError> {
        let now = self.clock.now_ms();
        let mut tx = self.db.write().await?;
        let mut rows = Vec::with_capacity(entries.len());
        for (entry, signed) in entries.into_iter().zip(sealed) {
            let mut owned = true;
            if let Some(answer) = entry.answer {
                let body = (answer.render)(signed);
                owned = self.idempotency.complete_in(&answer.claim, &mut tx, answer.status, &body).await?;
            }
            // A call whose claim another one took over is that one's to charge.
            rows.push(NewReceipt {
                signed,
                charge: entry.charge,
                spend: entry.spend.filter(|_| owned),
                waived: !owned,
            });
        }
        receipts::record(&mut tx, rows, &self.server, now).await?;
        tx.commit().await?;
        Ok(())
    }
}
