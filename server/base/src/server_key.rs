//! The key that stored answers are encrypted with: from the configuration, else from `server.key` in the data folder.

use std::path::PathBuf;
use std::{fs, io};

use clawos_config::DataConfig;

use crate::secret_file;

/// The server key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerKeyError {
    /// The file cannot be read or made.
    #[error("cannot read or make {path}: {source}")]
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
    let io = |source| ServerKeyError::Io { path: path.clone(), source };
    match fs::read_to_string(&path) {
        Ok(text) => parse(&text).ok_or_else(|| ServerKeyError::Malformed { from: path.display().to_string() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0_u8; 32];
            getrandom::fill(&mut key).map_err(|error| io(error.into()))?;
            secret_file::create(&path, hex::encode(key).as_bytes()).map_err(io)?;
            Ok(key)
        }
        Err(error) => Err(io(error)),
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    hex::decode(text.trim()).ok()?.try_into().ok()
}
