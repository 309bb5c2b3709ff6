//! Running transactions: for real, and to see what would happen.

use std::sync::Arc;

use litesvm::types::{FailedTransactionMetadata, TransactionMetadata};
use solana_account::{AccountSharedData, ReadableAccount, WritableAccount};
use solana_commitment_config::CommitmentLevel;
use solana_message::AddressLoader;
use solana_message::v0::LoadedAddresses;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::TransactionError;
use solana_transaction::versioned::VersionedTransaction;

use super::loaded_size::loaded_size;
use super::{Bank, Change, Commit, View, meta, restore};
use crate::error::Error;
use crate::ledger::{AccountState, Record, StoredTransaction};

/// Why a transaction was not recorded.
#[derive(Debug)]
pub(crate) enum SendError {
    /// It cannot run: a fault of the transaction. No fee was taken.
    Rejected(Box<FailedTransactionMetadata>),
    /// It could not be recorded, so nothing of it happened.
    Ledger(Error),
}

/// What a transaction would do.
#[derive(Default)]
pub(crate) struct Simulation {
    pub(crate) error: Option<TransactionError>,
    pub(crate) outcome: TransactionMetadata,
    pub(crate) loaded: LoadedAddresses,
    /// Bytes of account data that it loads.
    pub(crate) loaded_size: u32,
    /// Every account of it; none when it could not even start.
    pub(crate) keys: Vec<Pubkey>,
    /// The state of `keys` before and after.
    pub(crate) before: Vec<Option<AccountSharedData>>,
    pub(crate) after: Vec<Option<AccountSharedData>>,
}

