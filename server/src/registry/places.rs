//! Places for uploads: each may be large and is in memory while it is read and tried, so there are few, and none for all.

use crate::error::{ApiError, Code};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Uploads at a time.
pub(super) const MAX_UPLOADS: usize = 8;
/// Of one agent: it can publish two skills side by side, and leaves room for others.
const MAX_OF_AGENT: usize = 2;
/// When to come back while there is no place.
const COME_BACK: Duration = Duration::from_secs(10);

/// Who has how many places.
#[derive(Debug, Default)]
pub(super) struct Places {
    taken: Mutex<HashMap<Arc<str>, usize>>,
}

/// One place, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    agent_id: Arc<str>,
}

impl Places {
    /// A place for the agent, without waiting for it: who waits holds a connection.
    pub(super) fn take(self: &Arc<Self>, agent_id: &Arc<str>) -> Result<Place, ApiError> {
        self.with(|taken| {
            let own = taken.get(agent_id).copied().unwrap_or(0);
            if own >= MAX_OF_AGENT || taken.values().sum::<usize>() >= MAX_UPLOADS {
                return Err(none_left());
            }
            taken.insert(Arc::clone(agent_id), own + 1);
            Ok(Place { places: Arc::clone(self), agent_id: Arc::clone(agent_id) })
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Arc<str>, usize>) -> T) -> T {
        work(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.with(|taken| {
            if let Some(own) = taken.get_mut(&self.agent_id) {
                *own -= 1;
                if *own == 0 {
                    taken.remove(&self.agent_id);
                }
            }
        });
    }
}

fn none_left() -> ApiError {
    let detail = format!(
        "The server takes {MAX_UPLOADS} uploads at a time, {MAX_OF_AGENT} of one agent; send this one again later."
    );
    ApiError::new(Code::RateLimited, detail).retry_after(COME_BACK)
}
