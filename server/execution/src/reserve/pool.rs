//! What this server holds of each licence: leased units in memory, promised to calls, given back or captured.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clawos_base::{Clock, Database, Failpoint};

use super::store::{self, Lease, LeaseRequest};
use super::{Allowance, LEASE_MARGIN_MS, LEASE_MS, ReserveError};
use crate::account::Account;

/// A refill takes this share of what is left (1 in …), so that several servers find something near the end.
const LEASE_SHARE: u64 = 4;
/// Calls' worth of units that are held, at most: enough that a busy licence writes seldom.
const LEASE_CALLS: u64 = 256;
/// Pools kept before those that hold nothing are dropped.
const MAX_IDLE_POOLS: usize = 10_000;

/// All pools of this server.
#[derive(Debug)]
pub(crate) struct Pools {
    db: Database,
    clock: Arc<dyn Clock>,
    server: String,
    pools: Mutex<HashMap<Account, Arc<Pool>>>,
}

/// The units of one account that this server holds.
#[derive(Debug, Default)]
struct Pool {
    held: Mutex<Held>,
    refill: tokio::sync::Mutex<()>,
}

/// `free` can be promised; the lease they came from is good until `lapses_at`.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    free: u64,
    promised: u64,
    lapses_at: i64,
}

/// Units set aside for one call. Dropped, they are free again.
#[derive(Debug)]
pub(crate) struct Promise {
    /// None when nothing bounds the licence, so that nothing was leased.
    pool: Option<Arc<Pool>>,
    units: u64,
}

impl Promise {
    /// Whether the units came from a lease, which then has to cover what is captured.
    pub(crate) fn leased(&self) -> bool {
        self.pool.is_some()
    }

    /// Keeps `used` units out of the pool for good and frees the rest. The caller records them durably.
    pub(crate) fn capture(mut self, used: u64) {
        if let Some(pool) = self.pool.take() {
            lock(&pool.held).end_promise(self.units, used);
        }
    }

    /// Keeps all of its units out of the pool for good: nobody knows which were used.
    pub(crate) fn capture_all(self) {
        let units = self.units;
        self.capture(units);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            lock(&pool.held).end_promise(self.units, 0);
        }
    }
}

impl Held {
    /// Promises `units` if the lease has them and lasts long enough.
    fn take(&mut self, units: u64, now: i64) -> bool {
        let good = self.lapses_at.saturating_sub(now) >= LEASE_MARGIN_MS && self.free >= units;
        if good {
            self.free -= units;
            self.promised += units;
        }
        good
    }

    /// Ends a promise of `units`, of which `used` are gone.
    fn end_promise(&mut self, units: u64, used: u64) {
        self.promised = self.promised.saturating_sub(units);
        self.free = self.free.saturating_add(units.saturating_sub(used));
    }

    /// Takes note of a lease granted until `lapses_at`. When the one before was not kept, only the new units count.
    fn granted(&mut self, units: u64, kept: bool, lapses_at: i64) {
        if !kept {
            self.free = 0;
        }
        self.free = self.free.saturating_add(units);
        self.lapses_at = lapses_at;
    }
}

impl Pools {
    /// No units yet; `server` names this process among those that share the database.
    pub(crate) fn new(db: Database, clock: Arc<dyn Clock>, server: String) -> Pools {
        Pools { db, clock, server, pools: Mutex::default() }
    }

    /// Promises `needed` units of `account`, leasing more when the pool does not have them. `usage_seq` is the chain's
    /// at the slot `allowance` was read at.
    pub(crate) async fn promise(
        &self,
        account: Account,
        allowance: Allowance,
        usage_seq: u64,
        needed: u64,
    ) -> Result<Promise, ReserveError> {
        if let Some(cap) = allowance.per_batch.filter(|cap| needed > *cap) {
            return Err(ReserveError::AboveBatchCap { needed, cap });
        }
        if allowance.units.is_none() {
            return Ok(Promise { pool: None, units: needed });
        }
        let pool = self.pool(account);
        if lock(&pool.held).take(needed, self.clock.now_ms()) {
            return Ok(Promise { pool: Some(pool), units: needed });
        }
        let _alone = pool.refill.lock().await;
        // Others may have freed or leased units while this waited, or take what it leases before it can.
        while !lock(&pool.held).take(needed, self.clock.now_ms()) {
            self.refill(&pool, account, allowance, usage_seq, needed).await?;
        }
        Ok(Promise { pool: Some(Arc::clone(&pool)), units: needed })
    }

