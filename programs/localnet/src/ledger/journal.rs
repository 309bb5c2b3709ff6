//! The journal: an append-only file of records.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::frame::{self, Tail};
use super::record::{self, Record};
use super::unreadable;
use crate::error::{Error, Result};

pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    len: u64,
    fsync: bool,
    /// A failed append could not be undone: nothing may follow the half frame.
    broken: bool,
}

impl Journal {
    /// Opens or makes the file, visits its records in order and cuts off a torn tail.
    pub(crate) fn open(path: &Path, fsync: bool, mut visit: impl FnMut(u64, Record)) -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(Error::file(path))?;
        let bytes = std::fs::read(path).map_err(Error::file(path))?;
        let tail = frame::scan(&bytes, |seq, payload| {
            let record = record::decode(payload).map_err(|error| unreadable(path, error))?;
            visit(seq, record);
            Ok::<(), Error>(())
        })?;
        let len = match tail {
            Tail::Clean => bytes.len(),
            Tail::Torn(at) => {
                tracing::warn!(
                    bytes = bytes.len() - at,
                    "the journal ends in a torn record, which was never answered: cut off"
                );
                at
            }
            Tail::Damaged(at) => {
                return Err(Error::Damaged { path: path.to_owned(), offset: at as u64 });
            }
        } as u64;
        file.set_len(len).map_err(Error::file(path))?;
        file.seek(SeekFrom::Start(len)).map_err(Error::file(path))?;
        Ok(Self { path: path.to_owned(), file, len, fsync, broken: false })
    }

    /// Appends one record; leaves the file as it was when that fails.
    pub(crate) fn append(&mut self, seq: u64, record: &Record) -> Result<()> {
        if self.broken {
            return Err(unreadable(&self.path, "an earlier write failed half way; restart localnet"));
        }
        let bytes = frame::seal(seq, &record::encode(record));
        let written =
            self.file.write_all(&bytes).and_then(|()| if self.fsync { self.file.sync_data() } else { Ok(()) });
        if let Err(error) = written {
            self.broken = self.file.set_len(self.len).is_err() || self.file.seek(SeekFrom::Start(self.len)).is_err();
            return Err(Error::file(&self.path)(error));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Empties it, once a snapshot holds everything.
    pub(crate) fn clear(&mut self) -> Result<()> {
        self.file.set_len(0).map_err(Error::file(&self.path))?;
        self.file.seek(SeekFrom::Start(0)).map_err(Error::file(&self.path))?;
        self.len = 0;
        Ok(())
    }
}
