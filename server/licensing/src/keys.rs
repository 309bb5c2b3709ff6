//! The server's two signing keys: the meter, which the chain knows, and the receipt key, which the meter certifies.
//!
//! Both are files in the Solana command line's form: a JSON array of 64 bytes, secret then public, mode 0600.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clawos_base::secret_file;
use clawos_interface::Key;
use ed25519_dalek::SigningKey;

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or made.
    #[error("cannot read or make the key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a keypair.
    #[error("{path} must hold a Solana keypair: a JSON array of 64 numbers whose last 32 are the public key")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("{path} can be read by others; run `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the keypair at `path`, or makes one (mode 0600, synced to disk) when there is none.
///
/// # Errors
/// When the file is unreadable, malformed, readable by others, or cannot be made.
pub(super) fn load_or_create(path: &Path) -> Result<SigningKey, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    match fs::read(path) {
        Ok(text) => {
            let mode = fs::metadata(path).map_err(io)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(KeyFileError::Exposed { path: path.to_owned() });
            }
            parse(&text).ok_or_else(|| KeyFileError::Malformed { path: path.to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path).map_err(io),
        Err(error) => Err(io(error)),
    }
}

/// The public half.
pub(super) fn public(key: &SigningKey) -> Key {
    key.verifying_key().to_bytes()
}

fn parse(text: &[u8]) -> Option<SigningKey> {
    let bytes: Vec<u8> = serde_json::from_slice(text).ok()?;
    let pair: [u8; 64] = bytes.try_into().ok()?;
    SigningKey::from_keypair_bytes(&pair).ok()
}

fn create(path: &Path) -> io::Result<SigningKey> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(io::Error::from)?;
    let key = SigningKey::from_bytes(&seed);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_string(&key.to_keypair_bytes().to_vec()).expect("numbers always become JSON");
    secret_file::create(path, text.as_bytes())?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn a_missing_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/meter.json");
        let first = load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_or_create(&path).unwrap().to_bytes(), first.to_bytes());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meter.json");
        load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_or_create(&path), Err(KeyFileError::Exposed { .. })));
    }

    #[test]
    fn a_pair_whose_halves_do_not_belong_together_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meter.json");
        let mut bytes = SigningKey::from_bytes(&[7; 32]).to_keypair_bytes().to_vec();
        bytes[40] ^= 1;
        secret_file::create(&path, serde_json::to_string(&bytes).unwrap().as_bytes()).unwrap();
        assert!(matches!(load_or_create(&path), Err(KeyFileError::Malformed { .. })));
    }
}
