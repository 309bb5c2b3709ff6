//! How slots and the chain's Unix time follow the wall clock, now and at every slot before.

/// How far the chain's Unix time can be ahead of the wall clock, in seconds: ten years.
pub(crate) const MAX_AHEAD_SECS: u64 = 10 * 366 * 86_400;
/// Former paces that are kept: slots from before all of them are told as if they had had the oldest.
const MAX_FORMER: usize = 1_000;

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
    /// The slot that it is at `now_ms`.
    pub(crate) fn slot_at(&self, now_ms: u64) -> u64 {
        let elapsed = now_ms.saturating_sub(self.at_ms);
        self.at_slot.saturating_add(elapsed / self.slot_ms.max(1))
    }

    /// The same time line continued at another speed from `now_ms` on.
    pub(crate) fn continued(&self, now_ms: u64, slot_ms: u64) -> Self {
        Self { at_ms: now_ms, at_slot: self.slot_at(now_ms), slot_ms, ..*self }
    }

    /// The same slots, with the chain's Unix time so many seconds further ahead from the slot of `now_ms` on.
    pub(crate) fn advanced(&self, now_ms: u64, secs: u64) -> Self {
        let at_slot = self.slot_at(now_ms);
        let at_ms = self.at_ms.saturating_add((at_slot - self.at_slot).saturating_mul(self.slot_ms));
        Self { at_ms, at_slot, ahead_secs: self.ahead_secs.saturating_add(secs), ..*self }
    }

    /// The chain's Unix time at the beginning of a slot, in seconds.
    fn time_of(&self, slot: u64) -> i64 {
        let slots = i128::from(slot) - i128::from(self.at_slot);
        let milliseconds = i128::from(self.at_ms) + slots * i128::from(self.slot_ms);
        let seconds = milliseconds.div_euclid(1_000) + i128::from(self.ahead_secs);
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }
}

/// The pace of a chain and those it had before, each from its `at_slot` on.
#[derive(Clone, Debug, PartialEq, Eq, wincode::SchemaRead, wincode::SchemaWrite)]
pub(crate) struct Timeline {
    /// Oldest first.
    former: Vec<Pace>,
    pace: Pace,
}

impl Timeline {
    /// A chain that always had this pace.
    pub(crate) fn new(pace: Pace) -> Self {
        Self { former: Vec::new(), pace }
    }

    /// The pace now.
    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Another pace from its `at_slot` on.
    pub(crate) fn change(&mut self, pace: Pace) {
        if pace.at_slot > self.pace.at_slot {
            self.former.push(self.pace);
        }
        if self.former.len() > MAX_FORMER {
            self.former.remove(0);
        }
        self.pace = pace;
    }

    /// About when a slot began by the chain's Unix time, in seconds: by the pace that it then had.
    pub(crate) fn time_of(&self, slot: u64) -> i64 {
        let mut paces = self.former.iter().chain([&self.pace]).rev();
        let then = paces.find(|pace| pace.at_slot <= slot);
        then.or(self.former.first()).unwrap_or(&self.pace).time_of(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { at_ms: 1_000_000, at_slot: 7, slot_ms: 400, ahead_secs: 0 };

    #[test]
    fn another_speed_continues_from_the_same_slot() {
        let slower = PACE.continued(1_004_000, 1_000);
        assert_eq!(slower.slot_at(1_004_999), 17);
        assert_eq!(slower.slot_at(1_006_000), 19);
    }

    #[test]
    fn an_advanced_time_leaves_the_slots_as_they_are() {
        let advanced = PACE.advanced(1_004_399, 3_600);
        assert_eq!(advanced, Pace { at_ms: 1_004_000, at_slot: 17, slot_ms: 400, ahead_secs: 3_600 });
        for now in [1_004_399, 1_004_400, 1_020_000] {
            assert_eq!(advanced.slot_at(now), PACE.slot_at(now));
        }
        assert_eq!(PACE.advanced(999_000, 5).at_slot, 7, "the wall clock was set back");
    }

    #[test]
    fn slots_keep_the_time_they_had_when_the_pace_changes() {
        let mut timeline = Timeline::new(PACE);
        timeline.change(PACE.advanced(1_004_000, 3_600));
        timeline.change(timeline.pace().advanced(1_004_100, 400));
        timeline.change(timeline.pace().continued(1_008_000, 1_000));
        let told = [2, 7, 16, 17, 26, 27, 29].map(|slot| timeline.time_of(slot));
        assert_eq!(told, [998, 1_000, 1_003, 5_004, 5_007, 5_008, 5_010]);
    }

    #[test]
    fn the_oldest_paces_are_forgotten() {
        let mut timeline = Timeline::new(PACE);
        for n in 1..=2 * MAX_FORMER as u64 {
            timeline.change(PACE.advanced(1_000_000 + n * 400, n));
        }
        assert_eq!(timeline.former.len(), MAX_FORMER);
        assert_eq!(timeline.time_of(7 + 1_500), 1_000 + 600 + 1_500);
        assert_eq!(timeline.time_of(7), 1_000 + 1_000, "the oldest that is kept was 1,000 seconds ahead");
    }
}
