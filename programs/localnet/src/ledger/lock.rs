//! One process per data folder: a lock that the system drops when its owner dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Holds the folder while it lives.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the folder, making it when absent.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it.
    pub(crate) fn take(data: &Path) -> Result<Self> {
        std::fs::create_dir_all(data).map_err(Error::file(data))?;
        let path = data.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::file(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // The number only helps the message; an unreadable one is no reason for another error.
                let _ = file.read_to_string(&mut pid);
                return Err(Error::Locked { data: data.to_owned(), pid: pid.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(Error::file(&path)(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(Error::file(&path))?;
        Ok(Self { _file: file })
    }
}
