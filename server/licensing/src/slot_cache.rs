//! A cache of chain state that never goes back in time: bounded age, one read at a time per key, a slot watermark, and
//! a grace window for when the chain cannot be read.

use std::sync::Arc;
use std::time::Duration;

use clawos_api::market::Source;
use clawos_interface::Key;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::chain::{ChainError, Snapshot};

/// Entries kept, at most. A licence with its listing takes about 2 KiB, so this is at most 200 MiB.
const MAX_ENTRIES: u64 = 100_000;
/// How long the lock of a key that nobody asks for is kept.
const IDLE_GATE: Duration = Duration::from_secs(60);
/// Time between two reads of one key, at least: 8 a second. Callers who want it read again wait for the next one together, so
/// who is refused cannot hammer the chain.
const PACE: Duration = Duration::from_millis(125);

/// Chain state with where it came from and how old it is.
#[derive(Debug)]
pub struct Reading<T> {
    /// The state.
    pub snapshot: Arc<Snapshot<T>>,
    /// Where it came from.
    pub source: Source,
    /// Time since it was read, in milliseconds.
    pub age_ms: u64,
}

impl<T> Clone for Reading<T> {
    fn clone(&self) -> Self {
        Reading { snapshot: Arc::clone(&self.snapshot), source: self.source, age_ms: self.age_ms }
    }
}

/// The cache. `T` is what is read for one key.
pub(crate) struct SlotCache<T> {
    seen: moka::future::Cache<Key, Arc<Snapshot<T>>>,
    gates: moka::future::Cache<Key, Arc<Mutex<Gate>>>,
    grace_ms: u64,
}

/// Lets one read of a key through at a time.
#[derive(Debug, Default)]
struct Gate {
    /// When the key was last read. A read that failed leaves it as it is: nobody can share it, so callers who waited for
    /// their turn would queue up for as long as the chain is down.
    last_read: Option<Instant>,
}

impl Gate {
    /// Waits until the key may be read again.
    async fn pass(&self) {
        if let Some(last) = self.last_read {
            sleep_until(last + PACE).await;
        }
    }
}

