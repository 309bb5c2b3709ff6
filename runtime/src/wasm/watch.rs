//! How long a call may take and how long it took: its wall-clock limit and its processor time.
//!
//! Most calls end the first time they are polled. Only those that do not are worth a timer, and the system calls with
//! which a thread reads its processor time.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

use super::failure::DeadlineReached;

/// Runs a call until it ends or it is `wall` since `started`, and says what processor time it took.
///
/// That is exact from the second poll on; before, it is the time since `started`.
pub(super) async fn watched<T>(
    call: impl Future<Output = wasmtime::Result<T>>,
    started: Instant,
    wall: Duration,
) -> (wasmtime::Result<T>, Duration) {
    let mut call = pin!(call);
    let mut cpu = Duration::ZERO;
    let mut timer = None;
    let answer = poll_fn(|context| {
        let before = timer.is_some().then(thread_cpu_time);
        let polled = call.as_mut().poll(context);
        cpu += before.map_or_else(|| started.elapsed(), |before| thread_cpu_time().saturating_sub(before));
        if polled.is_ready() {
            return polled;
        }
        // A guest that computes looks at the clock itself; one that waits inside a host call cannot.
        let timer = timer.get_or_insert_with(|| Box::pin(sleep(wall.saturating_sub(started.elapsed()))));
        timer.as_mut().poll(context).map(|()| Err(DeadlineReached.into()))
    })
    .await;
    (answer, cpu)
}

fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_waits_for_ever_ends_at_its_limit() {
        let started = Instant::now();
        let (answer, cpu) =
            watched(std::future::pending::<wasmtime::Result<()>>(), started, Duration::from_millis(50)).await;
        assert!(answer.expect_err("it never ends").is::<DeadlineReached>());
        assert!(started.elapsed() >= Duration::from_millis(50));
        assert!(cpu < Duration::from_millis(50), "waiting is not computing: {cpu:?}");
    }

    #[tokio::test]
    async fn a_limit_too_long_to_be_told_is_none() {
        let (answer, _) = watched(
            async {
                tokio::task::yield_now().await;
                Ok(7)
            },
            Instant::now(),
            Duration::MAX,
        )
        .await;
        assert_eq!(answer.expect("it ends"), 7);
    }
}
