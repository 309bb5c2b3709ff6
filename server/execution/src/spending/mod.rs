//! Daily spending caps of API keys, one per currency: what a key spent, and what its running calls may still spend. Keys of
//! one family (made or replaced by one another) count as one key, so that a cap cannot be multiplied.
//!
//! Counted in memory from what the database held when the key was first seen on a day, and written with each receipt. Of
//! several servers each counts the others' spending as of [`REFRESH_MS`] ago.

mod store;

pub(crate) use store::record;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clawos_base::{Clock, Database};
use clawos_interface::Currency;

/// Milliseconds of a UTC day.
const DAY_MS: i64 = 86_400_000;
/// How long the database's count is used before it is read again (milliseconds).
const REFRESH_MS: i64 = 10_000;
/// Counters kept before those of past days are dropped.
const MAX_COUNTERS: usize = 10_000;

/// An amount that counts against a key's cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spend {
    /// `key_…`, the first of its family.
    pub api_key: String,
    /// UTC day, days since 1970.
    pub day: i64,
    /// What it was paid in.
    pub currency: Currency,
    /// Base units.
    pub amount: u64,
}

/// A call would break its key's cap: not enough is left today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call may cost {cost} base units of {currency} and the key may spend {left} more today")]
pub struct CapReached {
    /// What the call is paid in.
    pub currency: Currency,
    /// What it may cost, base units.
    pub cost: u64,
    /// What is left, base units.
    pub left: u64,
}

/// What each key has spent and set aside.
#[derive(Debug)]
pub(crate) struct Spending {
    db: Database,
    clock: Arc<dyn Clock>,
    counters: Mutex<HashMap<Purse, Counter>>,
}

/// What a counter is for: a key of this family, and a currency.
type Purse = (String, Currency);

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    day: i64,
    /// In the database as of `read_at`, or more: what this server spent since is added at once.
    spent: u64,
    reserved: u64,
    read_at: i64,
}

/// Money set aside for one call. Dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Reserved {
    spending: Arc<Spending>,
    purse: Purse,
    day: i64,
    amount: u64,
    captured: bool,
}

impl Counter {
    /// Sets `cost` aside if the cap allows it.
    ///
    /// # Errors
    /// What the cap leaves.
    fn reserve(&mut self, cost: u64, cap: u64) -> Result<(), u64> {
        let left = cap.saturating_sub(self.spent).saturating_sub(self.reserved);
        if cost > left {
            return Err(left);
        }
        self.reserved = self.reserved.saturating_add(cost);
        Ok(())
    }

    /// Ends a reservation of which `spent` was paid.
    fn end_reservation(&mut self, reserved: u64, spent: u64) {
        self.reserved = self.reserved.saturating_sub(reserved);
        self.spent = self.spent.saturating_add(spent);
    }
}

impl Spending {
    pub(crate) fn new(db: Database, clock: Arc<dyn Clock>) -> Arc<Spending> {
        Arc::new(Spending { db, clock, counters: Mutex::default() })
    }

    /// Sets `cost` base units of `currency` aside for a call with a key of the family `api_key`, whose cap is `cap` base units
    /// of it a UTC day.
    ///
    /// # Errors
    /// [`CapReached`] inside when the cap does not allow it; outside when the database fails.
    pub(crate) async fn reserve(
        self: &Arc<Self>,
        api_key: &str,
        cap: u64,
        currency: Currency,
        cost: u64,
    ) -> Result<Result<Reserved, CapReached>, sqlx::Error> {
        let purse = (api_key.to_owned(), currency);
        let now = self.clock.now_ms();
        let day = now.div_euclid(DAY_MS);
        let fresh = |counter: &Counter| counter.day == day && now - counter.read_at < REFRESH_MS;
        if !self.lock().get(&purse).is_some_and(fresh) {
            let before = self.lock().get(&purse).copied().unwrap_or_default();
            let stored = store::spent(&self.db, api_key, day, currency).await?;
            let mut counters = self.lock();
            if counters.len() >= MAX_COUNTERS {
                counters.retain(|_, counter| counter.day == day);
            }
            let counter = counters.entry(purse.clone()).or_default();
            let kept = if counter.day == day { *counter } else { Counter::default() };
            // What running calls stored may be in `stored` already and is counted once more when they end. So the
            // database's count replaces this one whenever no call ran or ended while it was read.
            let quiet = kept.reserved == 0 && (before.day, before.reserved, before.spent) == (day, 0, kept.spent);
            let spent = if quiet { stored } else { kept.spent.max(stored) };
            *counter = Counter { day, spent, reserved: kept.reserved, read_at: now };
        }
        let reserved = self.lock().entry(purse.clone()).or_default().reserve(cost, cap);
        Ok(match reserved {
            Ok(()) => Ok(Reserved { spending: Arc::clone(self), purse, day, amount: cost, captured: false }),
            Err(left) => Err(CapReached { currency, cost, left }),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Purse, Counter>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_reservation(&self, reserved: &Reserved, spent: u64) {
        if let Some(counter) = self.lock().get_mut(&reserved.purse).filter(|counter| counter.day == reserved.day) {
            counter.end_reservation(reserved.amount, spent);
        }
    }
}

impl Reserved {
    /// What to write with the receipt of a call for `amount`. Until that is stored all of it stays set aside.
    pub(crate) fn spend(&self, amount: u64) -> Spend {
        let (api_key, currency) = self.purse.clone();
        Spend { api_key, day: self.day, currency, amount }
    }

    /// Counts `amount`, which is stored, as spent and frees the rest.
    pub(crate) fn capture(mut self, amount: u64) {
        self.spending.end_reservation(&self, amount);
        self.captured = true;
    }

    /// Counts all of it as spent, until the database is asked again: nobody knows what was.
    pub(crate) fn capture_all(self) {
        let amount = self.amount;
        self.capture(amount);
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.captured {
            self.spending.end_reservation(self, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Spent and set aside together never pass the cap, in whatever order calls begin and end.
        #[test]
        fn the_cap_holds(cap in 0_u64..1_000, steps in prop::collection::vec((any::<bool>(), 0_u64..300, 0_u64..300), 0..60)) {
            let mut counter = Counter::default();
            let mut open = Vec::new();
            for (begin, cost, paid) in steps {
                if begin {
                    if counter.reserve(cost, cap).is_ok() { open.push(cost); }
                } else if let Some(cost) = open.pop() {
                    counter.end_reservation(cost, paid.min(cost));
                }
                prop_assert!(counter.spent + counter.reserved <= cap);
                prop_assert_eq!(counter.reserved, open.iter().sum::<u64>());
            }
        }
    }

    #[test]
    fn what_is_left_is_told() {
        let mut counter = Counter { spent: 60, reserved: 30, ..Counter::default() };
        assert_eq!(counter.reserve(11, 100), Err(10));
        assert_eq!(counter.reserve(10, 100), Ok(()));
    }
}
