//! Receipts become durable in groups: whatever arrives while one group is being written forms the next. One signature
//! and one transaction serve all of them; each answer waits for its group.
//!
//! A receipt, the units it uses, what the API key spent and the stored answer of an idempotent call are one transaction:
//! after a crash either all of them exist or none. The answer of a keyed call is sent as the very bytes that are stored.

mod store;

use std::error::Error as StdError;
use std::sync::Arc;

use clawos_base::idempotency::{Answer, Claim, Idempotency, IdempotencyError, is_kept};
use clawos_base::worker::{Stop, Worker};
use clawos_base::{Cause, Clock, Database, Failpoint, database};
use clawos_interface::Key;
use clawos_receipts::{Receipt, SignedReceipt, SigningKey};
use tokio::sync::{mpsc, oneshot};

use crate::account::Account;
use crate::finished::{EncodeAnswer, Finished};
use crate::spending::Spend;
use store::NewReceipt;

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
    /// What the answer says besides the receipt.
    pub finished: Finished,
    /// Writes the answer once the receipt has its evidence.
    pub encode: EncodeAnswer,
    /// The right to store the answer of an idempotent call.
    pub claim: Option<Claim>,
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

/// A receipt could not be made durable. One for all calls of a group.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The database failed: nothing of the call is stored or charged.
    #[error("the receipt could not be stored")]
    Database(#[source] Arc<sqlx::Error>),
    /// The database was lost while it committed: all of the call is stored and charged, or nothing.
    #[error("nobody knows whether the receipt is stored")]
    OutcomeUnknown(#[source] Arc<sqlx::Error>),
    /// A receipt cannot be sealed, or an answer not be encrypted.
    #[error("the receipt could not be stored")]
    Internal(#[source] Arc<dyn StdError + Send + Sync>),
    /// The server is stopping.
    #[error("the receipt could not be stored: the server is stopping")]
    Stopping,
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        if database::is_outcome_unknown(&error) {
            return CommitError::OutcomeUnknown(Arc::new(error));
        }
        CommitError::Database(Arc::new(error))
    }
}

impl From<IdempotencyError> for CommitError {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::Database(error) => error.into(),
            other => CommitError::Internal(Arc::new(other)),
        }
    }
}

/// A record, and who waits for its answer.
type Waiting = (Entry, oneshot::Sender<Result<Committed, CommitError>>);

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
    /// The queue and the worker that writes what is handed in. Told to stop, it takes nothing more and writes the rest.
    pub(crate) fn new(writer: Writer) -> (GroupCommit, Worker) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        (GroupCommit { queue }, Worker::new("group_commit", |stop| writer.run(waiting, stop)))
    }

    /// Makes a receipt durable and returns the answer that says so.
    ///
    /// # Errors
    /// [`CommitError`]: nothing of the call is stored then, unless it is [`CommitError::OutcomeUnknown`].
    pub(crate) async fn commit(&self, entry: Entry) -> Result<Answer, CommitError> {
        let (encode, (done, committed)) = (entry.encode, oneshot::channel());
        self.queue.send((entry, done)).await.map_err(|_| CommitError::Stopping)?;
        match committed.await.map_err(|_| CommitError::Stopping)?? {
            Committed::Answer(answer) => Ok(answer),
            Committed::Receipt(finished, signed) => encode(finished, &signed).map_err(not_encoded),
        }
    }
}

impl Writer {
    async fn run(self, mut waiting: mpsc::Receiver<Waiting>, mut stop: Stop) {
        let mut group = Vec::with_capacity(MAX_GROUP);
        loop {
            tokio::select! {
                biased;
                received = waiting.recv_many(&mut group, MAX_GROUP) => match received {
                    0 => return,
                    _ => self.write(&mut group).await,
                },
                () = stop.requested() => break,
            }
        }
        waiting.close();
        while waiting.recv_many(&mut group, MAX_GROUP).await > 0 {
            self.write(&mut group).await;
        }
    }

