//! The demo's folder: used by one demo at a time, and emptied only where a demo filled it.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::{DemoError, system};

/// Says that a demo made this folder; locked while one runs.
const MARK: &str = ".clawos-demo";
/// What a demo makes in it.
const MADE: [&str; 7] = ["chain", "server", "author", "buyer", "stranger", "outsider", "logs"];

/// The folder, locked until this is dropped or the process ends.
pub(super) struct Folder {
    path: PathBuf,
    _mark: File,
}

impl Folder {
    /// Makes or takes a folder.
    ///
    /// # Errors
    /// When another demo uses it, or when something in it has a name that the demo needs and is not a demo's.
    pub(super) fn open(path: &Path) -> Result<Self, DemoError> {
        std::fs::create_dir_all(path).map_err(system(path.display().to_string()))?;
        let mark = path.join(MARK);
        if !mark.exists()
            && let Some(other) = MADE.iter().find(|name| path.join(name).exists())
        {
            let (folder, other) = (path.display(), path.join(other));
            let problem = format!("{} was not made by a demo: choose another folder than {folder}", other.display());
            return Err(DemoError::Unexpected(format!("{problem} with --data")));
        }
        let at = || mark.display().to_string();
        let file = File::options().create(true).append(true).open(&mark).map_err(system(at()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _mark: file }),
            Err(Errno::WOULDBLOCK) => {
                let help = "stop it, or choose another folder with --data";
                Err(DemoError::Unexpected(format!("another demo is using {}: {help}", path.display())))
            }
            Err(error) => Err(system(at())(error.into())),
        }
    }

    /// Removes what demos made, and nothing else that may lie in the folder.
    pub(super) fn forget(&self) -> Result<(), DemoError> {
        for made in MADE.map(|name| self.path.join(name)).iter().filter(|made| made.exists()) {
            std::fs::remove_dir_all(made).map_err(system(made.display().to_string()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_never_takes_or_empties_a_folder_of_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("server");
        std::fs::create_dir(&theirs).unwrap();
        let refusal = Folder::open(folder.path()).err().expect("it is refused").to_string();
        assert!(refusal.contains("was not made by a demo") && refusal.contains("--data"), "{refusal}");
        assert!(theirs.exists());
    }

    #[test]
    fn one_demo_at_a_time_and_a_fresh_one_keeps_what_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::open(folder.path()).unwrap();
        let refusal = Folder::open(folder.path()).err().expect("it is in use").to_string();
        assert!(refusal.contains("another demo is using"), "{refusal}");
        for name in ["chain", "notes"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        drop(first);
        Folder::open(folder.path()).unwrap().forget().unwrap();
        assert!(!folder.path().join("chain").exists() && folder.path().join("notes").exists());
    }
}
