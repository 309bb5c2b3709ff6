//! The server's two signing keys: the meter, which the chain knows, and the receipt key, which the meter certifies.
//!
//! Both are files in the Solana command line's form: a JSON array of 64 bytes, secret then public, mode 0600.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clawos_base::secret_file::{self, SecretFileError};
use clawos_interface::Key;
use ed25519_dalek::SigningKey;

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read, or others may read it.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The file cannot be made.
    #[error("cannot make the key file {path}: {source}")]
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
    /// There was a meter key, since the key that it certified is there.
    #[error(
        "the meter key {path} is gone. Licences name it and only it can settle what they owe, so no other one is made: put \
         the file back, or name it with --meter-key (CLAWOS_METER_KEY)"
    )]
    MeterLost {
        /// Where it is looked for.
        path: PathBuf,
    },
    /// There is no meter key, and none is made for a network that is more than this machine's.
    #[error(
        "there is no meter key at {path}. Make one with `solana-keygen new --outfile {path}`, have the marketplace's \
         settings or your skills name its address, and start again; --meter-key (CLAWOS_METER_KEY) names another file"
    )]
    NoMeter {
        /// Where it is looked for.
        path: PathBuf,
    },
}

/// The meter key at `meter` and the receipt key at `receipt`. A receipt key is made where there is none. A meter key is made
/// only on the first start with an RPC endpoint on this machine (`local`): elsewhere the chain has to name it first.
///
/// # Errors
/// [`KeyFileError`].
pub(super) fn load(meter: &Path, receipt: &Path, local: bool) -> Result<(SigningKey, SigningKey), KeyFileError> {
    let receipt_key = read(receipt)?;
    let meter_key = match read(meter)? {
        Some(key) => key,
        None if receipt_key.is_some() => return Err(KeyFileError::MeterLost { path: meter.to_owned() }),
        None if !local => return Err(KeyFileError::NoMeter { path: meter.to_owned() }),
        None => create(meter)?,
    };
    let receipt_key = receipt_key.map_or_else(|| create(receipt), Ok)?;
    Ok((meter_key, receipt_key))
}

fn read(path: &Path) -> Result<Option<SigningKey>, KeyFileError> {
    let Some(text) = secret_file::read(path)? else { return Ok(None) };
    parse(&text).map(Some).ok_or_else(|| KeyFileError::Malformed { path: path.to_owned() })
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

/// Makes a keypair in a new file (mode 0600, synced to disk).
fn create(path: &Path) -> Result<SigningKey, KeyFileError> {
    let write = || {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(io::Error::from)?;
        let key = SigningKey::from_bytes(&seed);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string(&key.to_keypair_bytes().to_vec()).expect("numbers always become JSON");
        secret_file::create(path, text.as_bytes())?;
        Ok(key)
    };
    write().map_err(|source| KeyFileError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn missing_keys_are_made_once_and_only_their_owner_may_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let (meter, receipt) = (folder.path().join("keys/meter.json"), folder.path().join("receipt.json"));
        let first = load(&meter, &receipt, true).unwrap();
        for path in [&meter, &receipt] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(load(&meter, &receipt, false).unwrap(), first);
        assert_ne!(first.0, first.1);
    }

    #[test]
    fn a_meter_key_is_never_replaced_and_never_made_for_a_network_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let (meter, receipt) = (folder.path().join("meter.json"), folder.path().join("receipt.json"));
        assert!(matches!(load(&meter, &receipt, false), Err(KeyFileError::NoMeter { .. })));
        assert!(!meter.exists() && !receipt.exists());
        load(&meter, &receipt, true).unwrap();
        fs::remove_file(&meter).unwrap();
        for local in [true, false] {
            assert!(matches!(load(&meter, &receipt, local), Err(KeyFileError::MeterLost { .. })));
        }
        assert!(!meter.exists());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (meter, receipt) = (folder.path().join("meter.json"), folder.path().join("receipt.json"));
        load(&meter, &receipt, true).unwrap();
        fs::set_permissions(&receipt, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = load(&meter, &receipt, true);
        assert!(matches!(refused, Err(KeyFileError::File(SecretFileError::Exposed { .. }))));
    }

    #[test]
    fn a_pair_whose_halves_do_not_belong_together_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meter.json");
        let mut bytes = SigningKey::from_bytes(&[7; 32]).to_keypair_bytes().to_vec();
        bytes[40] ^= 1;
        secret_file::create(&path, serde_json::to_string(&bytes).unwrap().as_bytes()).unwrap();
        assert!(matches!(load(&path, &folder.path().join("r"), true), Err(KeyFileError::Malformed { .. })));
    }
}
