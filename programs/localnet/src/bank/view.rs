//! The chain as one commitment level sees it: the state at the end of a slot that may lie a little back.

use std::collections::HashMap;
use std::sync::Arc;

use solana_account::AccountSharedData;
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{Bank, Change};
use crate::clock::MAX_BLOCKHASH_AGE;
use crate::ledger::StoredTransaction;

/// The state at the end of one slot.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    bank: &'a Bank,
    slot: u64,
}

impl<'a> View<'a> {
    /// The bank at a slot that is at most as old as the finalized one.
    pub(super) fn new(bank: &'a Bank, slot: u64) -> Self {
        Self { bank, slot }
    }

    pub(crate) fn bank(&self) -> &'a Bank {
        self.bank
    }

    /// The slot, which is also the block height: no slot is skipped.
    pub(crate) fn slot(&self) -> u64 {
        self.slot
    }

    /// An account that existed then.
    pub(crate) fn account(&self, key: &Pubkey) -> Option<&'a AccountSharedData> {
        match self.later_changes().find(|change| change.key == *key) {
            Some(change) => change.before.as_ref(),
            None => self.bank.account(key),
        }
    }

    /// Every account that existed then.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&'a Pubkey, &'a AccountSharedData)> + use<'a> {
        let mut past = HashMap::new();
        for change in self.later_changes() {
            past.entry(&change.key).or_insert(change.before.as_ref());
        }
        let changed: Vec<_> = past.iter().filter_map(|(key, account)| account.map(|account| (*key, account))).collect();
        self.bank.accounts().filter(move |(key, _)| !past.contains_key(key)).chain(changed)
    }

    /// What happened after the slot, oldest first.
    fn later_changes(&self) -> impl Iterator<Item = &'a Change> + use<'a> {
        let from = self.bank.unfinalized.partition_point(|commit| commit.slot <= self.slot);
        self.bank.unfinalized.range(from..).map(Arc::as_ref).flat_map(|commit| &commit.changes)
    }

    /// The transaction with this signature, if it had run.
    pub(crate) fn transaction(&self, signature: &Signature) -> Option<&'a Arc<StoredTransaction>> {
        self.bank.history.get(signature).filter(|found| found.slot <= self.slot)
    }

    /// Transactions naming `address` that had run, newest first: those before `before`, down to but without `until`.
    pub(crate) fn transactions_of(
        &self,
        address: &Pubkey,
        before: Option<&Signature>,
        until: Option<&Signature>,
        limit: usize,
    ) -> Vec<&'a Arc<StoredTransaction>> {
        self.bank.history.of_address(address, self.slot, before, until, limit)
    }

    /// How many transactions had ever run.
    pub(crate) fn transaction_count(&self) -> u64 {
        self.bank.history.count_until(self.slot)
    }

    /// The blockhash of the slot.
    pub(crate) fn blockhash(&self) -> Hash {
        self.bank.clock.hash_of(self.slot)
    }

    /// The last block height at which [`Self::blockhash`] is good.
    pub(crate) fn last_valid_block_height(&self) -> u64 {
        self.slot + MAX_BLOCKHASH_AGE
    }

    /// Whether a transaction with this blockhash could run then.
    pub(crate) fn is_valid(&self, hash: &Hash) -> bool {
        self.bank.clock.is_valid(hash, self.slot)
    }
}
