//! On which threads a call runs, so that guests who compute for long keep nobody else waiting.
//!
//! A call starts on its caller's thread: most end there, the first time they are polled, and pay for no hand-over. One
//! that gives way, because it has computed for a whole tick or waits for something, moves to threads of this sandbox's
//! own, of lower priority, where such calls take turns.

use std::{
    future::{Future, poll_fn},
    io,
    task::Poll,
};

use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinError, JoinHandle},
};

/// Niceness of these threads: those of the host get about three times their share when both want to run.
const NICENESS: i32 = 5;

/// The threads of long calls.
pub(super) struct SlowLane(Option<Runtime>);

impl SlowLane {
    /// Starts as many threads as there are processors. They have I/O and timers: capabilities are used there.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("clawos-guests")
            .enable_all()
            .on_thread_start(|| {
                if let Err(error) = rustix::process::nice(NICENESS) {
                    tracing::warn!(%error, "guests run at the host's own priority");
                }
            })
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `call` here until it gives way for the first time, and elsewhere from then on.
    ///
    /// When the returned future is dropped, so is the call, at its next tick at the latest.
    pub(super) async fn run<F>(&self, call: F) -> Result<F::Output, JoinError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut call = Box::pin(call);
        if let Poll::Ready(output) = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
            return Ok(output);
        }
        let runtime = self.0.as_ref().expect("only dropping takes it");
        AbortOnDrop(runtime.spawn(call)).join().await
    }
}

impl Drop for SlowLane {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for the threads is not allowed inside another runtime, and not needed.
            runtime.shutdown_background();
        }
    }
}

/// A task that ends when nobody waits for it any more.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    async fn join(mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
