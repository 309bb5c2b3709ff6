//! The requests that outlive their connections.

use tokio::sync::watch;

/// Counts the requests that run on their own, so that the server's end can wait for them.
#[derive(Debug, Default)]
pub struct Detached {
    running: watch::Sender<usize>,
}

/// A request that runs on its own, until dropped.
#[derive(Debug)]
pub(crate) struct Running(watch::Sender<usize>);

impl Detached {
    /// Resolves once none is running.
    pub async fn ended(&self) {
        // It fails only without a sender, and there is ours.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    /// Counts one more until the result is dropped.
    pub(crate) fn start(&self) -> Running {
        self.running.send_modify(|running| *running += 1);
        Running(self.running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}
