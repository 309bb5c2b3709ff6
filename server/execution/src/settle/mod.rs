//! Settlement: usage goes from receipts into batches, and from batches onto the chain.
//!
//! A batch is the sum of signed bodies: each stored receipt is checked against its signature and its key's certificate
//! first, and one whose row says something else is set aside, never charged, logged, counted and audited. The same is
//! checked again before a batch is sent, waived, formed again or given up, and one that is not that sum is left as it is. What is on chain is never billed again,
//! whatever the database says by then: before a batch is formed, earlier ones are compared with it (`past`).
//!
//! Order of a round: look at the chain, conclude what was sent, form what is due, send what is formed. A batch is
//! stored before anything is sent, so after a crash the chain alone decides what landed: by the licence's number of the
//! last batch and its root. Sending twice is harmless, because the program takes each number once.
//!
//! One server settles at a time, and stops within a round when another took over (`hold`). One that does not notice at once
//! changes nothing that the other changed: each change names the state it was decided on.

mod batch;
mod chain_status;
mod check;
mod conclude;
mod contents;
mod form;
mod halt;
mod hold;
mod number;
mod past;
mod past_store;
mod pending_store;
mod receipt_store;
mod rules;
mod send;
mod signed_body;
mod store;
#[cfg(test)]
mod tests;
mod unreadable;

pub(crate) use batch::Batch;
pub(crate) use halt::Halt;
pub(crate) use rules::full_batches;
pub use rules::longest_settlement_secs;
pub(crate) use store::{batches_of, find_account, find_batch, release_hold};

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use clawos_base::vault::{Vault, VaultError};
use clawos_base::worker::Stop;
use clawos_base::{Clock, Database};
use clawos_config::SettleConfig;
use clawos_interface::Key;
use clawos_licensing::{ChainError, LicenceState, Licensing, LicensingError, MAX_LICENCES, Snapshot};
use clawos_receipts::text::to_base58;
use solana_transaction::Transaction;
use tokio::sync::Mutex;
use tokio::task::JoinError;

use crate::account::Account;
use hold::Hold;
use pending_store::PendingAccount;
use rules::{EXIT_CHECK_MS, RETRY_MS};
use store::Change;

/// Time between rounds while batches are on their way: about a slot.
const BUSY_PAUSE: Duration = Duration::from_millis(250);
/// Longest time between rounds.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Shortest time between rounds.
const MIN_PAUSE: Duration = Duration::from_millis(50);
/// Accounts and batches of one round, at most.
const MAX_ROUND: usize = 500;

