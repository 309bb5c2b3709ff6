//! How many calls are under way at once. A call keeps its body until it is answered, so while the database or the chain
//! stalls their number bounds the memory they take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{ApiError, Code};

/// Calls under way, at most: several times the sandboxes, since most of them wait for chain or disk, and with the largest
/// bodies about half a gibibyte.
pub(super) const MAX_CALLS: usize = 512;
/// When a caller is told to come back: most calls end within this.
const COME_BACK: Duration = Duration::from_secs(1);

/// The places for calls.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Semaphore>);

impl InFlight {
    /// So many places, all free.
    pub(super) fn new(places: usize) -> InFlight {
        InFlight(Arc::new(Semaphore::new(places)))
    }

    /// Takes a place; dropped, it is free again.
    ///
    /// # Errors
    /// `sandbox_busy` when there is none: nobody waits for one.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            let detail = "Too many calls are under way; nothing ran. Try again after Retry-After.";
            ApiError::new(Code::SandboxBusy, detail).retry_after(COME_BACK)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_beyond_the_places_is_refused_until_one_ends() {
        let calls = InFlight::new(2);
        let (first, _second) = (calls.enter(), calls.enter());
        assert_eq!(calls.enter().map_err(|error| error.code()).err(), Some(Code::SandboxBusy));
        drop(first);
        assert!(calls.enter().is_ok());
    }
}
