//! What a server calls itself among those that share its database: `server.id` in its data folder, made at the first start.
//!
//! It stays when the server is stopped, killed or upgraded, so that a server that starts again frees at once what it held
//! when it ended. The data folder is locked, so no two processes have one id. Never copy the file to another data folder:
//! two servers with one id would take each other's units for those of a dead process. Nobody would be charged wrongly (a
//! batch's number and a key's claim are taken once), but usage could be lost to the platform.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::secret_file;

/// Where it is kept in the data folder.
const FILE: &str = "server.id";
/// Its prefix.
const PREFIX: &str = "srv";

/// The id cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerIdError {
    /// The file cannot be read or made.
    #[error("cannot read or make {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path} is not a server's id; remove it, a new one is made")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// The id of the server whose data folder, which it has locked, is `data`: `srv_` and 32 hex digits.
///
/// # Errors
/// [`ServerIdError`].
pub fn load(data: &Path) -> Result<String, ServerIdError> {
    let path = data.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) if clawos_receipts::id::is_id(PREFIX, text.trim()) => Ok(text.trim().to_owned()),
        Ok(_) => Err(ServerIdError::Malformed { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = clawos_receipts::new_id(PREFIX);
            secret_file::create(&path, id.as_bytes()).map_err(|source| ServerIdError::Io { path, source })?;
            Ok(id)
        }
        Err(source) => Err(ServerIdError::Io { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_its_id_and_others_have_their_own() {
        let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let id = load(one.path()).expect("made");
        assert_eq!(load(one.path()).expect("read"), id);
        assert_ne!(load(two.path()).expect("made"), id);
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "srv_'; DROP TABLE leases").expect("written");
        assert!(matches!(load(folder.path()), Err(ServerIdError::Malformed { .. })));
    }
}
