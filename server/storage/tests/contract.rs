//! What every artifact store must do: one story, told to each of them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io;

use bytes::Bytes;
use clawos_storage::{ArtifactStore, DiskStore, MemoryStore, StorageError};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

/// Larger than any piece a stream gives at once.
const LENGTH: usize = 5 * 1024 * 1024 + 7;

fn content() -> Bytes {
    (0..LENGTH).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// What arrives of an artifact, and how its stream ends.
async fn read(store: &dyn ArtifactStore, sha256: &[u8; 32]) -> (Vec<u8>, io::Result<()>) {
    let mut artifact = store.open(sha256).await.unwrap();
    let mut bytes = Vec::new();
    let end = artifact.content.read_to_end(&mut bytes).await.map(drop);
    (bytes, end)
}

async fn keeps_the_contract(store: &dyn ArtifactStore) {
    store.check().await.unwrap();
    let (content, name) = (content(), sha256(&content()));
    assert!(matches!(store.open(&name).await, Err(StorageError::Missing(text)) if text == hex::encode(name)));

    // Written, it cannot be found; dropped, it is gone.
    let pending = store.write(name, content.clone()).await.unwrap();
    assert!(matches!(store.open(&name).await, Err(StorageError::Missing(_))));
    drop(pending);
    assert!(matches!(store.open(&name).await, Err(StorageError::Missing(_))));

    // Committed, it is a stream of exactly its bytes; so it is when it is stored again.
    for _ in 0..2 {
        store.write(name, content.clone()).await.unwrap().commit().await.unwrap();
        assert_eq!(store.open(&name).await.unwrap().len, LENGTH as u64);
        let (bytes, end) = read(store, &name).await;
        end.unwrap();
        assert!(bytes == content);
    }

    // Content that does not have its hash never arrives whole.
    let mut damaged = content.to_vec();
    damaged[LENGTH / 2] ^= 1;
    let other = sha256(b"what it should have been");
    store.write(other, damaged.into()).await.unwrap().commit().await.unwrap();
    match store.open(&other).await {
        Err(error) => assert!(matches!(error, StorageError::Damaged(_)), "{error}"),
        Ok(_) => {
            let (bytes, end) = read(store, &other).await;
            assert_eq!(end.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!(bytes.len() < LENGTH);
        }
    }
}

#[tokio::test]
async fn a_disk_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("artifacts");
    keeps_the_contract(&DiskStore::open(root.clone()).unwrap()).await;
    // Nothing but the two artifacts is left, each in the folder of its first byte.
    let files = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    assert!(files.into_iter().all(|path| path.is_dir()));
}

#[tokio::test]
async fn a_memory_store_keeps_the_contract() {
    keeps_the_contract(&MemoryStore::default()).await;
}
