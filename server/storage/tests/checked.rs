//! The stream that checks what it passes on, for stores that cannot check before they send.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io;

use clawos_storage::checked;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

/// What arrives of `sent` when `len` bytes with `sha256` are promised, read in pieces.
fn read(sent: &[u8], len: u64, sha256: [u8; 32], piece: usize) -> (Vec<u8>, io::Result<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut stream = checked(sent, len, sha256);
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; piece]);
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => return (bytes, Ok(())),
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) => return (bytes, Err(error)),
            }
        }
    })
}

#[test]
fn nothing_has_a_hash_too() {
    assert!(read(b"", 0, Sha256::digest(b"").into(), 8).1.is_ok());
    for sent in [b"".as_slice(), b"more"] {
        let (bytes, end) = read(sent, 0, [7; 32], 8);
        assert_eq!((bytes.len(), end.unwrap_err().kind()), (0, io::ErrorKind::InvalidData));
    }
}

#[tokio::test]
async fn after_an_error_every_further_read_gives_it_again() {
    let mut stream = checked(b"some".as_slice(), 4, [7; 32]);
    let mut buffer = [0; 8];
    for _ in 0..3 {
        assert_eq!(stream.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

proptest! {
    #[test]
    fn what_has_its_hash_arrives_whole(sent: Vec<u8>, piece in 1_usize..50) {
        let (bytes, end) = read(&sent, sent.len() as u64, Sha256::digest(&sent).into(), piece);
        prop_assert!(end.is_ok());
        prop_assert_eq!(bytes, sent);
    }

    #[test]
    fn what_does_not_never_ends_well(sent in prop::collection::vec(any::<u8>(), 1..200), piece in 1_usize..50, change in 0..3) {
        let mut other = sent.clone();
        match change {
            0 => other[sent.len() / 2] ^= 1,
            1 => other.push(0),
            _ => drop(other.pop()),
        }
        let (bytes, end) = read(&other, sent.len() as u64, Sha256::digest(&sent).into(), piece);
        prop_assert_eq!(end.unwrap_err().kind(), io::ErrorKind::InvalidData);
        prop_assert!(bytes.len() < sent.len() || change == 1);
    }
}
