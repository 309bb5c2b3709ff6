//! How many calls are under way at once. A call keeps its body until it is answered, so while the database or the chain
//! stalls their number bounds the memory they take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ExecutionError;

/// Calls under way, at most: several times the sandboxes, since most of them wait for chain or disk, and with the largest
/// bodies about half a gibibyte.
pub(crate) const MAX_CALLS: usize = 512;
/// When a caller is told to try again: most calls end within this.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The places for calls.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Semaphore>);

impl InFlight {
    /// So many places, all free.
    pub(crate) fn new(places: usize) -> InFlight {
        InFlight(Arc::new(Semaphore::new(places)))
    }

    /// Takes a place; dropped, it is free again.
    ///
    /// # Errors
    /// [`ExecutionError::TooManyCalls`] when there is none: nobody waits for one.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, ExecutionError> {
        let place = Arc::clone(&self.0).try_acquire_owned();
        place.map_err(|_| ExecutionError::TooManyCalls { retry_after: RETRY_AFTER })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_beyond_the_places_is_refused_until_one_ends() {
        let calls = InFlight::new(2);
        let (first, _second) = (calls.enter(), calls.enter());
        assert!(matches!(calls.enter(), Err(ExecutionError::TooManyCalls { .. })));
        drop(first);
        assert!(calls.enter().is_ok());
    }
}
