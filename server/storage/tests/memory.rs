//! A large artifact is never wholly in memory. Alone in its process, whose peak it reads.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs::{self, File};
use std::io::Write;

use clawos_storage::{ArtifactStore, DiskStore};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

const PIECE: usize = 64 * 1024;
/// 32 MiB, as large as a module may be.
const PIECES: usize = 512;
/// What reading may add to the process's peak (KiB): a quarter of the artifact.
const MAX_GROWTH_KIB: u64 = 8 * 1024;

/// The most memory this process ever had (KiB).
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn piece(number: usize) -> Vec<u8> {
    (0..PIECE).map(|index| (index.wrapping_mul(number + 1) >> 3) as u8).collect()
}

#[tokio::test]
async fn a_large_artifact_is_read_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open(folder.path().to_owned()).unwrap();
    let mut hasher = Sha256::new();
    (0..PIECES).for_each(|number| hasher.update(piece(number)));
    let name: [u8; 32] = hasher.finalize().into();
    let text = hex::encode(name);
    fs::create_dir(folder.path().join(&text[..2])).unwrap();
    let mut file = File::create(folder.path().join(&text[..2]).join(&text)).unwrap();
    (0..PIECES).for_each(|number| file.write_all(&piece(number)).unwrap());

    let before = peak_kib();
    let mut artifact = store.open(&name).await.unwrap();
    assert_eq!(artifact.len, (PIECE * PIECES) as u64);
    let (mut buffer, mut hasher, mut total) = (vec![0; PIECE], Sha256::new(), 0);
    loop {
        let count = artifact.content.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        total += count;
    }
    assert_eq!((total, <[u8; 32]>::from(hasher.finalize())), (PIECE * PIECES, name));
    let growth = peak_kib() - before;
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
}
