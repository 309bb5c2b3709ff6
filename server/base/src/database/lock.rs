//! One server per data folder and per SQLite file: lock files that the kernel releases when their process dies, however
//! it dies.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use clawos_config::DataConfig;
use rustix::fs::{FlockOperation, flock};

/// Holds the data folder, and the SQLite file wherever it is, for this process until dropped.
#[derive(Debug)]
pub struct DataLock {
    _files: Vec<File>,
}

/// The data cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another server has it.
    #[error(
        "another clawos-server is using {what}; stop it first, or give this one another --data. \
         Several servers can share a Postgres database, never one SQLite file"
    )]
    InUse {
        /// The data folder or the SQLite file.
        what: PathBuf,
    },
    /// The lock file cannot be made.
    #[error("cannot lock {what}: {source}")]
    Io {
        /// The data folder or the SQLite file.
        what: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DataLock {
    /// Takes the folder, making it when absent, and the SQLite file; fails at once when another process has either.
    pub fn acquire(config: &DataConfig) -> Result<DataLock, LockError> {
        let folder = &config.data;
        let make = std::fs::create_dir_all(folder);
        make.map_err(|source| LockError::Io { what: folder.clone(), source })?;
        let mut files = vec![lock(folder, &folder.join("clawos.lock"))?];
        if let Some(database) = config.sqlite_file() {
            let mut name = database.clone().into_os_string();
            name.push(".lock");
            files.push(lock(&database, Path::new(&name))?);
        }
        Ok(DataLock { _files: files })
    }
}

fn lock(what: &Path, path: &Path) -> Result<File, LockError> {
    let io = |source| LockError::Io { what: what.to_path_buf(), source };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(io)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(LockError::InUse { what: what.to_path_buf() }),
        Err(errno) => Err(io(errno.into())),
    }
}
