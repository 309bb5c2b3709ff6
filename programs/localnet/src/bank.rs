//! The chain in memory: litesvm with a real clock in front of it and the ledger behind it.
//!
//! Whatever changes state goes through [`Bank`], which records it in the ledger before anybody can see it.

mod execute;
mod loaded_size;
mod meta;
mod restore;
mod view;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use litesvm::LiteSVM;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_clock::Clock;
use solana_commitment_config::CommitmentLevel;
use solana_epoch_schedule::EpochSchedule;
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_slot_hashes::SlotHashes;
use tokio::sync::broadcast;

pub(crate) use self::execute::{SendError, Simulation};
pub(crate) use self::meta::{inner_instructions, lamports, return_data, token_balances};
pub(crate) use self::view::View;

use crate::clock::{SlotClock, now_ms};
use crate::cluster::Behaviour;
use crate::error::{Error, Result};
use crate::history::History;
use crate::ledger::{AccountState, Header, Ledger, Record};
use crate::pace::Pace;

/// The most commits a slow websocket may lag behind before it is dropped.
const COMMITS_KEPT: usize = 4096;

/// A transaction that is in the ledger.
pub(crate) struct Commit {
    pub(crate) slot: u64,
    pub(crate) signature: Signature,
    /// Its error as RPC shows it (JSON); none: it succeeded.
    pub(crate) error: Option<String>,
    pub(crate) logs: Vec<String>,
    /// Every account it names.
    pub(crate) mentions: Vec<Pubkey>,
    pub(crate) changes: Vec<Change>,
}

/// What a transaction did to one account.
pub(crate) struct Change {
    pub(crate) key: Pubkey,
    pub(crate) before: Option<AccountSharedData>,
    /// Without lamports it is closed.
    pub(crate) after: AccountSharedData,
}

/// The state of one chain: accounts, clock, history and ledger.
pub(crate) struct Bank {
    svm: LiteSVM,
    /// The accounts of a fresh litesvm, which no snapshot needs.
    base: HashMap<Pubkey, AccountSharedData>,
    genesis: Hash,
    clock: SlotClock,
    behaviour: Behaviour,
    history: History,
    /// The commits of slots that are not final, oldest first: how the past that others still see is told from the present.
    unfinalized: VecDeque<Arc<Commit>>,
    ledger: Ledger,
    /// Slot and place of the next transaction.
    next: (u64, u32),
    commits: broadcast::Sender<Arc<Commit>>,
}

impl Bank {
    /// Moves the clock to now. Every reader and writer calls this first.
    pub(crate) fn tick(&mut self) {
        let was = self.clock.unix_timestamp();
        if self.clock.advance(now_ms()) || self.clock.unix_timestamp() != was {
            self.set_sysvars();
        }
        let finalized = self.slot_at(CommitmentLevel::Finalized);
        while self.unfinalized.front().is_some_and(|commit| commit.slot <= finalized) {
            self.unfinalized.pop_front();
        }
    }

    fn set_sysvars(&mut self) {
        let slot = self.clock.slot();
        let schedule: EpochSchedule = self.svm.get_sysvar();
        let epoch = schedule.get_epoch(slot);
        let before: Clock = self.svm.get_sysvar();
        let unix_timestamp = self.clock.unix_timestamp();
        let new_epoch = before.epoch != epoch || before.epoch_start_timestamp == 0;
        self.svm.set_sysvar(&Clock {
            slot,
            epoch_start_timestamp: if new_epoch { unix_timestamp } else { before.epoch_start_timestamp },
            epoch,
            leader_schedule_epoch: schedule.get_leader_schedule_epoch(slot),
            unix_timestamp,
        });
        if before.slot != slot {
            let hashes: Vec<(u64, Hash)> = self.clock.recent().copied().collect();
            self.svm.set_sysvar(&SlotHashes::new(&hashes));
        }
    }