impl Simulation {
    /// Of a transaction that cannot start.
    pub(crate) fn refused(error: TransactionError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

impl Bank {
    /// Runs a transaction whose signatures are already verified. When this returns a signature, the transaction is in
    /// the ledger, whether the program succeeded or failed (which then cost the fee).
    pub(crate) fn send(&mut self, transaction: VersionedTransaction) -> Result<Signature, SendError> {
        let loaded = check(&self.view(CommitmentLevel::Processed), &transaction).map_err(rejected)?;
        let keys = account_keys(&transaction, &loaded);
        let before = self.states(&keys);
        let wire = wincode::serialize(&transaction).expect("it was read from bytes");
        let signature = transaction.signatures[0];
        let (error, outcome) = match self.svm.send_transaction(transaction.clone()) {
            Ok(outcome) => (None, outcome),
            // litesvm leaves the signature out when the transaction did not even start.
            Err(failed) if failed.meta.signature == Signature::default() => {
                return Err(SendError::Rejected(Box::new(failed)));
            }
            Err(failed) => (Some(failed.err), failed.meta),
        };
        let after = self.states(&keys);
        let run = meta::Run {
            keys: &keys,
            loaded: &loaded,
            before: &before,
            after: &after,
            error: error.as_ref(),
            outcome: &outcome,
        };
        let (slot, position) = self.place();
        let record = StoredTransaction {
            signature: *signature.as_array(),
            slot,
            position,
            unix_timestamp: self.clock.unix_timestamp(),
            wire,
            error: meta::error_json(error.as_ref()),
            meta: meta::status_json(self, &run),
            memo: meta::memo(&transaction.message),
            accounts: keys.iter().map(Pubkey::to_bytes).collect(),
        };
        let commit = Commit {
            slot,
            signature,
            error: record.error.clone(),
            logs: outcome.logs,
            changes: changes(&keys, before, after),
            mentions: keys,
        };
        self.commit(record, commit)?;
        Ok(signature)
    }

    /// What the transaction would do at the newest slot with this commitment.
    pub(crate) fn simulate(&mut self, transaction: VersionedTransaction, level: CommitmentLevel) -> Simulation {
        let view = self.view(level);
        let loaded = match check(&view, &transaction) {
            Ok(loaded) => loaded,
            Err(error) => return Simulation::refused(error),
        };
        let keys = account_keys(&transaction, &loaded);
        let before: Vec<_> = keys.iter().map(|key| view.account(key).cloned()).collect();
        let tables = transaction.message.address_table_lookups().map_or(0, <[_]>::len);
        let loaded_size = loaded_size(&keys, tables, |key| view.account(key));
        let (error, outcome, written) = self.run_on(&keys, &before, transaction);
        let mut after = before.clone();
        for (key, account) in written {
            let place = keys.iter().position(|known| *known == key);
            if let Some(place) = place {
                after[place] = Some(account).filter(|account| account.lamports() > 0);
            }
        }
        let started = outcome.signature != Signature::default();
        if let Some(Some(payer)) = after.first_mut().filter(|_| error.is_some() && started) {
            payer.set_lamports(payer.lamports().saturating_sub(outcome.fee));
        }
        Simulation { error, outcome, loaded, loaded_size, keys, before, after }
    }

    /// Simulates on accounts that may be those of a past slot: they are put in place for as long as it takes. Gives the
    /// error, the outcome, and the writable accounts when there is no error.
    fn run_on(
        &mut self,
        keys: &[Pubkey],
        past: &[Option<AccountSharedData>],
        transaction: VersionedTransaction,
    ) -> (Option<TransactionError>, TransactionMetadata, Vec<(Pubkey, AccountSharedData)>) {
        let present = self.states(keys);
        let differ = || keys.iter().zip(past.iter().zip(&present)).filter(|(_, (past, present))| past != present);
        let state = |account: &Option<AccountSharedData>| account.clone().unwrap_or_default();
        let then: Vec<_> = differ().map(|(key, (past, _))| (*key, state(past))).collect();
        let now: Vec<_> = differ().map(|(key, (_, present))| (*key, state(present))).collect();
        restore::put(&mut self.svm, then).expect("these accounts were in memory some slots ago");
        let result = match self.svm.simulate_transaction(transaction) {
            Ok(done) => (None, done.meta, done.post_accounts),
            Err(failed) => (Some(failed.err), failed.meta, Vec::new()),
        };
        restore::put(&mut self.svm, now).expect("these accounts were in memory a moment ago");
        result
    }

    fn states(&self, keys: &[Pubkey]) -> Vec<Option<AccountSharedData>> {
        keys.iter().map(|key| self.account(key).cloned()).collect()
    }

    fn place(&mut self) -> (u64, u32) {
        let slot = self.clock.slot();
        if self.next.0 != slot {
            self.next = (slot, 0);
        }
        let place = self.next;
        self.next.1 += 1;
        place
    }

    /// Ledger first, then history and subscribers; when the ledger fails, the accounts go back to what they were.
    fn commit(&mut self, transaction: StoredTransaction, commit: Commit) -> Result<(), SendError> {
        let states = commit.changes.iter().map(|change| AccountState::new(&change.key, &change.after));
        let record = Record::Transaction { transaction: transaction.clone(), accounts: states.collect() };
        if let Err(error) = self.ledger.append(&record) {
            tracing::error!(%error, "a transaction could not be recorded and was undone");
            let before = commit.changes.into_iter().map(|change| (change.key, change.before.unwrap_or_default()));
            restore::put(&mut self.svm, before).map_err(SendError::Ledger)?;
            return Err(SendError::Ledger(error));
        }
        let commit = Arc::new(commit);
        self.history.push(transaction);
        if commit.slot > self.slot_at(CommitmentLevel::Finalized) {
            self.unfinalized.push_back(commit.clone());
        }
        // Nobody listening is fine.
        let _ = self.commits.send(commit);
        if self.ledger.wants_compaction()
            && let Err(error) = self.compact()
        {
            tracing::warn!(%error, "the ledger could not be compacted; no data is lost, compaction is retried");
        }
        Ok(())
    }
}

impl View<'_> {
    /// The addresses that a transaction looks up.
    pub(crate) fn lookups(&self, transaction: &VersionedTransaction) -> Result<LoadedAddresses, TransactionError> {
        let lookups = transaction.message.address_table_lookups().unwrap_or_default();
        Ok(self.bank().svm.accounts_db().load_addresses(lookups)?)
    }
}

/// What litesvm does not check for us, and the addresses that the transaction looks up.
fn check(view: &View<'_>, transaction: &VersionedTransaction) -> Result<LoadedAddresses, TransactionError> {
    transaction.sanitize()?;
    if view.transaction(&transaction.signatures[0]).is_some() {
        return Err(TransactionError::AlreadyProcessed);
    }
    if !view.is_valid(transaction.message.recent_blockhash()) {
        return Err(TransactionError::BlockhashNotFound);
    }
    view.lookups(transaction)
}

fn rejected(err: TransactionError) -> SendError {
    SendError::Rejected(Box::new(FailedTransactionMetadata { err, meta: TransactionMetadata::default() }))
}

/// Every account of a transaction, in the order of its indexes.
fn account_keys(transaction: &VersionedTransaction, loaded: &LoadedAddresses) -> Vec<Pubkey> {
    let keys = transaction.message.static_account_keys().iter();
    keys.chain(&loaded.writable).chain(&loaded.readonly).copied().collect()
}

fn changes(
    keys: &[Pubkey],
    before: Vec<Option<AccountSharedData>>,
    after: Vec<Option<AccountSharedData>>,
) -> Vec<Change> {
    let states = before.into_iter().zip(after);
    keys.iter()
        .zip(states)
        .filter(|(_, (before, after))| before != after)
        .map(|(key, (before, after))| Change { key: *key, before, after: after.unwrap_or_default() })
        .collect()
}
