//! Artifacts as files: `artifacts/ab/ab12…`. Written to a temporary file, synced, then renamed into place.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::{Artifact, ArtifactStore, PendingArtifact, StorageError};

/// What names of files begin with that are being written.
const UNFINISHED: &str = ".new-";
/// Unfinished files that nobody has touched for so long are left from a process that was killed. Another server may be
/// writing younger ones: it takes seconds.
const STALE: Duration = Duration::from_secs(3_600);

/// A folder of artifacts.
#[derive(Debug, Clone)]
pub struct DiskStore {
    root: PathBuf,
}

impl DiskStore {
    /// Opens the folder, making it when absent, and removes what killed processes left half written.
    pub fn open(root: PathBuf) -> Result<DiskStore, StorageError> {
        fs::create_dir_all(&root).map_err(classify)?;
        remove_stale(&root).map_err(classify)?;
        Ok(DiskStore { root })
    }

    fn path(&self, sha256: &[u8; 32]) -> PathBuf {
        let name = hex::encode(sha256);
        self.root.join(&name[..2]).join(name)
    }
}

#[async_trait]
impl ArtifactStore for DiskStore {
    async fn write(&self, sha256: [u8; 32], bytes: Bytes) -> Result<Box<dyn PendingArtifact>, StorageError> {
        let store = self.clone();
        blocking(move || {
            let path = store.path(&sha256);
            // A damaged copy is replaced, a good one kept.
            let file = match open_checked(&path, sha256) {
                Ok(_) => None,
                Err(_) => Some(write(&store.root, &bytes).map_err(classify)?),
            };
            Ok(Box::new(Written { root: store.root, path, file }) as Box<dyn PendingArtifact>)
        })
        .await
    }

    async fn open(&self, sha256: &[u8; 32]) -> Result<Artifact, StorageError> {
        let (path, sha256) = (self.path(sha256), *sha256);
        let (file, len) = blocking(move || open_checked(&path, sha256)).await?;
        Ok(Artifact { len, content: Box::pin(tokio::fs::File::from_std(file)) })
    }

    async fn check(&self) -> Result<(), StorageError> {
        let root = self.root.clone();
        blocking(move || new_file(&root).map(drop).map_err(classify)).await
    }
}

/// The temporary file of an artifact; none when a good copy is there already.
#[derive(Debug)]
struct Written {
    root: PathBuf,
    path: PathBuf,
    file: Option<NamedTempFile>,
}

#[async_trait]
impl PendingArtifact for Written {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let Written { root, path, file } = *self;
        let Some(file) = file else { return Ok(()) };
        blocking(move || name(&root, &path, file).map_err(classify)).await
    }
}

/// The file at its start and its length, once all of it was read and has the hash.
fn open_checked(path: &Path, sha256: [u8; 32]) -> Result<(File, u64), StorageError> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => StorageError::Missing(hex::encode(sha256)),
        _ => StorageError::Io(error),
    })?;
    let mut hasher = Sha256::new();
    let len = io::copy(&mut file, &mut hasher)?;
    if hasher.finalize().as_slice() != sha256 {
        return Err(StorageError::Damaged(hex::encode(sha256)));
    }
    file.rewind()?;
    Ok((file, len))
}

/// The temporary file removes itself unless it is renamed, so a failed write leaves nothing.
fn write(root: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = new_file(root)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn name(root: &Path, path: &Path, file: NamedTempFile) -> io::Result<()> {
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder)?;
    file.persist(path)?;
    // The rename must survive a crash too, and so must the folder, which may be new.
    File::open(folder)?.sync_all()?;
    File::open(root)?.sync_all()
}

fn new_file(root: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(root)
}

fn remove_stale(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            continue;
        }
        // It may be gone by now: servers that share the folder may start together.
        let age = entry.metadata().and_then(|file| file.modified()).map(|time| time.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

fn classify(error: io::Error) -> StorageError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => StorageError::Full,
        _ => StorageError::Io(error),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| Err(StorageError::Io(io::Error::other(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn put(store: &DiskStore) -> [u8; 32] {
        let module = Bytes::from_static(b"module");
        let sha256 = Sha256::digest(&module).into();
        store.write(sha256, module).await.unwrap().commit().await.unwrap();
        sha256
    }

    #[tokio::test]
    async fn a_damaged_copy_is_noticed_when_opened_and_replaced_when_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::open(folder.path().join("a")).unwrap();
        let hash = put(&store).await;
        fs::write(store.path(&hash), b"tampered").unwrap();
        assert!(matches!(store.open(&hash).await, Err(StorageError::Damaged(_))));
        put(&store).await;
        assert_eq!(store.open(&hash).await.unwrap().len, 6);
    }

    #[tokio::test]
    async fn what_a_killed_process_left_half_written_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (old, young) = (folder.path().join(".new-old"), folder.path().join(".new-young"));
        fs::write(&young, b"half").unwrap();
        let file = File::create(&old).unwrap();
        file.set_modified(std::time::SystemTime::now() - STALE * 2).unwrap();
        let store = DiskStore::open(folder.path().to_owned()).unwrap();
        assert!(!old.exists() && young.exists());
        store.check().await.unwrap();
        let hash = put(&store).await;
        DiskStore::open(folder.path().to_owned()).unwrap();
        assert!(store.open(&hash).await.is_ok());
    }

    #[test]
    fn a_full_disk_is_called_full() {
        let error = io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
        assert!(matches!(classify(error), StorageError::Full));
    }
}
