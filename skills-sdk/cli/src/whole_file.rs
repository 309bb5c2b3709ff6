//! Atomic file writes: to a temporary file in the same folder, then renamed.

use std::fs::Permissions;
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{CliError, Result};

/// Permissions, before the user's mask, of what everybody may read: builds, receipts.
pub const SHARED: u32 = 0o666;
/// Permissions of what is its owner's alone.
pub const PRIVATE: u32 = 0o600;

/// A file being written. Its path stays as it is until [`Self::finish`]; a link there is replaced, not followed.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    draft: NamedTempFile,
}

impl WholeFile {
    /// Creates the temporary file for `path`, so that a path that cannot be written is reported before the work begins.
    ///
    /// # Errors
    /// [`CliError::File`], also where `path` exists and is not a regular file: a device must not be replaced.
    pub fn begin(path: &Path, mode: u32) -> Result<Self> {
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            let source = Error::new(ErrorKind::InvalidInput, "it is not a regular file; name another path");
            return Err(CliError::File { path: path.to_owned(), source });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = tempfile::Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(folder);
        // The error of the library names the draft, which nobody knows.
        let draft = draft.map_err(|error| CliError::file(path)(error.kind().into()))?;
        Ok(Self { path: path.to_owned(), draft })
    }

    /// Writes the file and moves it to its place.
    ///
    /// # Errors
    /// [`CliError::File`]; its place is then as it was.
    pub fn finish(mut self, bytes: &[u8]) -> Result<()> {
        let written = self.draft.write_all(bytes).and_then(|()| self.draft.as_file().sync_all());
        written.map_err(CliError::file(&self.path))?;
        self.draft.persist(&self.path).map_err(|error| CliError::File { path: self.path, source: error.error })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("receipt.json");
        fs::write(&path, "old").expect("written");
        let file = WholeFile::begin(&path, PRIVATE).expect("begun");
        assert_eq!(fs::read(&path).expect("there"), b"old");
        file.finish(b"new").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"new");
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        drop(WholeFile::begin(&path, SHARED).expect("begun"));
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    }

    #[test]
    fn a_link_is_not_followed_and_a_device_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, outside) = (folder.path().join("link"), folder.path().join("outside"));
        fs::write(&outside, "theirs").expect("written");
        std::os::unix::fs::symlink(&outside, &link).expect("linked");
        WholeFile::begin(&link, SHARED).and_then(|file| file.finish(b"ours")).expect("written");
        assert_eq!(fs::read(&outside).expect("there"), b"theirs");
        assert_eq!(fs::read(&link).expect("there"), b"ours");
        assert!(WholeFile::begin(Path::new("/dev/null"), SHARED).is_err());
        let nowhere = WholeFile::begin(Path::new("/no/such/folder/file"), SHARED).expect_err("no folder");
        assert_eq!(nowhere.exit_code(), 4);
    }
}
