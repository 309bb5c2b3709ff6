//! When a call has to end, and how long it took: its wall-clock limit, its caller's cancellation and its processor time.
//!
//! Most calls end the first time they are polled. Only those that do not are worth a timer, and the system calls with
//! which a thread reads its processor time.

use std::{
    future::{Future, pending, poll_fn},
    pin::pin,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::failure::{Cancelled, DeadlineReached};
use crate::Invocation;

/// When a call began and when it has to end.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) started: Instant,
    /// None when it is too far in the future to be represented.
    deadline: Option<Instant>,
    cancellation: CancellationToken,
}

impl Span {
    /// A call that begins now and ends at the first of its wall-clock limit, its deadline and its cancellation.
    pub(super) fn start(invocation: &Invocation) -> Self {
        let started = Instant::now();
        let limit = started.checked_add(invocation.limits.wall);
        let deadline = limit.into_iter().chain(invocation.deadline).min();
        Self { started, deadline, cancellation: invocation.cancellation.clone() }
    }

    /// # Errors
    /// [`DeadlineReached`] or [`Cancelled`] when the call has to end.
    pub(super) fn check(&self) -> wasmtime::Result<()> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(DeadlineReached.into());
        }
        if self.cancellation.is_cancelled() {
            return Err(Cancelled.into());
        }
        Ok(())
    }

    /// Waits until the call has to end, and says why.
    async fn over(&self) -> wasmtime::Error {
        let deadline = async {
            match self.deadline {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = deadline => DeadlineReached.into(),
            () = self.cancellation.cancelled() => Cancelled.into(),
        }
    }
}

/// Runs a call until it ends or has to, and says what processor time it took.
///
/// That is exact from the second poll on; before, it is the time since the start.
pub(super) async fn watched<T>(
    call: impl Future<Output = wasmtime::Result<T>>,
    span: &Span,
) -> (wasmtime::Result<T>, Duration) {
    let mut call = pin!(call);
    let mut cpu = Duration::ZERO;
    let mut over = None;
    let answer = poll_fn(|context| {
        let before = over.is_some().then(thread_cpu_time);
        let polled = call.as_mut().poll(context);
        cpu += before.map_or_else(|| span.started.elapsed(), |before| thread_cpu_time().saturating_sub(before));
        if polled.is_ready() {
            return polled;
        }
        // A guest that computes looks at the clock itself; one that waits inside a host call cannot.
        over.get_or_insert_with(|| Box::pin(span.over())).as_mut().poll(context).map(Err)
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
    use crate::Limits;

    fn span(wall: Duration) -> (Span, Invocation) {
        let limits = Limits { wall, ..Limits::default() };
        let invocation = Invocation { limits, ..Invocation::new("run_1", "main", "") };
        (Span::start(&invocation), invocation)
    }

    #[tokio::test]
    async fn a_call_that_waits_for_ever_ends_at_its_limit() {
        let (span, _) = span(Duration::from_millis(50));
        let (answer, cpu) = watched(pending::<wasmtime::Result<()>>(), &span).await;
        assert!(answer.expect_err("it never ends").is::<DeadlineReached>());
        assert!(span.started.elapsed() >= Duration::from_millis(50));
        assert!(cpu < Duration::from_millis(50), "waiting is not computing: {cpu:?}");
    }

    #[tokio::test]
    async fn a_call_that_waits_for_ever_ends_when_it_is_cancelled() {
        let (span, invocation) = span(Duration::MAX);
        let cancelling = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            invocation.cancellation.cancel();
        };
        let ((answer, _), ()) = tokio::join!(watched(pending::<wasmtime::Result<()>>(), &span), cancelling);
        assert!(answer.expect_err("it never ends").is::<Cancelled>());
        assert!(span.check().expect_err("it is over").is::<Cancelled>());
    }

    #[test]
    fn the_callers_deadline_holds_when_it_is_earlier_than_the_limit() {
        let (_, mut invocation) = span(Duration::from_secs(60));
        assert!(Span::start(&invocation).check().is_ok());
        invocation.deadline = Some(Instant::now());
        assert!(Span::start(&invocation).check().expect_err("it is over").is::<DeadlineReached>());
    }

    #[tokio::test]
    async fn a_limit_too_long_to_be_told_is_none() {
        let (span, _) = span(Duration::MAX);
        let call = async {
            tokio::task::yield_now().await;
            Ok(7)
        };
        assert_eq!(watched(call, &span).await.0.expect("it ends"), 7);
    }
}
