//! A failed call is free, so failing may not become a way to compute for nothing: so many failures per buyer and skill
//! in a minute, then the buyer waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clawos_interface::Key;
use moka::future::Cache;

use crate::error::ExecutionError;

/// The window.
const WINDOW: Duration = Duration::from_secs(60);
/// Failures in one window.
const FAILURES: u32 = 60;
/// Pairs of buyer and skill that are counted, at most.
const MAX_PAIRS: u64 = 100_000;

/// Failures of the last minute.
#[derive(Debug)]
pub(crate) struct FailureBudget {
    counts: Cache<(Key, Arc<str>), Arc<AtomicU32>>,
}

impl FailureBudget {
    pub(crate) fn new() -> FailureBudget {
        FailureBudget { counts: Cache::builder().max_capacity(MAX_PAIRS).time_to_live(WINDOW).build() }
    }

    /// Refuses a buyer whose calls of the skill failed too often.
    ///
    /// # Errors
    /// [`ExecutionError::TooManyFailures`].
    pub(crate) async fn check_failures(&self, buyer: &Key, skill: &str) -> Result<(), ExecutionError> {
        let count = self.counts.get(&(*buyer, Arc::from(skill))).await;
        if count.is_some_and(|count| count.load(Ordering::Relaxed) >= FAILURES) {
            return Err(ExecutionError::TooManyFailures { failures: FAILURES, retry_after: WINDOW });
        }
        Ok(())
    }

    /// Counts a failure.
    pub(crate) async fn count_failure(&self, buyer: &Key, skill: &str) {
        let count = self.counts.get_with((*buyer, Arc::from(skill)), async { Arc::default() }).await;
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_buyer_who_fails_too_often_waits_and_others_do_not() {
        let budget = FailureBudget::new();
        for _ in 0..FAILURES {
            assert!(budget.check_failures(&[1; 32], "a.b").await.is_ok());
            budget.count_failure(&[1; 32], "a.b").await;
        }
        let refused = budget.check_failures(&[1; 32], "a.b").await;
        assert!(matches!(refused, Err(ExecutionError::TooManyFailures { .. })));
        assert!(budget.check_failures(&[2; 32], "a.b").await.is_ok());
        assert!(budget.check_failures(&[1; 32], "a.c").await.is_ok());
    }
}
