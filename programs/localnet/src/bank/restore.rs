//! A bank from nothing (genesis) or from its ledger.

use std::collections::{HashMap, VecDeque};

use litesvm::LiteSVM;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_clock::Clock;
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use tokio::sync::broadcast;

use super::{Bank, COMMITS_KEPT, program_error};
use crate::clock::{SlotClock, now_ms};
use crate::cluster::Behaviour;
use crate::config::LocalnetConfig;
use crate::error::Result;
use crate::history::History;
use crate::ledger::{Ledger, LedgerState, Record};
use crate::pace::{Pace, Timeline};

/// Where a chain begins: late enough that a full set of recent blockhashes lies behind it.
const FIRST_SLOT: u64 = 512;

impl Bank {
    /// A new chain without anything but the standard programs. It is in the ledger from the first `compact` on.
    pub(crate) fn genesis_of(ledger: Ledger, config: &LocalnetConfig) -> Self {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the system has randomness");
        let pace = Pace { at_ms: now_ms(), at_slot: FIRST_SLOT, slot_ms: config.slot_ms, ahead_secs: 0 };
        let clock = SlotClock::new(Hash::new_from_array(seed), Timeline::new(pace), FIRST_SLOT, 0);
        Self::new(ledger, seed, clock, Behaviour::new(&config.cluster))
    }

    /// The chain of a ledger, at the wall clock's present.
    pub(crate) fn restored(ledger: Ledger, state: LedgerState, config: &LocalnetConfig) -> Result<Self> {
        let LedgerState { header, accounts, transactions } = state;
        let clock =
            SlotClock::new(Hash::new_from_array(header.genesis), header.timeline, header.slot, header.unix_timestamp);
        let mut bank = Self::new(ledger, header.genesis, clock, Behaviour::new(&config.cluster));
        put(&mut bank.svm, accounts)?;
        for transaction in transactions {
            bank.history.push(transaction);
        }
        bank.keep_pace(config.slot_ms)?;
        bank.tick();
        Ok(bank)
    }

    fn new(ledger: Ledger, genesis: [u8; 32], clock: SlotClock, behaviour: Behaviour) -> Self {
        let svm = fresh();
        let base = svm.accounts_db().inner.iter().map(|(key, account)| (*key, account.clone()));
        let mut bank = Self {
            base: base.collect(),
            svm,
            genesis: Hash::new_from_array(genesis),
            clock,
            behaviour,
            history: History::default(),
            unfinalized: VecDeque::new(),
            ledger,
            next: (0, 0),
            commits: broadcast::Sender::new(COMMITS_KEPT),
        };
        bank.set_sysvars();
        bank
    }

    /// Slots of another length continue from the slot reached so far.
    fn keep_pace(&mut self, slot_ms: u64) -> Result<()> {
        let pace = *self.pace();
        if pace.slot_ms == slot_ms {
            return Ok(());
        }
        let now = now_ms();
        self.clock.advance(now);
        self.set_pace(Pace { at_slot: self.clock.slot(), ..pace.continued(now, slot_ms) })
    }

    /// Moves the chain's Unix time ahead of the wall clock by so much more; slots, blockhashes and the times of blocks that
    /// were made before stay as they are.
    pub(crate) fn advance_time(&mut self, secs: u64) -> Result<()> {
        self.set_pace(self.pace().advanced(now_ms(), secs))?;
        self.tick();
        Ok(())
    }

    fn set_pace(&mut self, pace: Pace) -> Result<()> {
        self.ledger.append(&Record::Pace(pace))?;
        let mut timeline = self.clock.timeline().clone();
        timeline.change(pace);
        self.clock = SlotClock::new(self.genesis, timeline, self.clock.slot(), self.clock.unix_timestamp());
        Ok(())
    }
}

/// litesvm as a new cluster has it: mainnet's features, slot 0. Signatures, blockhash age and duplicates are checked by
/// the bank, since litesvm knows a single blockhash and forgets its history with the process.
fn fresh() -> LiteSVM {
    let mut svm = LiteSVM::default().with_mainnet_features().with_builtins().with_sysvars();
    // Programs run from the slot in which they are loaded; litesvm's own first slot is far in the future of ours.
    svm.set_sysvar(&Clock::default());
    svm.with_feature_accounts()
        .with_default_programs()
        .with_precompiles()
        .with_sigverify(false)
        .with_blockhash_check(false)
        .with_transaction_history(0)
}

/// Sets accounts in memory: programs last, because loading one reads its data account.
pub(super) fn put(svm: &mut LiteSVM, accounts: impl IntoIterator<Item = (Pubkey, AccountSharedData)>) -> Result<()> {
    let accounts: HashMap<Pubkey, AccountSharedData> = accounts.into_iter().collect();
    let (programs, data): (Vec<_>, Vec<_>) = accounts.into_iter().partition(|(_, account)| account.executable());
    for (key, account) in data.into_iter().chain(programs) {
        svm.set_account(key, account.into()).map_err(program_error)?;
    }
    Ok(())
}
