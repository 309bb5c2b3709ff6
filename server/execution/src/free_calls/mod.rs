//! Free calls of skills that cost something. Trials: so many per wallet and skill, as the listing says, and so many per skill
//! and day in all. And those of the skill's own publisher: as many a day, counted by themselves, so that nobody else can use
//! them up.

mod store;

use std::sync::Arc;
use std::time::Duration;

use clawos_base::{Clock, Database};
use clawos_interface::Key;

use crate::error::ExecutionError;

/// Milliseconds of a UTC day.
const DAY_MS: i64 = 86_400_000;
/// A free call that was taken and not used yet.
#[derive(Debug)]
pub(crate) struct FreeCall {
    skill: String,
    wallet: Key,
    day: i64,
    /// Whether it is the publisher's.
    own: bool,
}

/// The book of free calls.
#[derive(Debug)]
pub(crate) struct FreeCalls {
    db: Database,
    clock: Arc<dyn Clock>,
    per_day: u64,
}

impl FreeCalls {
    /// `per_day`: trials of one skill on one UTC day, whoever makes them (wallets cost nothing, so the number per wallet
    /// alone would bound nothing), and as many calls of its publisher.
    pub(crate) fn new(db: Database, clock: Arc<dyn Clock>, per_day: u64) -> FreeCalls {
        FreeCalls { db, clock, per_day }
    }

    /// Takes one of the `offered` free calls of `wallet`; none when they are used up. Taken before the call, so that
    /// parallel calls cannot share one; a crash during the call uses it up.
    pub(crate) async fn take(&self, skill: &str, wallet: &Key, offered: u64) -> Result<Option<FreeCall>, sqlx::Error> {
        if !self.left(skill, wallet, offered).await? {
            return Ok(None);
        }
        self.take_one(skill, wallet, false, offered).await
    }

    /// Takes a free call for the skill's own publisher; none when he has made those of today.
    pub(crate) async fn take_own(&self, skill: &str, publisher: &Key) -> Result<Option<FreeCall>, sqlx::Error> {
        self.take_one(skill, publisher, true, u64::MAX).await
    }

    async fn take_one(
        &self,
        skill: &str,
        wallet: &Key,
        own: bool,
        offered: u64,
    ) -> Result<Option<FreeCall>, sqlx::Error> {
        let call = FreeCall { skill: skill.to_owned(), wallet: *wallet, day: self.today(), own };
        Ok(store::take(&self.db, &call, offered, self.per_day).await?.then_some(call))
    }

    /// The refusal of a publisher who has made his free calls of today.
    pub(crate) fn used_up(&self) -> ExecutionError {
        let left_ms = DAY_MS - self.clock.now_ms().rem_euclid(DAY_MS);
        let retry_after = Duration::from_millis(u64::try_from(left_ms).unwrap_or_default());
        ExecutionError::FreeCallsUsedUp { per_day: self.per_day, retry_after }
    }

    /// Whether `wallet` has a free call left.
    pub(crate) async fn left(&self, skill: &str, wallet: &Key, offered: u64) -> Result<bool, sqlx::Error> {
        Ok(offered > 0 && store::used(&self.db, skill, wallet).await? < offered)
    }

    /// Whether the skill has free calls left today: for its publisher (`own`), or for all others.
    pub(crate) async fn left_today(&self, skill: &str, own: bool) -> Result<bool, sqlx::Error> {
        Ok(store::used_on(&self.db, skill, self.today(), own).await? < self.per_day)
    }

    /// Gives one back after a call that failed.
    pub(crate) async fn give_back(&self, call: &FreeCall) -> Result<(), sqlx::Error> {
        store::give_back(&self.db, call).await
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
    async fn strangers_and_the_publisher_each_have_their_free_calls_of_the_day() {
        for (_config, db, _folder) in databases().await {
            let clock = Arc::new(ShiftedClock::default());
            let calls = FreeCalls::new(db, clock.clone(), 3);
            let (publisher, stranger) = ([1; 32], [2; 32]);
            assert!(calls.take("a.b", &stranger, 1).await.unwrap().is_some());
            assert!(calls.take("a.b", &stranger, 1).await.unwrap().is_none(), "one was offered");
            for other in [[3; 32], [4; 32]] {
                assert!(calls.take("a.b", &other, 1).await.unwrap().is_some());
            }
            assert!(calls.take("a.b", &[5; 32], 1).await.unwrap().is_none(), "the day's are used up");
            assert!(!calls.left_today("a.b", false).await.unwrap() && calls.left_today("a.b", true).await.unwrap());
            let failed = calls.take_own("a.b", &publisher).await.unwrap().expect("those are others'");
            calls.give_back(&failed).await.unwrap();
            assert!(calls.take("a.b", &[5; 32], 1).await.unwrap().is_none(), "nothing of theirs came back");
            for _ in 0..3 {
                assert!(calls.take_own("a.b", &publisher).await.unwrap().is_some());
            }
            assert!(calls.take_own("a.b", &publisher).await.unwrap().is_none());
            assert!(!calls.left_today("a.b", true).await.unwrap());
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
