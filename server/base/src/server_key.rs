//! The key that stored answers are encrypted with: from the configuration, else from `server.key` in the data folder.

use std::io;
use std::path::PathBuf;

use clawos_config::DataConfig;

use crate::secret_file::{self, SecretFileError};

/// The server key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerKeyError {
    /// The file cannot be read, or others may read it.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The file cannot be made.
    #[error("cannot make {path}: {source}")]
    Io {
        /// The key file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a key.
    #[error("{from} must hold 64 hex digits; make one with `openssl rand -hex 32`")]
    Malformed {
        /// Where the bad value came from.
        from: String,
    },
}

/// The key for stored answers. `server.key` is made (mode 0600) when absent.
///
/// # Errors
/// [`ServerKeyError`].
pub fn load(config: &DataConfig) -> Result<[u8; 32], ServerKeyError> {
    if let Some(text) = &config.server_key {
        return parse(text).ok_or_else(|| ServerKeyError::Malformed { from: "CLAWOS_SERVER_KEY".to_owned() });
    }
    let path = config.data.join("server.key");
    if let Some(held) = secret_file::read(&path)? {
        let key = std::str::from_utf8(&held).ok().and_then(parse);
        return key.ok_or_else(|| ServerKeyError::Malformed { from: path.display().to_string() });
    }
    let failed = |source| ServerKeyError::Io { path: path.clone(), source };
    let mut key = [0_u8; 32];
    getrandom::fill(&mut key).map_err(|error| failed(error.into()))?;
    secret_file::create(&path, hex::encode(key).as_bytes()).map_err(failed)?;
    Ok(key)
}

fn parse(text: &str) -> Option<[u8; 32]> {
    hex::decode(text.trim()).ok()?.try_into().ok()
}
