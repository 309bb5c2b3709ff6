//! Artifacts in memory, for as long as the process lives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Artifact, ArtifactStore, PendingArtifact, StorageError, checked};

type Held = HashMap<[u8; 32], Bytes>;

/// A map from hash to bytes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    held: Arc<Mutex<Held>>,
}

impl MemoryStore {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Pending {
    store: MemoryStore,
    sha256: [u8; 32],
    bytes: Bytes,
}

#[async_trait]
impl PendingArtifact for Pending {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.store.held().insert(self.sha256, self.bytes);
        Ok(())
    }
}

#[async_trait]
impl ArtifactStore for MemoryStore {
    async fn write(&self, sha256: [u8; 32], bytes: Bytes) -> Result<Box<dyn PendingArtifact>, StorageError> {
        Ok(Box::new(Pending { store: self.clone(), sha256, bytes }))
    }

    async fn open(&self, sha256: &[u8; 32]) -> Result<Artifact, StorageError> {
        let held = self.held().get(sha256).cloned();
        let bytes = held.ok_or_else(|| StorageError::Missing(hex::encode(sha256)))?;
        let len = bytes.len() as u64;
        Ok(Artifact { len, content: Box::pin(checked(std::io::Cursor::new(bytes), len, *sha256)) })
    }

    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
