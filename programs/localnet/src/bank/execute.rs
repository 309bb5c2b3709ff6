//! Running transactions: for real, and to see what would happen.

use std::sync::Arc;

use litesvm::types::{FailedTransactionMetadata, TransactionMetadata};
use solana_account::AccountSharedData;
use solana_message::AddressLoader;
use solana_message::v0::LoadedAddresses;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::TransactionError;
use solana_transaction::versioned::VersionedTransaction;

use super::{Bank, Commit, meta};
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
pub(crate) struct Simulation {
    pub(crate) error: Option<TransactionError>,
    pub(crate) outcome: TransactionMetadata,
    /// Writable accounts afterwards; none when it fails.
    pub(crate) accounts: Vec<(Pubkey, AccountSharedData)>,
    pub(crate) loaded: LoadedAddresses,
}

impl Bank {
    /// Runs a transaction whose signatures are already verified. When this returns a signature, the transaction is in
    /// the ledger, whether the program succeeded or failed (which then cost the fee).
    pub(crate) fn send(&mut self, transaction: VersionedTransaction) -> Result<Signature, SendError> {
        let loaded = self.check(&transaction).map_err(rejected)?;
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
        let changed = changed(&keys, &before, &after);
        self.commit(record, changed, || keys.iter().copied().zip(before).collect())?;
        Ok(signature)
    }

    /// What the transaction would do now.
    pub(crate) fn simulate(&self, transaction: VersionedTransaction) -> Simulation {
        let loaded = match self.check(&transaction) {
            Ok(loaded) => loaded,
            Err(error) => {
                let (outcome, loaded) = (TransactionMetadata::default(), LoadedAddresses::default());
                return Simulation { error: Some(error), outcome, accounts: Vec::new(), loaded };
            }
        };
        match self.svm.simulate_transaction(transaction) {
            Ok(done) => Simulation { error: None, outcome: done.meta, accounts: done.post_accounts, loaded },
            Err(failed) => Simulation { error: Some(failed.err), outcome: failed.meta, accounts: Vec::new(), loaded },
        }
    }

    /// What litesvm does not check for us, and the addresses that the transaction looks up.
    fn check(&self, transaction: &VersionedTransaction) -> Result<LoadedAddresses, TransactionError> {
        transaction.sanitize()?;
        if self.history.contains(&transaction.signatures[0]) {
            return Err(TransactionError::AlreadyProcessed);
        }
        if !self.clock.is_valid(transaction.message.recent_blockhash()) {
            return Err(TransactionError::BlockhashNotFound);
        }
        let lookups = transaction.message.address_table_lookups().unwrap_or_default();
        Ok(self.svm.accounts_db().load_addresses(lookups)?)
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
    fn commit(
        &mut self,
        transaction: StoredTransaction,
        accounts: Vec<(Pubkey, AccountSharedData)>,
        before: impl FnOnce() -> Vec<(Pubkey, Option<AccountSharedData>)>,
    ) -> Result<(), SendError> {
        let states = accounts.iter().map(|(key, account)| AccountState::new(key, account));
        let record = Record::Transaction { transaction: transaction.clone(), accounts: states.collect() };
        if let Err(error) = self.ledger.append(&record) {
            tracing::error!(%error, "a transaction could not be recorded and was undone");
            let before = before().into_iter().map(|(key, account)| (key, account.unwrap_or_default()));
            super::restore::put(&mut self.svm, before).map_err(SendError::Ledger)?;
            return Err(SendError::Ledger(error));
        }
        let commit = Commit {
            slot: transaction.slot,
            signature: transaction.signature(),
            error: transaction.error.clone(),
            accounts,
        };
        self.history.push(transaction);
        // Nobody listening is fine.
        let _ = self.commits.send(Arc::new(commit));
        if self.ledger.wants_compaction()
            && let Err(error) = self.compact()
        {
            tracing::warn!(%error, "the ledger could not be compacted; no data is lost, compaction is retried");
        }
        Ok(())
    }
}

fn rejected(err: TransactionError) -> SendError {
    SendError::Rejected(Box::new(FailedTransactionMetadata { err, meta: TransactionMetadata::default() }))
}

/// Every account of a transaction, in the order of its indexes.
fn account_keys(transaction: &VersionedTransaction, loaded: &LoadedAddresses) -> Vec<Pubkey> {
    let keys = transaction.message.static_account_keys().iter();
    keys.chain(&loaded.writable).chain(&loaded.readonly).copied().collect()
}

fn changed(
    keys: &[Pubkey],
    before: &[Option<AccountSharedData>],
    after: &[Option<AccountSharedData>],
) -> Vec<(Pubkey, AccountSharedData)> {
    let states = before.iter().zip(after);
    keys.iter()
        .zip(states)
        .filter(|(_, (before, after))| before != after)
        .map(|(key, (_, after))| (*key, after.clone().unwrap_or_default()))
        .collect()
}
