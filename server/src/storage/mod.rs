//! Artifacts by content hash. A name is a SHA-256, so what is stored never changes and is checked when it is read.

mod disk;
pub(crate) mod secret_file;
mod staging;

pub use disk::DiskStore;
pub use staging::{Staged, Staging};

use async_trait::async_trait;
use bytes::Bytes;
use clawos_runtime::{ModuleFile, ModuleRef, ModuleSource};
use std::io;
use std::sync::Arc;
use tokio::fs::File;

/// Something went wrong with an artifact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No room; nothing was stored.
    #[error("no room left for artifacts; free some or enlarge the volume")]
    Full,
    /// There is no such artifact.
    #[error("no artifact {0}; servers that share a database must also share one folder of --artifacts")]
    Missing(String),
    /// The bytes are not those of its name: the disk or somebody changed them.
    #[error("artifact {0} is damaged: its bytes do not have its hash")]
    Damaged(String),
    /// The device failed.
    #[error("artifact storage failed: {0}")]
    Io(#[from] io::Error),
}

/// An artifact that is written and not to be found yet. Dropped, it is gone.
#[async_trait]
pub trait Unnamed: Send + std::fmt::Debug {
    /// Names it after its SHA-256. After `Ok` it is there after a crash, too.
    async fn keep(self: Box<Self>) -> Result<(), StorageError>;
}

/// Where artifacts are kept.
#[async_trait]
pub trait ArtifactStore: Send + Sync + std::fmt::Debug {
    /// Writes `bytes` where they survive a crash, without a name yet: the slow part of storing them.
    async fn write(&self, bytes: Bytes) -> Result<Box<dyn Unnamed>, StorageError>;

    /// The bytes with this SHA-256, checked.
    async fn get(&self, sha256: &[u8; 32]) -> Result<Bytes, StorageError>;

    /// The file with these bytes, checked, at its start: for those who pass it on a piece at a time.
    async fn open(&self, sha256: &[u8; 32]) -> Result<File, StorageError>;

    /// Whether it can be written to.
    async fn check(&self) -> Result<(), StorageError>;
}

impl From<StorageError> for crate::error::ApiError {
    fn from(error: StorageError) -> Self {
        use crate::error::{ApiError, Code};
        match error {
            StorageError::Full => {
                ApiError::new(Code::StorageFull, "The server has no room left; nothing was stored.").caused_by(error)
            }
            other => ApiError::internal(other),
        }
    }
}

/// Gives the sandbox its modules: published ones from the store, others from the staging area.
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
        let opened = self.store.open(&module.sha256).await;
        ModuleFile::on_disk(opened.map_err(|error| match error {
            StorageError::Missing(_) => io::Error::new(io::ErrorKind::NotFound, error),
            other => io::Error::other(other),
        })?)
        .await
    }
}
