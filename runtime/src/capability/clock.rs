//! The clock of one call, derived from its receipt so that a replay reads the same times.
//!
//! The wall clock stands still at the call's time. The monotonic clock starts at 0, moves by 1 µs at each read, and
//! sleeping moves it at once to the moment slept for: a guest that sleeps an hour takes no time at all.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard},
    task::Poll,
};

/// How far one read moves the monotonic clock, in nanoseconds.
pub(crate) const STEP_NS: u64 = 1_000;

/// One call's clock. Clones share it: a guest may hold several timers.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    wall_ms: u64,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    now_ns: u64,
    /// The moments that somebody waits for now, and how many do.
    sleepers: BTreeMap<u64, usize>,
}

impl Clock {
    /// A clock of a call at `wall_ms` (Unix milliseconds).
    pub(crate) fn new(wall_ms: u64) -> Self {
        Self { wall_ms, state: Arc::default() }
    }

    /// The wall clock, in Unix milliseconds.
    pub(crate) fn wall_ms(&self) -> u64 {
        self.wall_ms
    }

    /// Reads the monotonic clock, in nanoseconds, and moves it a step.
    pub(crate) fn read_ns(&self) -> u64 {
        let mut state = self.state();
        let now = state.now_ns;
        state.now_ns = now.saturating_add(STEP_NS);
        now
    }

    /// Waits until the monotonic clock has reached `deadline_ns`.
    ///
    /// When everything else that the guest waits for has been asked once and is not ready, the clock jumps to the
    /// earliest deadline waited for. So of two timers waited for together the earlier one fires, as with real time.
    ///
    /// Nothing that a guest can wait for beside a timer does real I/O: capabilities are host functions that return when
    /// they are done, and the clock stands still meanwhile. A pollable over real I/O would lose against every timer here.
    pub(crate) async fn sleep_until(&self, deadline_ns: u64) {
        if self.read_ns() >= deadline_ns {
            return;
        }
        let sleeper = Sleeper::new(self, deadline_ns);
        let mut asked_others = false;
        poll_fn(|context| {
            if std::mem::replace(&mut asked_others, true) && sleeper.jump() {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while holding this lock")
    }
}

/// Somebody who waits; forgotten when dropped.
struct Sleeper<'a> {
    clock: &'a Clock,
    deadline_ns: u64,
}

impl<'a> Sleeper<'a> {
    fn new(clock: &'a Clock, deadline_ns: u64) -> Self {
        *clock.state().sleepers.entry(deadline_ns).or_default() += 1;
        Self { clock, deadline_ns }
    }

    /// Moves the clock to the earliest moment waited for. True when that ends this wait.
    fn jump(&self) -> bool {
        let mut state = self.clock.state();
        let earliest = state.sleepers.first_key_value().map_or(self.deadline_ns, |(moment, _)| *moment);
        state.now_ns = state.now_ns.max(earliest);
        state.now_ns >= self.deadline_ns
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        if let Some(count) = state.sleepers.get_mut(&self.deadline_ns) {
            *count -= 1;
            if *count == 0 {
                state.sleepers.remove(&self.deadline_ns);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_NS: u64 = 3_600_000_000_000;

    #[test]
    fn wall_time_stands_still_and_monotonic_time_moves_by_a_microsecond_a_read() {
        let clock = Clock::new(1_700_000_000_000);
        assert_eq!([clock.read_ns(), clock.read_ns(), clock.read_ns()], [0, 1_000, 2_000]);
        assert_eq!(clock.wall_ms(), 1_700_000_000_000);
    }

    #[tokio::test]
    async fn sleeping_an_hour_is_over_at_once() {
        let clock = Clock::new(0);
        let mut sleeping = Box::pin(clock.sleep_until(HOUR_NS));
        assert!(futures::poll!(&mut sleeping).is_pending(), "everything else is asked first");
        assert!(futures::poll!(&mut sleeping).is_ready());
        assert_eq!(clock.read_ns(), HOUR_NS);
    }

    #[tokio::test]
    async fn of_two_timers_the_earlier_one_fires() {
        let clock = Clock::new(0);
        futures::select_biased! {
            () = futures::FutureExt::fuse(Box::pin(clock.sleep_until(2 * HOUR_NS))) => panic!("the later timer fired"),
            () = futures::FutureExt::fuse(Box::pin(clock.sleep_until(HOUR_NS))) => {}
        }
        assert_eq!(clock.read_ns(), HOUR_NS);
        assert!(clock.state().sleepers.is_empty(), "a cancelled sleeper is forgotten");
    }
}
