//! Artifacts by content hash. A name is a SHA-256, so what is stored never changes and is checked when it is read.
//!
//! [`ArtifactStore`] is the port; [`DiskStore`] keeps files, [`MemoryStore`] keeps them for a process's life. Bytes come as a
//! stream, since an image may have 256 MiB and a store may be across a network.

mod checked;
mod disk;
mod memory;
mod modules;
mod staging;

pub use checked::checked;
pub use disk::DiskStore;
pub use memory::MemoryStore;
pub use modules::StoredModules;
pub use staging::{Staged, Staging};

use std::pin::Pin;
use std::{fmt, io};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncRead;

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

/// An artifact that is being read.
pub struct Artifact {
    /// Its length (bytes).
    pub len: u64,
    /// Its bytes, from the first. Where the store did not check them when it was opened, they end with an error
    /// ([`io::ErrorKind::InvalidData`]) before the last of them is given out when they do not have the artifact's hash.
    pub content: Pin<Box<dyn AsyncRead + Send>>,
}

impl fmt::Debug for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifact").field("len", &self.len).finish_non_exhaustive()
    }
}

/// An artifact that is written and cannot be found yet. Dropped, it is gone.
#[async_trait]
pub trait PendingArtifact: Send + fmt::Debug {
    /// Makes it findable by its SHA-256. After `Ok` it is there after a crash, too.
    ///
    /// # Errors
    /// [`StorageError`]; it is then not stored.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
}

/// Where artifacts are kept.
#[async_trait]
pub trait ArtifactStore: Send + Sync + fmt::Debug {
    /// Writes `bytes` where they survive a crash, without a name yet: the slow part of storing them. `sha256` is theirs by
    /// the caller's word: hashing them again would help nobody, since whatever is read is checked.
    ///
    /// # Errors
    /// [`StorageError::Full`], [`StorageError::Io`].
    async fn write(&self, sha256: [u8; 32], bytes: Bytes) -> Result<Box<dyn PendingArtifact>, StorageError>;

    /// The bytes with this SHA-256, as a stream that checks them.
    ///
    /// # Errors
    /// [`StorageError::Missing`]; [`StorageError::Damaged`] where the store can tell before it sends.
    async fn open(&self, sha256: &[u8; 32]) -> Result<Artifact, StorageError>;

    /// Whether it can be written to.
    ///
    /// # Errors
    /// Why not.
    async fn check(&self) -> Result<(), StorageError>;
}
