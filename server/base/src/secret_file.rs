//! Files that hold a secret: made whole or not at all, for their owner only, never over another file; read only while they are
//! their owner's alone.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A secret cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFileError {
    /// The system refuses.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read or change it.
    #[error("{path} can be read by others; run `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
}

/// The secret at `path`; `None` where there is no file.
///
/// # Errors
/// [`SecretFileError`].
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, SecretFileError> {
    let failed = |source| SecretFileError::Io { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(SecretFileError::Exposed { path: path.to_owned() });
    }
    let mut secret = Vec::new();
    file.read_to_end(&mut secret).map_err(failed)?;
    Ok(Some(secret))
}

/// Writes `bytes` to a new file (mode 0600, synced to disk). A crash leaves no file or the whole file.
///
/// # Errors
/// `AlreadyExists` when there is a file, which is left alone.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_private_whole_and_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        create(&path, b"one").expect("made");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(create(&path, b"two").expect_err("refused").kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).expect("text"), b"one");
        let names = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(names, 1, "nothing else is left behind");
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        assert!(matches!(read(&path), Ok(None)));
        create(&path, b"one").expect("made");
        assert_eq!(read(&path).expect("it is private").as_deref(), Some(&b"one"[..]));
        for mode in [0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
            let refusal = read(&path).expect_err("others may read it").to_string();
            assert!(refusal.contains("chmod 600"), "{refusal}");
        }
    }

    #[test]
    fn what_cannot_be_written_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("missing/secret");
        assert!(create(&path, b"one").is_err());
        assert!(!path.exists());
    }
}
