//! What a background worker is. Domains make them; `server/app` starts, watches, stops and drains all of them the same way.

use std::fmt;

use futures::future::BoxFuture;
use tokio::sync::watch;

/// Tells a worker that the server is stopping.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A way to stop workers, and what they listen to.
    pub fn channel() -> (watch::Sender<bool>, Stop) {
        let (stop, stopped) = watch::channel(false);
        (stop, Stop(stopped))
    }

    /// Whether the server is stopping.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when the server is stopping.
    pub async fn requested(&mut self) {
        // It fails only without a sender: then nobody is left to work for.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Work that goes on beside the requests until it is told to stop, and then finishes what it has begun.
#[must_use = "a worker that is not run does nothing"]
pub struct Worker {
    /// For logs and metrics, as `snake_case`.
    pub name: &'static str,
    /// Runs until [`Stop::requested`], then drains and returns.
    pub run: Box<dyn FnOnce(Stop) -> BoxFuture<'static, ()> + Send>,
}

impl Worker {
    /// A worker that runs `work`.
    pub fn new<F>(name: &'static str, work: impl FnOnce(Stop) -> F + Send + 'static) -> Worker
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Worker { name, run: Box::new(move |stop| Box::pin(work(stop))) }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.name)
    }
}