impl<T> std::fmt::Debug for SlotCache<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlotCache").field("grace_ms", &self.grace_ms).finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> SlotCache<T> {
    /// A cache that forgets what is older than both `ttl` and `grace`, and falls back on what is younger than `grace`
    /// while the chain cannot be read.
    pub(crate) fn new(ttl: Duration, grace: Duration) -> SlotCache<T> {
        SlotCache {
            seen: moka::future::Cache::builder().max_capacity(MAX_ENTRIES).time_to_live(ttl.max(grace)).build(),
            gates: moka::future::Cache::builder().max_capacity(MAX_ENTRIES).time_to_idle(IDLE_GATE).build(),
            grace_ms: u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// What is known of `key` and at most `max_age_ms` old at `now_ms`, for which `usable` holds; otherwise what
    /// `load` reads from the chain. `load` is told the slot below which an answer is not accepted.
    ///
    /// # Errors
    /// When the chain cannot be read and nothing inside the grace window is known.
    pub(crate) async fn get<F>(
        &self,
        key: Key,
        now_ms: i64,
        max_age_ms: u64,
        usable: impl Fn(&Snapshot<T>) -> bool,
        load: impl FnOnce(u64) -> F,
    ) -> Result<Reading<T>, ChainError>
    where
        F: Future<Output = Result<Snapshot<T>, ChainError>>,
    {
        let young = |seen: &Arc<Snapshot<T>>| age_ms(seen, now_ms) <= max_age_ms && usable(seen);
        if let Some(snapshot) = self.seen.get(&key).await.filter(young) {
            return Ok(reading(snapshot, Source::Cache, now_ms));
        }
        let gate = self.gates.get_with(key, async { Arc::default() }).await;
        let mut gate = gate.lock().await;
        // Whoever held the gate may have read it for us.
        let seen = self.seen.get(&key).await;
        if let Some(snapshot) = seen.clone().filter(young) {
            return Ok(reading(snapshot, Source::Cache, now_ms));
        }
        gate.pass().await;
        let watermark = seen.as_ref().map_or(0, |snapshot| snapshot.slot);
        match load(watermark).await {
            Ok(snapshot) => {
                gate.last_read = Some(Instant::now());
                let snapshot = Arc::new(snapshot);
                self.seen.insert(key, Arc::clone(&snapshot)).await;
                Ok(reading(snapshot, Source::Chain, now_ms))
            }
            Err(error) => match seen {
                Some(snapshot) if age_ms(&snapshot, now_ms) <= self.grace_ms => {
                    Ok(reading(snapshot, Source::Grace, now_ms))
                }
                _ => Err(error),
            },
        }
    }

    /// Takes note of state that was read for another reason, unless something newer is known.
    pub(crate) async fn put(&self, key: Key, snapshot: Snapshot<T>) {
        if self.seen.get(&key).await.is_none_or(|seen| seen.slot <= snapshot.slot) {
            self.seen.insert(key, Arc::new(snapshot)).await;
        }
    }
}

fn age_ms<T>(snapshot: &Snapshot<T>, now_ms: i64) -> u64 {
    u64::try_from(now_ms.saturating_sub(snapshot.read_at_ms)).unwrap_or(0)
}

fn reading<T>(snapshot: Arc<Snapshot<T>>, source: Source, now_ms: i64) -> Reading<T> {
    let age_ms = age_ms(&snapshot, now_ms);
    Reading { snapshot, source, age_ms }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Waker};

    const KEY: Key = [1; 32];

    fn cache() -> SlotCache<u32> {
        SlotCache::new(Duration::from_secs(30), Duration::from_secs(60))
    }

    fn at(slot: u64, read_at_ms: i64, value: u32) -> Snapshot<u32> {
        Snapshot { slot, chain_secs: 0, read_at_ms, value }
    }

    fn down() -> ChainError {
        ChainError::Unreachable("refused".to_owned())
    }

    #[tokio::test]
    async fn a_young_entry_is_used_and_an_old_one_is_read_again() {
        let cache = cache();
        let first = cache.get(KEY, 0, 30_000, |_| true, |_| async { Ok(at(5, 0, 1)) }).await.unwrap();
        assert_eq!((first.source, first.snapshot.value), (Source::Chain, 1));
        let second = cache.get(KEY, 30_000, 30_000, |_| true, |_| async { Err(down()) }).await.unwrap();
        assert_eq!((second.source, second.age_ms), (Source::Cache, 30_000));
        let third = cache.get(KEY, 30_001, 30_000, |_| true, |_| async { Ok(at(9, 30_001, 2)) }).await.unwrap();
        assert_eq!((third.source, third.snapshot.value), (Source::Chain, 2));
    }

    #[tokio::test]
    async fn a_read_must_not_go_behind_the_slot_already_seen() {
        let cache = cache();
        cache.get(KEY, 0, 0, |_| true, |min| async move { Ok(at(min + 7, 0, 1)) }).await.unwrap();
        let asked = AtomicU32::new(0);
        let again = cache
            .get(
                KEY,
                10,
                0,
                |_| true,
                |min| {
                    asked.store(u32::try_from(min).unwrap(), Ordering::SeqCst);
                    async { Ok(at(7, 10, 2)) }
                },
            )
            .await
            .unwrap();
        assert_eq!((asked.load(Ordering::SeqCst), again.snapshot.slot), (7, 7));
    }

    #[tokio::test]
    async fn while_the_chain_is_down_an_entry_counts_until_the_grace_window_closes() {
        let cache = cache();
        cache.get(KEY, 0, 0, |_| true, |_| async { Ok(at(1, 0, 1)) }).await.unwrap();
        let graced = cache.get(KEY, 60_000, 30_000, |_| true, |_| async { Err(down()) }).await.unwrap();
        assert_eq!(graced.source, Source::Grace);
        assert!(cache.get(KEY, 60_001, 30_000, |_| true, |_| async { Err(down()) }).await.is_err());
    }

    #[tokio::test]
    async fn with_no_grace_an_old_entry_never_counts() {
        let cache: SlotCache<u32> = SlotCache::new(Duration::from_secs(30), Duration::ZERO);
        cache.get(KEY, 0, 0, |_| true, |_| async { Ok(at(1, 0, 1)) }).await.unwrap();
        assert!(cache.get(KEY, 30_001, 30_000, |_| true, |_| async { Err(down()) }).await.is_err());
    }

    #[tokio::test]
    async fn an_entry_that_is_no_longer_usable_is_read_again_however_young() {
        let cache = cache();
        cache.get(KEY, 0, 0, |_| true, |_| async { Ok(at(1, 0, 1)) }).await.unwrap();
        let fresh = cache.get(KEY, 1, 30_000, |seen| seen.value != 1, |_| async { Ok(at(2, 1, 2)) }).await.unwrap();
        assert_eq!(fresh.snapshot.value, 2);
    }

    #[tokio::test]
    async fn callers_that_want_it_fresh_share_reads_and_cannot_hammer_the_chain() {
        let (cache, reads, started) = (Arc::new(cache()), Arc::new(AtomicU32::new(0)), Instant::now());
        let now = move || i64::try_from(started.elapsed().as_millis()).unwrap();
        for _ in 0..3 {
            let calls = (0..16).map(|_| {
                let (cache, reads) = (Arc::clone(&cache), Arc::clone(&reads));
                tokio::spawn(async move {
                    let load = |_| async {
                        reads.fetch_add(1, Ordering::SeqCst);
                        Ok(at(1, now(), 1))
                    };
                    let asked = now();
                    let read = cache.get(KEY, asked, 0, |_| true, load).await.unwrap();
                    assert!(read.snapshot.read_at_ms >= asked, "it was read since it was asked for");
                })
            });
            for call in calls.collect::<Vec<_>>() {
                call.await.unwrap();
            }
        }
        let paces = started.elapsed().as_millis() / PACE.as_millis();
        assert!(u128::from(reads.load(Ordering::SeqCst)) <= 1 + paces, "one at once, then one each pace");
    }

    #[tokio::test]
    async fn callers_do_not_queue_up_while_the_chain_is_down() {
        let cache = cache();
        cache.get(KEY, 0, 0, |_| true, |_| async { Ok(at(1, 0, 1)) }).await.unwrap();
        let graced = async || cache.get(KEY, 40_000, 30_000, |_| true, |_| async { Err(down()) }).await.unwrap().source;
        assert_eq!(graced().await, Source::Grace);
        for _ in 0..3 {
            let next = pin!(graced());
            let answer = next.poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(answer, Poll::Ready(Source::Grace), "at once, and not an eighth of a second later");
        }
    }

    #[tokio::test]
    async fn callers_that_miss_together_read_once() {
        let cache = Arc::new(cache());
        let reads = Arc::new(AtomicU32::new(0));
        let calls = (0..64).map(|_| {
            let (cache, reads) = (Arc::clone(&cache), Arc::clone(&reads));
            tokio::spawn(async move {
                let load = |_| async {
                    reads.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok(at(1, 0, 1))
                };
                cache.get(KEY, 0, 30_000, |_| true, load).await.unwrap().snapshot.value
            })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), 1);
        }
        assert_eq!(reads.load(Ordering::SeqCst), 1);
    }
}
