//! The ledger on disk: a snapshot, and a journal of everything since.
//!
//! A transaction's record (its new account states, the transaction, its outcome) is one checksummed frame, written before
//! the signature is answered. A kill at any moment leaves either the whole frame or a torn tail that is cut off, so no
//! answered transaction is lost and none is half applied. When the journal has grown, everything is written into a new
//! snapshot, which replaces the old one by rename; frames carry sequence numbers, so a kill between the rename and the
//! emptying of the journal applies nothing twice.

mod frame;
mod journal;
mod lock;
mod record;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use solana_account::AccountSharedData;
use solana_pubkey::Pubkey;

pub(crate) use self::record::{AccountState, Header, Record, StoredTransaction};

use self::journal::Journal;
use self::lock::Lock;
use crate::error::{Error, Result};
use crate::pace::Pace;

/// A journal smaller than this is never compacted, in bytes.
const MIN_COMPACTION: u64 = 64 << 20;

/// What a ledger held when it was opened.
pub(crate) struct LedgerState {
    /// Genesis hash, slot length, newest slot and time.
    pub(crate) header: Header,
    /// Last state of every account that differs from a fresh bank.
    pub(crate) accounts: HashMap<Pubkey, AccountSharedData>,
    /// In the order they ran.
    pub(crate) transactions: Vec<StoredTransaction>,
}

/// The open ledger of one data folder.
pub(crate) struct Ledger {
    snapshot: PathBuf,
    snapshot_len: u64,
    journal: Journal,
    next_seq: u64,
    _lock: Lock,
}

impl Ledger {
    /// Locks the folder and reads what is there; `None` when nothing is, that is before genesis.
    pub(crate) fn open(data: &Path, fsync: bool) -> Result<(Self, Option<LedgerState>)> {
        let lock = Lock::take(data)?;
        let snapshot = data.join("snapshot");
        let mut state = None;
        let mut last_seq = 0;
        let mut snapshot_len = 0;
        if let Some(loaded) = snapshot::read(&snapshot)? {
            last_seq = loaded.seq;
            snapshot_len = loaded.len;
            state = Some(loaded.state);
        }
        let path = data.join("journal");
        let journal = Journal::open(&path, fsync, |seq, record| {
            let Some(state) = state.as_mut().filter(|_| seq > last_seq) else {
                return;
            };
            last_seq = seq;
            state.apply(record);
        })?;
        let ledger = Self { snapshot, snapshot_len, journal, next_seq: last_seq + 1, _lock: lock };
        Ok((ledger, state))
    }

    /// Writes one record; when this returns it survives a kill of the process.
    ///
    /// # Errors
    /// The system's error; the journal is then as it was before.
    pub(crate) fn append(&mut self, record: &Record) -> Result<()> {
        self.journal.append(self.next_seq, record)?;
        self.next_seq += 1;
        Ok(())
    }

    /// Whether the journal has outgrown the snapshot, so that rewriting pays.
    pub(crate) fn wants_compaction(&self) -> bool {
        self.journal.len() > MIN_COMPACTION.max(self.snapshot_len)
    }

    /// Replaces snapshot and journal by a snapshot of the given state.
    pub(crate) fn compact<'a>(
        &mut self,
        header: Header,
        accounts: impl Iterator<Item = (&'a Pubkey, &'a AccountSharedData)>,
        transactions: impl Iterator<Item = &'a StoredTransaction>,
    ) -> Result<()> {
        let seq = self.next_seq - 1;
        self.snapshot_len = snapshot::write(&self.snapshot, seq, header, accounts, transactions)?;
        self.journal.clear()
    }
}

impl LedgerState {
    fn apply(&mut self, record: Record) {
        match record {
            Record::Transaction { transaction, accounts } => {
                self.header.slot = transaction.slot;
                self.header.unix_timestamp = transaction.unix_timestamp;
                self.transactions.push(transaction);
                self.apply_accounts(accounts);
            }
            Record::Accounts(accounts) => self.apply_accounts(accounts),
            Record::Pace(pace) => self.apply_pace(pace),
            Record::Header(_) | Record::End { .. } => {}
        }
    }

    fn apply_accounts(&mut self, accounts: Vec<AccountState>) {
        for account in accounts {
            let (key, account) = account.into_account();
            self.accounts.insert(key, account);
        }
    }

    fn apply_pace(&mut self, pace: Pace) {
        self.header.timeline.change(pace);
        self.header.slot = self.header.slot.max(pace.at_slot);
    }
}

fn unreadable(path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::Unreadable { path: path.to_owned(), problem: problem.to_string() }
}
