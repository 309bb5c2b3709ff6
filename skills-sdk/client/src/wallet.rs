//! The agent's key: an Ed25519 key pair in the Solana command line's file format (a JSON array of 64 bytes), readable
//! by its owner only.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clawos_interface::Key;
use ed25519_dalek::{Signer, SigningKey};

use crate::key::to_base58;

/// The longest wallet file that is read, in bytes: 64 numbers of three digits, with room for white space.
const MAX_FILE_BYTES: u64 = 4096;

/// Why a wallet cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// There is no file at this path.
    #[error("there is no wallet at {0}; create one first")]
    Missing(PathBuf),
    /// There is a file already, which would be lost.
    #[error("{0} already exists and is not overwritten: it may hold money; move it away first, or name another file")]
    Exists(PathBuf),
    /// Others than the owner may read or write the file.
    #[error(
        "{path} can be read or changed by others (mode {mode:04o}); run `chmod 600 {path}`, and move the money if others use this machine"
    )]
    Exposed {
        /// Path of the wallet file.
        path: PathBuf,
        /// Permission bits of the file, such as 0o644.
        mode: u32,
    },
    /// The file is not a key pair.
    #[error("{path} is not a wallet: {reason}; a JSON array of 64 bytes as `solana-keygen` writes is expected")]
    Malformed {
        /// Path of the wallet file.
        path: PathBuf,
        /// What does not match, as a clause beginning with `it` or `its`.
        reason: &'static str,
    },
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Path of the wallet file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

/// A key pair that can sign. Its `Debug` shows only the address, and the secret is wiped when it is dropped.
pub struct Wallet {
    key: SigningKey,
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wallet({})", self.address())
    }
}

impl Wallet {
    /// A new random wallet, in memory only.
    pub fn generate() -> Self {
        let mut secret = [0u8; 32];
        getrandom::fill(&mut secret).expect("the operating system has randomness");
        Self { key: SigningKey::from_bytes(&secret) }
    }

    /// Makes a new wallet and writes it to `path` with mode 0600.
    ///
    /// # Errors
    /// [`WalletError::Exists`] when there is a file: a wallet is never overwritten.
    pub fn create(path: &Path) -> Result<Self, WalletError> {
        let io = |source| WalletError::Io { path: path.to_owned(), source };
        let wallet = Self::generate();
        let bytes = wallet.key.to_keypair_bytes();
        let text = serde_json::to_string(&bytes.as_slice()).expect("bytes are JSON");
        write_new(path, text.as_bytes()).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => WalletError::Exists(path.to_owned()),
            _ => io(error),
        })?;
        Ok(wallet)
    }

    /// Reads the wallet at `path`.
    ///
    /// # Errors
    /// Refuses a file that others may read or write, and one whose public half does not belong to its secret half.
    pub fn load(path: &Path) -> Result<Self, WalletError> {
        let io = |source| WalletError::Io { path: path.to_owned(), source };
        let malformed = |reason| WalletError::Malformed { path: path.to_owned(), reason };
        let file = File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => WalletError::Missing(path.to_owned()),
            _ => io(error),
        })?;
        // The mode is asked of the open file, so that it cannot be exchanged between the check and the reading.
        let mode = file.metadata().map_err(io)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(WalletError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = String::new();
        file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(io)?;
        let bytes: Vec<u8> = serde_json::from_str(&text).map_err(|_| malformed("it is not a JSON array of bytes"))?;
        let bytes: [u8; 64] = bytes.try_into().map_err(|_| malformed("it does not have 64 bytes"))?;
        let key = SigningKey::from_keypair_bytes(&bytes)
            .map_err(|_| malformed("its public key does not belong to its secret key"))?;
        Ok(Self { key })
    }

    /// The public key, which is also the Solana address.
    pub fn key(&self) -> Key {
        self.key.verifying_key().to_bytes()
    }

    /// The address in base58.
    pub fn address(&self) -> String {
        to_base58(&self.key())
    }

    /// The key pair, for the statements of `clawos_receipts`. Only this crate and the publisher's command use it.
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// Signs a message that this crate built.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

/// Writes a new file, for its owner only (0600): whole or not at all, whenever the machine stops.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn a_new_wallet_is_private_and_reads_back() {
        let folder = folder();
        let path = folder.path().join("wallet.json");
        let made = Wallet::create(&path).expect("made");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(Wallet::load(&path).expect("read").key(), made.key());
        let text = std::fs::read_to_string(&path).expect("text");
        let bytes: Vec<u8> = serde_json::from_str(&text).expect("the Solana format");
        assert_eq!(bytes[32..], made.key());
    }

    #[test]
    fn a_file_that_others_can_read_or_write_is_refused() {
        let folder = folder();
        let path = folder.path().join("wallet.json");
        Wallet::create(&path).expect("made");
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o610] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("chmod");
            let error = Wallet::load(&path).expect_err("refused");
            assert!(matches!(error, WalletError::Exposed { mode: seen, .. } if seen == mode), "{error}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).expect("chmod");
        Wallet::load(&path).expect("the owner alone may read it");
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = folder();
        let path = folder.path().join("wallet.json");
        let first = Wallet::create(&path).expect("made").key();
        assert!(matches!(Wallet::create(&path), Err(WalletError::Exists(_))));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing else is left behind");
        assert_eq!(Wallet::load(&path).expect("still there").key(), first);
    }

    #[test]
    fn what_is_not_a_key_pair_is_refused() {
        let folder = folder();
        let path = folder.path().join("wallet.json");
        assert!(matches!(Wallet::load(&path), Err(WalletError::Missing(_))));
        Wallet::create(&path).expect("made");
        let mut bytes: Vec<u8> = serde_json::from_str(&std::fs::read_to_string(&path).expect("text")).expect("bytes");
        bytes[40] ^= 1;
        for text in ["", "{}", "[1,2,3]", "[300]", &serde_json::to_string(&bytes).expect("json")] {
            std::fs::write(&path, text).expect("written");
            assert!(matches!(Wallet::load(&path), Err(WalletError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn its_debug_text_keeps_the_secret() {
        let wallet = Wallet::generate();
        assert_eq!(format!("{wallet:?}"), format!("Wallet({})", wallet.address()));
    }
}
