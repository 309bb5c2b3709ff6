//! The transactions that ran: by signature, by address, in order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::clock::MAX_BLOCKHASH_AGE;
use crate::ledger::StoredTransaction;

/// Transactions kept; older ones are forgotten as a validator's ledger forgets them. The accounts stay. One whose blockhash
/// may still be good is kept beyond this, since nothing else keeps it from running again.
const MAX_TRANSACTIONS: usize = 50_000;
/// Memory they may take, in bytes.
const MAX_BYTES: usize = 256 << 20;

/// The history of one chain, bounded.
#[derive(Default)]
pub(crate) struct History {
    /// Oldest first; the first has number `forgotten`.
    transactions: VecDeque<Arc<StoredTransaction>>,
    forgotten: u64,
    bytes: usize,
    by_signature: HashMap<Signature, u64>,
    /// The numbers of the transactions that name an address, oldest first.
    by_address: HashMap<Pubkey, VecDeque<u64>>,
}

impl History {
    /// Adds the newest transaction.
    pub(crate) fn push(&mut self, transaction: StoredTransaction) {
        let number = self.count();
        self.by_signature.insert(transaction.signature(), number);
        for key in &transaction.accounts {
            self.by_address.entry(Pubkey::from(*key)).or_default().push_back(number);
        }
        self.bytes += transaction.size();
        self.transactions.push_back(Arc::new(transaction));
        while (self.transactions.len() > MAX_TRANSACTIONS || self.bytes > MAX_BYTES) && self.oldest_has_expired() {
            self.forget_oldest();
        }
    }

    /// Whether the oldest transaction's blockhash, which is no younger than its slot, can no longer be used.
    fn oldest_has_expired(&self) -> bool {
        let (Some(oldest), Some(newest)) = (self.transactions.front(), self.transactions.back()) else { return false };
        newest.slot.saturating_sub(oldest.slot) > MAX_BLOCKHASH_AGE
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.transactions.pop_front() else {
            return;
        };
        self.bytes -= oldest.size();
        self.forgotten += 1;
        self.by_signature.remove(&oldest.signature());
        for key in &oldest.accounts {
            let key = Pubkey::from(*key);
            if let Some(numbers) = self.by_address.get_mut(&key) {
                numbers.pop_front();
                if numbers.is_empty() {
                    self.by_address.remove(&key);
                }
            }
        }
    }

    /// How many transactions ever ran.
    pub(crate) fn count(&self) -> u64 {
        self.forgotten + self.transactions.len() as u64
    }

    /// How many transactions ran until the end of `slot`.
    pub(crate) fn count_until(&self, slot: u64) -> u64 {
        self.forgotten + self.transactions.partition_point(|transaction| transaction.slot <= slot) as u64
    }

    /// The slot of the oldest transaction that is kept.
    pub(crate) fn first_slot(&self) -> Option<u64> {
        self.transactions.front().map(|transaction| transaction.slot)
    }

    /// The transactions of one slot, in order.
    pub(crate) fn of_slot(&self, slot: u64) -> impl Iterator<Item = &Arc<StoredTransaction>> {
        let from = self.transactions.partition_point(|transaction| transaction.slot < slot);
        self.transactions.range(from..).take_while(move |transaction| transaction.slot == slot)
    }

    /// Whether a transaction with this signature ran.
    pub(crate) fn contains(&self, signature: &Signature) -> bool {
        self.by_signature.contains_key(signature)
    }

    /// The transaction with this signature.
    pub(crate) fn get(&self, signature: &Signature) -> Option<&Arc<StoredTransaction>> {
        self.by_signature.get(signature).and_then(|number| self.at(*number))
    }

