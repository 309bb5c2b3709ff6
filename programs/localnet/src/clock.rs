//! Time on the chain: which slot it is now, and the blockhash of each slot.
//!
//! Both are functions of the wall clock, the genesis hash and what was set ([`Pace`]), so nothing has to be written for time
//! to go on across a restart: a localnet that was down for a minute comes back a minute of slots later, and a blockhash handed out before
//! a quick restart is still good after it.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use solana_hash::Hash;

/// A transaction's blockhash may be at most this many slots old, as on every Solana cluster.
pub(crate) const MAX_BLOCKHASH_AGE: u64 = 150;
/// Slots kept in the SlotHashes sysvar, as on every Solana cluster.
const SLOT_HASHES: usize = 512;
/// How far the chain's Unix time can be ahead of the wall clock, in seconds: ten years.
pub(crate) const MAX_AHEAD_SECS: u64 = 10 * 366 * 86_400;

/// The line through (`at_ms`, `at_slot`) with `slot_ms` per slot, and the chain's Unix time beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, wincode::SchemaRead, wincode::SchemaWrite)]
pub(crate) struct Pace {
    /// Unix milliseconds at which `at_slot` began.
    pub(crate) at_ms: u64,
    /// The slot that began then.
    pub(crate) at_slot: u64,
    /// Milliseconds per slot.
    pub(crate) slot_ms: u64,
    /// Seconds by which the chain's Unix time is ahead of the wall clock's, at most [`MAX_AHEAD_SECS`].
    pub(crate) ahead_secs: u64,
}

impl Pace {
    fn slot_at(&self, now_ms: u64) -> u64 {
        let elapsed = now_ms.saturating_sub(self.at_ms);
        self.at_slot.saturating_add(elapsed / self.slot_ms.max(1))
    }

    /// The same time line continued at another speed from `now_ms` on.
    pub(crate) fn continued(&self, now_ms: u64, slot_ms: u64) -> Self {
        Self { at_ms: now_ms, at_slot: self.slot_at(now_ms), slot_ms, ..*self }
    }
}

/// The chain's clock. It never goes back, whatever the wall clock does.
pub(crate) struct SlotClock {
    genesis: Hash,
    pace: Pace,
    slot: u64,
    unix_timestamp: i64,
    /// Blockhashes of the newest slots, newest first.
    recent: VecDeque<(u64, Hash)>,
}

impl SlotClock {
    /// A clock that is at least at `slot` and `unix_timestamp`, the newest the ledger knows.
    pub(crate) fn new(genesis: Hash, pace: Pace, slot: u64, unix_timestamp: i64) -> Self {
        let mut clock = Self { genesis, pace, slot, unix_timestamp, recent: VecDeque::with_capacity(SLOT_HASHES) };
        clock.refill();
        clock
    }

    /// Moves to `now_ms`; true when a new slot has begun.
    pub(crate) fn advance(&mut self, now_ms: u64) -> bool {
        let seconds = i64::try_from((now_ms / 1000).saturating_add(self.pace.ahead_secs)).unwrap_or(i64::MAX);
        self.unix_timestamp = self.unix_timestamp.max(seconds);
        let slot = self.pace.slot_at(now_ms);
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

    /// About when a slot began by the wall clock, in seconds since 1970: as if slots had always had their present length.
    pub(crate) fn time_of(&self, slot: u64) -> i64 {
        let milliseconds = i128::from(self.pace.at_ms)
            + (i128::from(slot) - i128::from(self.pace.at_slot)) * i128::from(self.pace.slot_ms);
        i64::try_from(milliseconds.div_euclid(1000)).unwrap_or(i64::MAX).min(self.unix_timestamp)
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

    const PACE: Pace = Pace { at_ms: 1_000_000, at_slot: 7, slot_ms: 400, ahead_secs: 0 };

    fn clock() -> SlotClock {
        SlotClock::new(Hash::new_from_array([9; 32]), PACE, 7, 1_000)
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
        let pace = Pace { ahead_secs: 3_600, ..PACE };
        let mut clock = SlotClock::new(Hash::new_from_array([9; 32]), pace, 7, 1_000);
        clock.advance(1_004_000);
        assert_eq!((clock.slot(), clock.unix_timestamp()), (17, 4_604));
        assert_eq!(pace.continued(1_004_000, 10).ahead_secs, 3_600);
    }

    #[test]
    fn another_speed_continues_from_the_same_slot() {
        let slower = PACE.continued(1_004_000, 1_000);
        assert_eq!(slower.slot_at(1_004_999), 17);
        assert_eq!(slower.slot_at(1_006_000), 19);
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