    /// Seals and stores one group, and answers it.
    async fn write(&self, group: &mut Vec<Waiting>) {
        metrics::histogram!("clawos_group_commit_receipts").record(group.len() as f64);
        // In the order of the sealed receipts.
        group.sort_unstable_by(|(a, _), (b, _)| a.receipt.id.cmp(&b.receipt.id));
        let (entries, done): (Vec<Entry>, Vec<_>) = group.drain(..).unzip();
        // A caller that hung up does not undo his call, so nobody may be waiting.
        match self.store(entries).await {
            Ok(answers) => done.into_iter().zip(answers).for_each(|(done, answer)| drop(done.send(Ok(answer)))),
            Err(error) => {
                tracing::error!(?error, receipts = done.len(), "a group of receipts could not be stored");
                done.into_iter().for_each(|done| drop(done.send(Err(error.clone()))));
            }
        }
    }

    /// Seals and stores entries, which are ordered by receipt id; what came of them, in the same order.
    async fn store(&self, entries: Vec<Entry>) -> Result<Vec<Committed>, CommitError> {
        let (receipts, rests): (Vec<Receipt>, Vec<Rest>) = entries.into_iter().map(Rest::split).unzip();
        let sealed = clawos_receipts::seal::seal(receipts, &self.key);
        let sealed = sealed.map_err(|error| CommitError::Internal(Arc::new(error)))?;
        let records: Result<Vec<_>, _> =
            rests.into_iter().zip(&sealed).map(|(rest, signed)| rest.record(signed)).collect();
        let records = records?;
        let now = self.clock.now_ms();
        let mut tx = self.db.write().await?;
        let (mut rows, mut answers) = (Vec::with_capacity(records.len()), Vec::with_capacity(records.len()));
        for (mut row, answer) in records {
            if let AnswerOf::Keyed(claim, answer) = &answer
                && is_kept(answer.status)
                // A call whose claim another one took over is that one's to charge.
                && !self.idempotency.complete_in(claim, &mut tx, answer.status, &answer.body).await?
            {
                (row.waived, row.spend) = (true, None);
            }
            rows.push(row);
            answers.push(answer);
        }
        store::record(&mut tx, rows, &self.server, now).await?;
        Failpoint::GroupWritten.reach();
        database::commit(tx).await?;
        Failpoint::GroupStored.reach();
        let committed = |(answer, signed)| match answer {
            AnswerOf::Keyed(_, answer) => Committed::Answer(answer),
            AnswerOf::Unkeyed(finished) => Committed::Receipt(finished, Box::new(signed)),
        };
        Ok(answers.into_iter().zip(sealed).map(committed).collect())
    }
}

/// What a caller gets back for its entry.
#[derive(Debug)]
enum Committed {
    /// A keyed call's answer, as stored.
    Answer(Answer),
    /// What an unkeyed call's answer is made of. Its caller writes it, so that the writer serves the next group.
    Receipt(Finished, Box<SignedReceipt>),
}

/// The answer of an entry while its group is written.
enum AnswerOf {
    /// To be stored under this claim.
    Keyed(Claim, Answer),
    /// To be written by its caller.
    Unkeyed(Finished),
}

/// An entry without its receipt.
struct Rest {
    charge: Option<Charge>,
    spend: Option<Spend>,
    finished: Finished,
    encode: EncodeAnswer,
    claim: Option<Claim>,
}

impl Rest {
    fn split(entry: Entry) -> (Receipt, Rest) {
        let Entry { receipt, charge, spend, finished, encode, claim } = entry;
        (receipt, Rest { charge, spend, finished, encode, claim })
    }

    /// Its row, and its answer.
    fn record(self, signed: &SignedReceipt) -> Result<(NewReceipt<'_>, AnswerOf), CommitError> {
        let Rest { charge, spend, finished, encode, claim } = self;
        let answer = match claim {
            Some(claim) => AnswerOf::Keyed(claim, encode(finished, signed).map_err(not_encoded)?),
            None => AnswerOf::Unkeyed(finished),
        };
        Ok((NewReceipt { signed, charge, spend, waived: false }, answer))
    }
}

fn not_encoded(error: Cause) -> CommitError {
    CommitError::Internal(Arc::from(error))
}
