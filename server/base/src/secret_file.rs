//! Making a file that holds a secret: whole or not at all, for its owner only, never over another file.

use std::io::{self, Write};
use std::path::Path;

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
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

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
    fn what_cannot_be_written_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("missing/secret");
        assert!(create(&path, b"one").is_err());
        assert!(!path.exists());
    }
}