    /// Everything kept, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &StoredTransaction> {
        self.transactions.iter().map(Arc::as_ref)
    }

    /// Transactions naming `address` that ran until the end of `slot`, newest first: those before `before`, down to but
    /// without `until`. An unknown `before` selects nothing, an unknown `until` limits nothing.
    pub(crate) fn of_address(
        &self,
        address: &Pubkey,
        slot: u64,
        before: Option<&Signature>,
        until: Option<&Signature>,
        limit: usize,
    ) -> Vec<&Arc<StoredTransaction>> {
        let number_of = |signature: &Signature| self.by_signature.get(signature).copied();
        let below = before.map_or(u64::MAX, |signature| number_of(signature).unwrap_or(0)).min(self.count_until(slot));
        let above = until.and_then(number_of);
        let numbers = self.by_address.get(address).into_iter().flatten().rev();
        numbers
            .skip_while(|number| **number >= below)
            .take_while(|number| above.is_none_or(|above| **number > above))
            .take(limit)
            .filter_map(|number| self.at(*number))
            .collect()
    }

    fn at(&self, number: u64) -> Option<&Arc<StoredTransaction>> {
        let index = usize::try_from(number.checked_sub(self.forgotten)?).ok()?;
        self.transactions.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(number: u8, accounts: &[u8]) -> StoredTransaction {
        StoredTransaction {
            signature: [number; 64],
            slot: u64::from(number),
            position: 0,
            unix_timestamp: 0,
            wire: Vec::new(),
            error: None,
            meta: String::new(),
            memo: None,
            accounts: accounts.iter().map(|key| [*key; 32]).collect(),
        }
    }

    fn signature(number: u8) -> Signature {
        Signature::from([number; 64])
    }

    fn slots(history: &History, key: u8, before: Option<u8>, until: Option<u8>) -> Vec<u64> {
        let (before, until) = (before.map(signature), until.map(signature));
        let key = Pubkey::from([key; 32]);
        let found = history.of_address(&key, 99, before.as_ref(), until.as_ref(), 10);
        found.iter().map(|transaction| transaction.slot).collect()
    }

    #[test]
    fn an_address_lists_its_transactions_newest_first_between_the_bounds() {
        let mut history = History::default();
        for number in 1..=6 {
            history.push(transaction(number, if number == 4 { &[8] } else { &[7, 8] }));
        }
        assert_eq!(slots(&history, 7, None, None), [6, 5, 3, 2, 1]);
        assert_eq!(slots(&history, 7, Some(5), Some(1)), [3, 2]);
        assert_eq!(slots(&history, 7, Some(99), None), [0; 0]);
        assert_eq!(slots(&history, 9, None, None), [0; 0]);
        let until_3 = history.of_address(&Pubkey::from([7; 32]), 3, None, None, 10);
        assert_eq!(until_3.iter().map(|found| found.slot).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!((history.count_until(3), history.count_until(0), history.first_slot()), (3, 0, Some(1)));
        assert_eq!(history.of_slot(4).count() + history.of_slot(7).count(), 1);
    }

    #[test]
    fn what_could_run_again_is_never_forgotten() {
        let mut history = History::default();
        let mut push = |number: usize, slot: u64| {
            let mut signature = [0; 64];
            signature[..8].copy_from_slice(&number.to_le_bytes());
            history.push(StoredTransaction { signature, slot, ..transaction(0, &[7]) });
            (history.contains(&Signature::from([0; 64])), history.transactions.len())
        };
        for number in 0..MAX_TRANSACTIONS {
            push(number, 1);
        }
        assert_eq!(push(MAX_TRANSACTIONS, 1 + MAX_BLOCKHASH_AGE), (true, MAX_TRANSACTIONS + 1));
        let later = push(MAX_TRANSACTIONS + 1, 2 + MAX_BLOCKHASH_AGE);
        assert_eq!(later, (false, MAX_TRANSACTIONS), "its blockhash is too old by now");
    }

    #[test]
    fn the_oldest_are_forgotten_everywhere() {
        let mut history = History::default();
        for number in 1..=3 {
            history.push(transaction(number, &[7]));
        }
        history.push(transaction(4, &[9]));
        history.forget_oldest();
        history.forget_oldest();
        assert!(!history.contains(&signature(2)));
        assert_eq!(history.get(&signature(4)).map(|found| found.slot), Some(4));
        assert_eq!(slots(&history, 7, None, None), [3]);
        assert_eq!(history.count(), 4);
        history.forget_oldest();
        assert!(history.by_address.keys().all(|key| *key == Pubkey::from([9; 32])));
    }
}