    pub(crate) fn clock(&self) -> &SlotClock {
        &self.clock
    }

    /// How slots and the chain's Unix time follow the wall clock.
    fn pace(&self) -> &Pace {
        self.clock.timeline().pace()
    }

    /// Seconds by which the chain's Unix time is ahead of the wall clock's.
    pub(crate) fn ahead_secs(&self) -> u64 {
        self.pace().ahead_secs
    }

    pub(crate) fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    pub(crate) fn behaviour_mut(&mut self) -> &mut Behaviour {
        &mut self.behaviour
    }

    /// The newest slot with this commitment.
    pub(crate) fn slot_at(&self, level: CommitmentLevel) -> u64 {
        self.behaviour.slot_at(level, self.clock.slot())
    }

    /// The chain as it was at the newest slot with this commitment.
    pub(crate) fn view(&self, level: CommitmentLevel) -> View<'_> {
        View::new(self, self.slot_at(level))
    }

    /// Declares everything final: before anybody is served there is nobody who could have seen another past.
    pub(crate) fn finalize(&mut self) {
        self.unfinalized.clear();
    }

    /// Milliseconds per slot.
    pub(crate) fn slot_ms(&self) -> u64 {
        self.pace().slot_ms
    }

    /// The genesis hash: the chain's name.
    pub(crate) fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The transactions that ran.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// How slots fall into epochs.
    pub(crate) fn epoch_schedule(&self) -> EpochSchedule {
        self.svm.get_sysvar()
    }

    /// Lamports that make an account of `len` data bytes rent-exempt.
    pub(crate) fn rent_minimum(&self, len: usize) -> u64 {
        self.svm.minimum_balance_for_rent_exemption(len)
    }

    /// An account that exists now.
    pub(crate) fn account(&self, key: &Pubkey) -> Option<&AccountSharedData> {
        self.svm.accounts_db().get_account_ref(key).filter(|account| account.lamports() > 0)
    }

    /// Every account that exists now.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&Pubkey, &AccountSharedData)> {
        self.svm.accounts_db().inner.iter().filter(|(_, account)| account.lamports() > 0)
    }

    /// The commits that are not final, and every one from now on.
    pub(crate) fn subscribe(&self) -> (VecDeque<Arc<Commit>>, broadcast::Receiver<Arc<Commit>>) {
        (self.unfinalized.clone(), self.commits.subscribe())
    }

    /// Sets accounts outside of any transaction. Memory comes first: a program that does not load must not get into the
    /// ledger. Only used before anybody is served.
    pub(crate) fn set_accounts(&mut self, accounts: Vec<(Pubkey, AccountSharedData)>) -> Result<()> {
        let states = accounts.iter().map(|(key, account)| AccountState::new(key, account));
        let record = Record::Accounts(states.collect());
        restore::put(&mut self.svm, accounts)?;
        self.ledger.append(&record)
    }

    /// Writes the whole state into a new snapshot and empties the journal.
    pub(crate) fn compact(&mut self) -> Result<()> {
        let header = self.header();
        let base = &self.base;
        let accounts = self.svm.accounts_db().inner.iter().filter(|(key, account)| {
            // Sysvars are made from the clock; the rest of the base is in every fresh litesvm.
            !is_sysvar(account) && base.get(*key) != Some(*account)
        });
        self.ledger.compact(header, accounts, self.history.iter())
    }

    fn header(&self) -> Header {
        let timeline = self.clock.timeline().clone();
        Header::new(self.genesis.to_bytes(), timeline, self.clock.slot(), self.clock.unix_timestamp())
    }
}

fn is_sysvar(account: &AccountSharedData) -> bool {
    const SYSVAR_OWNER: Pubkey = Pubkey::from_str_const("Sysvar1111111111111111111111111111111111111");
    *account.owner() == SYSVAR_OWNER
}

fn program_error(error: litesvm::error::LiteSVMError) -> Error {
    Error::Program(error.to_string())
}