    /// Whether `promise` would be made now. Changes nothing.
    pub(crate) async fn check_units(
        &self,
        account: Account,
        allowance: Allowance,
        usage_seq: u64,
        needed: u64,
    ) -> Result<(), ReserveError> {
        if let Some(cap) = allowance.per_batch.filter(|cap| needed > *cap) {
            return Err(ReserveError::AboveBatchCap { needed, cap });
        }
        if allowance.units.is_none() {
            return Ok(());
        }
        let pool = self.pools.lock().unwrap_or_else(PoisonError::into_inner).get(&account).cloned().unwrap_or_default();
        let request = self.request(&pool, account, usage_seq, needed);
        granted(store::could_lease(&self.db, &request, allowance).await?, allowance, needed).map(|_| ())
    }

    /// Leases what is missing for `needed` units, and some more.
    async fn refill(
        &self,
        pool: &Pool,
        account: Account,
        allowance: Allowance,
        usage_seq: u64,
        needed: u64,
    ) -> Result<(), ReserveError> {
        let request = self.request(pool, account, usage_seq, needed);
        let (units, kept) = granted(store::lease(&self.db, &request, allowance).await?, allowance, needed)?;
        Failpoint::CallLeased.reach();
        lock(&pool.held).granted(units, kept, request.lapses_at);
        Ok(())
    }

    fn request(&self, pool: &Pool, account: Account, usage_seq: u64, needed: u64) -> LeaseRequest<'_> {
        let now = self.clock.now_ms();
        LeaseRequest {
            account,
            server: &self.server,
            usage_seq,
            now,
            lapses_at: now + LEASE_MS,
            needed,
            free: lock(&pool.held).free,
            at_most: needed.saturating_mul(LEASE_CALLS),
            share: LEASE_SHARE,
        }
    }

    /// Gives everything not promised back to the other servers: at shutdown, after the last call.
    pub(crate) async fn release(&self) -> Result<(), sqlx::Error> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).clear();
        store::release_leases(&self.db, Some(&self.server)).await
    }

    fn pool(&self, account: Account) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if pools.len() >= MAX_IDLE_POOLS {
            let now = self.clock.now_ms();
            pools.retain(|_, pool| Arc::strong_count(pool) > 1 || lock(&pool.held).lapses_at > now);
        }
        Arc::clone(pools.entry(account).or_default())
    }
}

/// Units granted and whether those before were kept, or why there are none.
fn granted(lease: Lease, allowance: Allowance, needed: u64) -> Result<(u64, bool), ReserveError> {
    match lease {
        Lease::Granted { units, kept } => Ok((units, kept)),
        Lease::Exhausted { available } => {
            Err(ReserveError::Exhausted { needed, available, credit: allowance.by_credit })
        }
        Lease::SetAside => Err(ReserveError::SetAside),
        Lease::UnknownBatch => Err(ReserveError::UnknownBatch),
        Lease::Stopped => Err(ReserveError::Stopped),
        Lease::MeteredElsewhere => Err(ReserveError::MeteredElsewhere),
        Lease::Unrecorded => Err(ReserveError::Unrecorded { cap: allowance.per_batch.unwrap_or(u64::MAX) }),
    }
}

fn lock(held: &Mutex<Held>) -> std::sync::MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the order of leases, promises, captures and drops: units are neither made nor lost.
        #[test]
        fn units_are_conserved(steps in prop::collection::vec((0_u8..4, 0_u64..20), 1..80)) {
            let mut held = Held::default();
            let mut open: Vec<u64> = Vec::new();
            let (mut granted, mut used) = (0_u64, 0_u64);
            for (what, n) in steps {
                match what {
                    0 => { held.granted(n, true, LEASE_MS); granted += n; }
                    1 => if held.take(n, 0) { open.push(n); },
                    2 => if let Some(units) = open.pop() { let n = n.min(units); held.end_promise(units, n); used += n; },
                    _ => if let Some(units) = open.pop() { held.end_promise(units, 0); },
                }
                prop_assert_eq!(held.promised, open.iter().sum::<u64>());
                prop_assert_eq!(held.free + held.promised + used, granted);
            }
        }
    }

    #[test]
    fn nothing_is_promised_from_a_lease_that_may_lapse_before_the_call_ends() {
        let mut held = Held::default();
        held.granted(10, false, LEASE_MS);
        assert!(held.take(1, LEASE_MS - LEASE_MARGIN_MS));
        assert!(!held.take(1, LEASE_MS - LEASE_MARGIN_MS + 1));
    }

    #[test]
    fn after_a_lapse_only_the_new_lease_counts() {
        let mut held = Held::default();
        held.granted(10, false, LEASE_MS);
        held.granted(3, false, 2 * LEASE_MS);
        assert_eq!(held.free, 3);
    }
}
