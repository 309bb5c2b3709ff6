//! Gives the sandbox its modules: published ones from the store, others from the staging area.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use clawos_runtime::{ModuleFile, ModuleRef, ModuleSource};

use crate::{ArtifactStore, Staging, StorageError};

/// The modules that this server knows.
#[derive(Debug)]
pub struct StoredModules {
    /// Published modules.
    pub store: Arc<dyn ArtifactStore>,
    /// Modules under check.
    pub staging: Staging,
}

#[async_trait]
impl ModuleSource for StoredModules {
    async fn open(&self, module: &ModuleRef) -> io::Result<ModuleFile> {
        if let Some(bytes) = self.staging.get(&module.sha256) {
            return Ok(bytes.into());
        }
        let artifact = self.store.open(&module.sha256).await.map_err(|error| match error {
            StorageError::Missing(_) => io::Error::new(io::ErrorKind::NotFound, error),
            other => io::Error::other(other),
        })?;
        Ok(ModuleFile { length: artifact.len, content: artifact.content })
    }
}
