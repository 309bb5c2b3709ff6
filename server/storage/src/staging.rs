//! Modules that are being checked and are not published yet: in memory, for as long as their request runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

type Held = HashMap<[u8; 32], (Bytes, usize)>;

/// The modules under check. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Staging {
    held: Arc<Mutex<Held>>,
}

/// Keeps one module in the staging area until dropped.
#[derive(Debug)]
pub struct Staged {
    area: Staging,
    sha256: [u8; 32],
}

impl Staging {
    /// Makes `bytes`, whose SHA-256 is given, loadable while the result lives. The same module may be held twice.
    pub fn hold(&self, sha256: [u8; 32], bytes: Bytes) -> Staged {
        self.with(|held| held.entry(sha256).or_insert((bytes, 0)).1 += 1);
        Staged { area: self.clone(), sha256 }
    }

    /// A module under check.
    pub(super) fn get(&self, sha256: &[u8; 32]) -> Option<Bytes> {
        self.with(|held| held.get(sha256).map(|(bytes, _)| bytes.clone()))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Held) -> T) -> T {
        work(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.area.with(|held| {
            if let Some((_, holders)) = held.get_mut(&self.sha256) {
                *holders -= 1;
                if *holders == 0 {
                    held.remove(&self.sha256);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_there_as_long_as_anyone_holds_it() {
        let area = Staging::default();
        let first = area.hold([1; 32], Bytes::from_static(b"m"));
        let second = area.hold([1; 32], Bytes::from_static(b"m"));
        drop(first);
        assert!(area.get(&[1; 32]).is_some());
        drop(second);
        assert!(area.get(&[1; 32]).is_none());
    }
}
