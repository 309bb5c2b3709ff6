//! Free calls of skills that cost something. Trials: so many per wallet and skill, as the listing says. Those of the skill's
//! own publisher. And so many per skill and day in all.

mod store;

use std::sync::Arc;
use std::time::Duration;

use clawos_base::{Clock, Database};
use clawos_interface::Key;

use crate::error::ExecutionError;

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
    per_day: u64,
}

impl FreeCalls {
    pub(crate) fn new(db: Database, clock: Arc<dyn Clock>) -> FreeCalls {
        FreeCalls { db, clock, per_day: SKILL_CALLS_PER_DAY }
    }

    /// Takes one of the `offered` free calls of `wallet`; none when they are used up. Taken before the call, so that
    /// parallel calls cannot share one; a crash during the call uses it up.
    pub(crate) async fn take(&self, skill: &str, wallet: &Key, offered: u64) -> Result<Option<FreeCall>, sqlx::Error> {
        if !self.left(skill, wallet, offered).await? {
            return Ok(None);
        }
        let call = FreeCall { skill: skill.to_owned(), wallet: *wallet, day: self.today() };
        let taken = store::take(&self.db, &call.skill, &call.wallet, call.day, offered, self.per_day).await?;
        Ok(taken.then_some(call))
    }

    /// Takes a free call for the skill's own publisher; none when the skill has had its free calls of today.
    pub(crate) async fn take_own(&self, skill: &str, publisher: &Key) -> Result<Option<FreeCall>, sqlx::Error> {
        self.take(skill, publisher, u64::MAX).await
    }

    /// The refusal of a publisher whose skill has had its free calls of today.
    pub(crate) fn used_up(&self) -> ExecutionError {
        let left_ms = DAY_MS - self.clock.now_ms().rem_euclid(DAY_MS);
        let retry_after = Duration::from_millis(u64::try_from(left_ms).unwrap_or_default());
        ExecutionError::FreeCallsUsedUp { per_day: self.per_day, retry_after }
    }

    /// Whether `wallet` has a free call left.
    pub(crate) async fn left(&self, skill: &str, wallet: &Key, offered: u64) -> Result<bool, sqlx::Error> {
        Ok(offered > 0 && store::used(&self.db, skill, wallet).await? < offered)
    }

    /// Whether the skill has free calls left today, whoever makes them.
    pub(crate) async fn left_today(&self, skill: &str) -> Result<bool, sqlx::Error> {
        Ok(store::used_on(&self.db, skill, self.today()).await? < self.per_day)
    }

    /// Gives one back after a call that failed.
    pub(crate) async fn give_back(&self, call: &FreeCall) -> Result<(), sqlx::Error> {
        store::give_back(&self.db, &call.skill, &call.wallet, call.day).await
    }

    fn today(&self) -> i64 {
        self.clock.now_ms().div_euclid(DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use clawos_base::ShiftedClock;

    use super::*;
    use crate::testing::databases;

    #[tokio::test]
    async fn a_publisher_shares_the_days_free_calls_with_everybody() {
        for (_config, db, _folder) in databases().await {
            let clock = Arc::new(ShiftedClock::default());
            let calls = FreeCalls { per_day: 3, ..FreeCalls::new(db, clock.clone()) };
            let (publisher, stranger) = ([1; 32], [2; 32]);
            assert!(calls.take("a.b", &stranger, 1).await.unwrap().is_some());
            assert!(calls.take("a.b", &stranger, 1).await.unwrap().is_none(), "one was offered");
            let failed = calls.take_own("a.b", &publisher).await.unwrap().expect("two are left");
            calls.give_back(&failed).await.unwrap();
            for _ in 0..2 {
                assert!(calls.take_own("a.b", &publisher).await.unwrap().is_some());
            }
            assert!(calls.take_own("a.b", &publisher).await.unwrap().is_none());
            assert!(calls.take_own("a.other", &publisher).await.unwrap().is_some());
            let ExecutionError::FreeCallsUsedUp { per_day, retry_after } = calls.used_up() else {
                panic!("another refusal");
            };
            assert_eq!(per_day, 3);
            clock.advance(i64::try_from(retry_after.as_millis()).unwrap());
            assert!(calls.take_own("a.b", &publisher).await.unwrap().is_some(), "tomorrow there are more");
        }
    }
}
