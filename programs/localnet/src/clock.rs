//! Time on the chain: which slot it is now, and the blockhash of each slot.
//!
//! Both are functions of the wall clock, the genesis hash and what was set ([`Timeline`]), so nothing has to be written for time
//! to go on across a restart: a localnet that was down for a minute comes back a minute of slots later, and a blockhash handed out before
//! a quick restart is still good after it.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use solana_hash::Hash;

use crate::pace::Timeline;

/// A transaction's blockhash may be at most this many slots old, as on every Solana cluster.
pub(crate) const MAX_BLOCKHASH_AGE: u64 = 150;
/// Slots kept in the SlotHashes sysvar, as on every Solana cluster.
const SLOT_HASHES: usize = 512;
/// The chain's clock. It never goes back, whatever the wall clock does.
pub(crate) struct SlotClock {
    genesis: Hash,
    timeline: Timeline,
    slot: u64,
    unix_timestamp: i64,
    /// Blockhashes of the newest slots, newest first.
    recent: VecDeque<(u64, Hash)>,
}

impl SlotClock {
    /// A clock that is at least at `slot` and `unix_timestamp`, the newest the ledger knows.
    pub(crate) fn new(genesis: Hash, timeline: Timeline, slot: u64, unix_timestamp: i64) -> Self {
        let mut clock = Self { genesis, timeline, slot, unix_timestamp, recent: VecDeque::with_capacity(SLOT_HASHES) };
        clock.refill();
        clock
    }

    /// Moves to `now_ms`; true when a new slot has begun.
    pub(crate) fn advance(&mut self, now_ms: u64) -> bool {
        let pace = self.timeline.pace();
        let seconds = i64::try_from((now_ms / 1000).saturating_add(pace.ahead_secs)).unwrap_or(i64::MAX);
        self.unix_timestamp = self.unix_timestamp.max(seconds);
        let slot = pace.slot_at(now_ms);
        let moved = slot > self.slot;
        if moved {
            self.slot = slot;
            self.refill();
        }
        moved
    }

    fn refill(&mut self) {
        let oldest = self.slot.saturating_sub(SLOT_HASHES as u64 - 1);
        let first = self.recent.front().map_or(oldest, |(slot, _)| (slot + 1).max(oldest));
        for slot in first..=self.slot {
            self.recent.push_front((slot, blockhash(&self.genesis, slot)));
        }
        self.recent.truncate(SLOT_HASHES);
    }

    /// The current slot, which is also the block height: no slot is skipped.
    pub(crate) fn slot(&self) -> u64 {
        self.slot
    }

    /// Seconds since 1970, as programs see them.
    pub(crate) fn unix_timestamp(&self) -> i64 {
        self.unix_timestamp
    }

    /// The blockhash of the current slot.
    pub(crate) fn latest(&self) -> Hash {
        self.hash_of(self.slot)
    }

    /// The blockhash of a slot.
    pub(crate) fn hash_of(&self, slot: u64) -> Hash {
        blockhash(&self.genesis, slot)
    }

    /// What the slots follow, and followed.
    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// About when a slot began, in seconds since 1970: never later than now.
    pub(crate) fn time_of(&self, slot: u64) -> i64 {
        self.timeline.time_of(slot).min(self.unix_timestamp)
    }

    /// The newest slots and their hashes, newest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &(u64, Hash)> {
        self.recent.iter()
    }

    /// Whether a transaction with this blockhash may run in `slot`, which is the current one or a recent one.
    pub(crate) fn is_valid(&self, hash: &Hash, slot: u64) -> bool {
        self.valid(slot).any(|valid| valid == hash)
    }

    /// Every blockhash that a transaction may use in `slot`, newest first.
    pub(crate) fn valid(&self, slot: u64) -> impl Iterator<Item = &Hash> {
        let oldest = slot.saturating_sub(MAX_BLOCKHASH_AGE);
        let known = self.recent.iter().skip_while(move |(known, _)| *known > slot);
        known.take_while(move |(known, _)| *known >= oldest).map(|(_, hash)| hash)
    }
}

fn blockhash(genesis: &Hash, slot: u64) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(b"clawos/localnet/blockhash");
    hasher.update(genesis.as_ref());
    hasher.update(slot.to_le_bytes());
    Hash::new_from_array(hasher.finalize().into())
}

/// The wall clock in Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Pace;

    const PACE: Pace = Pace { at_ms: 1_000_000, at_slot: 7, slot_ms: 400, ahead_secs: 0 };

    fn clock() -> SlotClock {
        SlotClock::new(Hash::new_from_array([9; 32]), Timeline::new(PACE), 7, 1_000)
    }

    #[test]
    fn slots_follow_the_wall_clock_and_never_go_back() {
        let mut clock = clock();
        assert!(!clock.advance(1_000_399));
        assert!(clock.advance(1_000_400));
        assert_eq!(clock.slot(), 8);
        assert!(clock.advance(1_004_000));
        assert_eq!(clock.slot(), 17);
        assert!(!clock.advance(500), "the wall clock was set back");
        assert_eq!((clock.slot(), clock.unix_timestamp()), (17, 1_004));
    }

    #[test]
    fn a_blockhash_expires_after_150_slots() {
        let mut clock = clock();
        let hash = clock.latest();
        clock.advance(1_000_000 + 150 * 400);
        assert!(clock.is_valid(&hash, clock.slot()));
        clock.advance(1_000_000 + 151 * 400);
        assert!(!clock.is_valid(&hash, clock.slot()) && clock.is_valid(&hash, clock.slot() - 1));
        assert!(!clock.is_valid(&clock.latest(), clock.slot() - 1), "it is of a later slot");
        assert!(!clock.is_valid(&Hash::default(), clock.slot()));
    }

    #[test]
    fn a_long_pause_keeps_the_newest_hashes_only() {
        let mut clock = clock();
        clock.advance(1_000_000 + 1_000_000 * 400);
        assert_eq!(clock.slot(), 1_000_007);
        assert_eq!(clock.recent().count(), SLOT_HASHES);
        assert_eq!(clock.recent().next().map(|(slot, _)| *slot), Some(1_000_007));
        assert_eq!(clock.valid(1_000_007).count() as u64, MAX_BLOCKHASH_AGE + 1);
    }

    #[test]
    fn a_slot_has_a_time_that_is_not_in_the_future() {
        let mut clock = clock();
        clock.advance(1_020_000);
        assert_eq!((clock.time_of(7), clock.time_of(17), clock.time_of(2)), (1_000, 1_004, 998));
        assert_eq!(clock.time_of(1_000_000), 1_020);
    }

    #[test]
    fn the_time_can_be_ahead_of_the_wall_clock_and_slots_stay() {
        let mut timeline = Timeline::new(PACE);
        timeline.change(PACE.advanced(1_002_000, 3_600));
        let mut clock = SlotClock::new(Hash::new_from_array([9; 32]), timeline, 12, 4_602);
        clock.advance(1_004_000);
        assert_eq!((clock.slot(), clock.unix_timestamp()), (17, 4_604));
        assert_eq!([11, 12, 17, 18].map(|slot| clock.time_of(slot)), [1_001, 4_602, 4_604, 4_604]);
    }

    #[test]
    fn the_same_ledger_gives_the_same_hashes_after_a_restart() {
        let mut before = clock();
        before.advance(1_020_000);
        let mut after = clock();
        after.advance(1_030_000);
        assert!(after.is_valid(&before.latest(), after.slot()));
    }
}