/// A round could not be finished; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettleError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Chain(#[from] LicensingError),
    #[error("the check of stored receipts did not end")]
    Check(#[from] JoinError),
    #[error("another server settles by now, which goes on with it")]
    TakenOver,
    #[error("a batch or its receipts changed since they were read: does another server settle?")]
    Overtaken,
    #[error("a batch could not be sealed")]
    Seal(#[from] VaultError),
}

impl From<ChainError> for SettleError {
    fn from(error: ChainError) -> Self {
        SettleError::Chain(error.into())
    }
}

/// The chain's side of a licence, by the licence's address.
type States = HashMap<Key, Snapshot<LicenceState>>;

/// What one round leaves for the next. Times are Unix milliseconds.
#[derive(Debug, Default)]
struct Memory {
    exits_checked_at: i64,
    /// The last account looked at for an exit, while that is under way.
    exits_checked_to: Option<Account>,
    /// The chain is the one this database belongs to, as asked since the endpoint was last lost.
    network_checked: bool,
}

/// The task that settles.
#[derive(Debug)]
pub(crate) struct Settler {
    db: Database,
    clock: Arc<dyn Clock>,
    licensing: Arc<Licensing>,
    vault: Vault,
    config: SettleConfig,
    hold: Hold,
    /// Transactions sent by this process and not concluded: they are sent again until they are seen.
    in_flight: Mutex<HashMap<String, Transaction>>,
}

impl Settler {
    /// Nothing sent yet. `server` names this process among those that share the database.
    pub(crate) fn new(
        db: Database,
        clock: Arc<dyn Clock>,
        licensing: Arc<Licensing>,
        vault: Vault,
        config: SettleConfig,
        server: String,
    ) -> Settler {
        let hold = Hold::new(db.clone(), Arc::clone(&clock), server);
        Settler { db, clock, licensing, vault, config, hold, in_flight: Mutex::default() }
    }

    /// Settles until `stop` is requested, then lets another server do it.
    pub(crate) async fn run(self, mut stop: Stop) {
        let pause = Duration::from_millis(self.config.settle_max_age_ms / 4).clamp(MIN_PAUSE, MAX_PAUSE);
        let mut memory = Memory::default();
        let mut delay_checked = false;
        loop {
            delay_checked = delay_checked || self.check_delay().await;
            let wait = match self.round(&mut memory).await {
                Ok(true) => BUSY_PAUSE.min(pause),
                Ok(false) => pause,
                Err(error) => {
                    tracing::warn!(%error, "settlement is held up; nothing is lost and it goes on by itself");
                    MAX_PAUSE
                }
            };
            // Behind the same address another network may answer next time.
            memory.network_checked &= !self.licensing.chain().is_down();
            tokio::select! {
                () = stop.requested() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.hold.release().await;
    }

    /// Compares the marketplace's settle delay with how long usage may take to be recorded here; true once done. With
    /// too short a delay a buyer could take credit back before what it has to pay is recorded.
    async fn check_delay(&self) -> bool {
        let Ok(market) = self.licensing.market().await else { return false };
        let needed = self.licensing.delay_secs();
        if u64::from(market.settle_delay()) < needed {
            tracing::error!(
                settle_delay_secs = market.settle_delay(),
                needed_secs = needed,
                "the marketplace's settle delay is too short for this server, so it refuses calls that spend credit: lower settle-max-age-ms, grace-secs or licence-ttl-secs"
            );
        }
        true
    }

    /// One round; says whether something is on its way.
    async fn round(&self, memory: &mut Memory) -> Result<bool, SettleError> {
        if !self.hold.take().await? {
            return Ok(false);
        }
        let now = self.clock.now_ms();
        let open = store::open_batches(&self.db, now, MAX_ROUND).await?;
        self.stop_unreadable(&open.unreadable, Halt::Withheld, now).await?;
        let due = pending_store::due(&self.db, now, &self.config, MAX_ROUND).await?;
        self.stop_unreadable(&due.unreadable, Halt::Changed, now).await?;
        let (open, mut accounts) = (open.rows, due.rows);
        let maybe_leaving = self.exit_page(memory, &accounts, now).await?;
        accounts.extend(maybe_leaving);
        if open.is_empty() && accounts.is_empty() {
            return Ok(false);
        }
        if !memory.network_checked {
            self.licensing.check_network().await?;
            memory.network_checked = true;
        }
        let states = self.states(&open, &accounts).await?;
        let mut to_send = self.conclude(open, &states).await?;
        for account in &accounts {
            self.hold.keep().await?;
            match self.form(account, &states, now).await {
                Ok(batch) => to_send.extend(batch),
                Err(SettleError::TakenOver) => return Err(SettleError::TakenOver),
                Err(error) => {
                    let problem = error.to_string();
                    self.log_and_skip(error, &account.account.licence)?;
                    let mut tx = self.db.write().await?;
                    pending_store::postpone_account(&mut tx, &account.account, now + RETRY_MS, &problem).await?;
                    tx.commit().await?;
                }
            }
        }
        self.send(to_send, &states).await?;
        Ok(true)
    }

    /// The next accounts to be looked at for a pending exit, without those in `due`: every [`EXIT_CHECK_MS`] all of
    /// them, a page each round.
    async fn exit_page(
        &self,
        memory: &mut Memory,
        due: &[PendingAccount],
        now: i64,
    ) -> Result<Vec<PendingAccount>, SettleError> {
        if memory.exits_checked_to.is_none() && now - memory.exits_checked_at < EXIT_CHECK_MS {
            return Ok(Vec::new());
        }
        if memory.exits_checked_to.is_none() {
            memory.exits_checked_at = now;
        }
        let page = pending_store::page(&self.db, now, memory.exits_checked_to, MAX_ROUND).await?;
        memory.exits_checked_to = page.last.filter(|_| page.found == MAX_ROUND);
        self.stop_unreadable(&page.unreadable, Halt::Changed, now).await?;
        let mut page = page.rows;
        let due: HashSet<Account> = due.iter().map(|account| account.account).collect();
        page.retain(|account| !due.contains(&account.account));
        Ok(page)
    }

    /// One licence's trouble is not the others': the round goes on, unless the endpoint cannot be reached at all.
    fn log_and_skip(&self, error: SettleError, licence: &Key) -> Result<(), SettleError> {
        if self.licensing.chain().is_down() {
            return Err(error);
        }
        tracing::error!(%error, licence = %show(licence), "the usage of a licence was not settled; it is tried again");
        Ok(())
    }

    async fn states(&self, open: &[Batch], accounts: &[PendingAccount]) -> Result<States, SettleError> {
        let mut wanted: Vec<(Key, Key)> =
            open.iter().map(|batch| (batch.skill_account, batch.account.licence)).collect();
        wanted.extend(accounts.iter().map(|account| (account.skill_account, account.account.licence)));
        wanted.sort_unstable();
        wanted.dedup();
        // A node from before a licence was opened would make it look closed.
        let opened = open.iter().map(|batch| batch.account).chain(accounts.iter().map(|account| account.account));
        let min_slot = opened.map(|account| account.opened_slot).max().unwrap_or(0);
        let mut states = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(MAX_LICENCES) {
            match self.licensing.read_for_settling(some, min_slot).await {
                Ok(read) => states.extend(read),
                Err(error) if self.licensing.chain().is_down() => return Err(error.into()),
                // Among them is one that cannot be read.
                Err(_) => {
                    for one in some {
                        match self.licensing.read_for_settling(&[*one], min_slot).await {
                            Ok(read) => states.extend(read),
                            Err(error) => self.log_and_skip(error.into(), &one.1)?,
                        }
                    }
                }
            }
        }
        Ok(states.into_iter().map(|state| (state.value.licence_account, state)).collect())
    }

    async fn change(&self, batch: &Batch, change: Change<'_>) -> Result<(), SettleError> {
        let mut tx = self.db.write().await?;
        store::change(&mut tx, batch, &change).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn show(key: &Key) -> String {
    to_base58(key)
}
