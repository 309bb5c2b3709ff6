//! Permits for uploads: each upload may be large and is in memory while it is read and tried, so there are few at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clawos_identity::{Caller, Scope};

use crate::limits::{MAX_OF_AGENT, MAX_UPLOADS};
use crate::{Registry, RegistryError};

/// When to try again while there is no permit.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Who has how many permits.
#[derive(Debug, Default)]
pub(crate) struct UploadPermits {
    given: Mutex<HashMap<Arc<str>, usize>>,
}

/// The right to hold one upload in memory, given back when dropped.
#[derive(Debug)]
pub struct UploadPermit {
    permits: Arc<UploadPermits>,
    agent_id: Arc<str>,
}

impl Registry {
    /// Lets the caller send something to be published. Ask before its body is read; [`Upload`](crate::Upload) keeps the
    /// permit.
    ///
    /// # Errors
    /// [`RegistryError::ScopeMissing`]; [`RegistryError::TooManyUploads`] at once, since who waits holds a connection.
    pub fn permit_upload(&self, caller: &Caller) -> Result<UploadPermit, RegistryError> {
        caller.require(Scope::Publish)?;
        self.uploads.take(&caller.agent_id).ok_or(RegistryError::TooManyUploads { retry_after: RETRY_AFTER })
    }
}

impl UploadPermits {
    fn take(self: &Arc<Self>, agent_id: &Arc<str>) -> Option<UploadPermit> {
        self.with(|given| {
            let own = given.get(agent_id).copied().unwrap_or(0);
            if own >= MAX_OF_AGENT || given.values().sum::<usize>() >= MAX_UPLOADS {
                return None;
            }
            given.insert(Arc::clone(agent_id), own + 1);
            Some(UploadPermit { permits: Arc::clone(self), agent_id: Arc::clone(agent_id) })
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Arc<str>, usize>) -> T) -> T {
        work(&mut self.given.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for UploadPermit {
    fn drop(&mut self) {
        self.permits.with(|given| {
            if let Some(own) = given.get_mut(&self.agent_id) {
                *own -= 1;
                if *own == 0 {
                    given.remove(&self.agent_id);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_few_for_one_agent_and_few_for_all_and_they_are_given_back() {
        let permits = Arc::new(UploadPermits::default());
        let agent = |number: usize| Arc::from(format!("agt_{number}"));
        let mut held: Vec<_> = (0..MAX_UPLOADS).map(|number| permits.take(&agent(number / MAX_OF_AGENT))).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(permits.take(&agent(MAX_UPLOADS)).is_none());
        held.truncate(MAX_UPLOADS - 1);
        assert!(permits.take(&agent(0)).is_none());
        assert!(permits.take(&agent(MAX_UPLOADS)).is_some());
        held.clear();
        assert!(permits.with(|given| given.is_empty()));
    }
}
