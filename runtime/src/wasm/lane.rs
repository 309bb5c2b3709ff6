//! On which threads a call runs, so that guests who compute for long keep nobody else waiting.
//!
//! A call starts on its caller's thread: most end there, within one tick, and pay for no hand-over. One that still
//! computes at its first tick moves to threads of this sandbox's own, of lower priority, where such calls take turns.

use std::{
    future::{Future, poll_fn},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinError, JoinHandle},
};

/// How much the slow threads step back: those of the host get about three times their share when both want to run.
const STEP_BACK: i32 = 5;

/// Says that a call has been computing for a whole tick.
#[derive(Clone, Debug, Default)]
pub(super) struct LongCall(Arc<AtomicBool>);

impl LongCall {
    pub(super) fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The threads of long calls.
pub(super) struct SlowLane(Option<Runtime>);

impl SlowLane {
    /// Starts as many threads as there are processors.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("clawos-guests")
            .on_thread_start(|| {
                if let Err(error) = rustix::process::nice(STEP_BACK) {
                    tracing::warn!(%error, "guests run at the host's own priority");
                }
            })
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `call` here, and elsewhere from the moment on that it marks itself as long.
    ///
    /// When the returned future is dropped, so is the call, at its next tick at the latest.
    pub(super) async fn run<F>(&self, call: F, long: &LongCall) -> Result<F::Output, JoinError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut call = Box::pin(call);
        let short = poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if long.is_marked() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        if let Some(output) = short.await {
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
