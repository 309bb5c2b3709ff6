//! Free trial calls: so many per wallet and skill, as the listing says, and so many per skill and day in all.

mod store;

use std::sync::Arc;

use clawos_base::{Clock, Database};
use clawos_interface::Key;

/// Milliseconds of a UTC day.
const DAY_MS: i64 = 86_400_000;
/// Free calls of one skill on one UTC day, whoever makes them: wallets cost nothing, so the number per wallet alone would
/// bound nothing.
const SKILL_CALLS_PER_DAY: u64 = 10_000;

/// A free call that was taken and not used yet.
#[derive(Debug)]
pub(crate) struct FreeCall {
    skill: String,
    wallet: Key,
    day: i64,
}

/// The book of free calls.
#[derive(Debug)]
pub(crate) struct FreeCalls {
    db: Database,
    clock: Arc<dyn Clock>,
}

impl FreeCalls {
    pub(crate) fn new(db: Database, clock: Arc<dyn Clock>) -> FreeCalls {
        FreeCalls { db, clock }
    }

    /// Takes one of the `offered` free calls of `wallet`; none when they are used up. Taken before the call, so that
    /// parallel calls cannot share one; a crash during the call uses it up.
    pub(crate) async fn take(&self, skill: &str, wallet: &Key, offered: u64) -> Result<Option<FreeCall>, sqlx::Error> {
        if !self.left(skill, wallet, offered).await? {
            return Ok(None);
        }
        let call = FreeCall { skill: skill.to_owned(), wallet: *wallet, day: self.clock.now_ms().div_euclid(DAY_MS) };
        let taken = store::take(&self.db, &call.skill, &call.wallet, call.day, offered, SKILL_CALLS_PER_DAY).await?;
        Ok(taken.then_some(call))
    }

    /// Whether `wallet` has a free call left.
    pub(crate) async fn left(&self, skill: &str, wallet: &Key, offered: u64) -> Result<bool, sqlx::Error> {
        Ok(offered > 0 && store::used(&self.db, skill, wallet).await? < offered)
    }

    /// Whether the skill has free calls left today, whoever makes them.
    pub(crate) async fn left_today(&self, skill: &str) -> Result<bool, sqlx::Error> {
        let day = self.clock.now_ms().div_euclid(DAY_MS);
        Ok(store::used_on(&self.db, skill, day).await? < SKILL_CALLS_PER_DAY)
    }

    /// Gives one back after a call that failed.
    pub(crate) async fn give_back(&self, call: &FreeCall) -> Result<(), sqlx::Error> {
        store::give_back(&self.db, &call.skill, &call.wallet, call.day).await
    }
}
