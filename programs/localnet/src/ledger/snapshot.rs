//! The snapshot: the whole state in one file, replaced by rename.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use solana_account::AccountSharedData;
use solana_pubkey::Pubkey;

use super::frame::{self, Tail};
use super::record::{self, AccountState, FORMAT_VERSION, Header, Record, StoredTransaction};
use super::{LedgerState, unreadable};
use crate::error::{Error, Result};

/// A snapshot that was read.
pub(crate) struct Loaded {
    /// Journal records up to this one are in it.
    pub(crate) seq: u64,
    /// Size of the file in bytes.
    pub(crate) len: u64,
    /// The chain's state as of that record.
    pub(crate) state: LedgerState,
}

/// Reads a snapshot; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Loaded>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file(path)(error)),
    };
    let mut loaded: Option<Loaded> = None;
    let mut count = 0;
    let mut complete = false;
    let tail = frame::scan(&bytes, |seq, payload| {
        if let Some(version) = record::header_version(payload) {
            check_version(path, version)?;
        }
        let record = record::decode(payload).map_err(|error| unreadable(path, error))?;
        match (record, loaded.as_mut()) {
            (Record::Header(header), None) => {
                let state = LedgerState { header, accounts: HashMap::new(), transactions: Vec::new() };
                loaded = Some(Loaded { seq, len: bytes.len() as u64, state });
            }
            (Record::End { records }, Some(_)) => complete = records == count,
            (record @ (Record::Transaction { .. } | Record::Accounts(_)), Some(loaded)) => {
                let Header { slot, unix_timestamp, .. } = loaded.state.header;
                loaded.state.apply(record);
                // The header's time is newer than that of the transactions that follow it.
                loaded.state.header.slot = slot;
                loaded.state.header.unix_timestamp = unix_timestamp;
            }
            _ => return Err(unreadable(path, "its records are out of order")),
        }
        count += 1;
        Ok(())
    })?;
    match tail {
        Tail::Clean if complete => Ok(loaded),
        Tail::Clean => Err(unreadable(path, "its end is missing")),
        Tail::Torn(at) | Tail::Damaged(at) => Err(Error::Damaged { path: path.to_owned(), offset: at as u64 }),
    }
}

fn check_version(path: &Path, version: u32) -> Result<()> {
    if version == FORMAT_VERSION {
        return Ok(());
    }
    Err(unreadable(path, format!("format {version}, but this localnet reads format {FORMAT_VERSION}")))
}

/// Writes a snapshot beside the old one, then puts it in its place. Returns its size in bytes.
pub(crate) fn write<'a>(
    path: &Path,
    seq: u64,
    header: Header,
    accounts: impl Iterator<Item = (&'a Pubkey, &'a AccountSharedData)>,
    transactions: impl Iterator<Item = &'a StoredTransaction>,
) -> Result<u64> {
    let draft = path.with_extension("tmp");
    let records = std::iter::once(Record::Header(header))
        .chain(accounts.map(|(key, account)| Record::Accounts(vec![AccountState::new(key, account)])))
        .chain(
            transactions
                .map(|transaction| Record::Transaction { transaction: transaction.clone(), accounts: Vec::new() }),
        );
    let write = || -> std::io::Result<u64> {
        let mut file = BufWriter::new(File::create(&draft)?);
        let mut len = 0;
        let mut count = 0;
        let mut put = |record: &Record| -> std::io::Result<()> {
            let bytes = frame::seal(seq, &record::encode(record));
            len += bytes.len() as u64;
            file.write_all(&bytes)
        };
        for record in records {
            put(&record)?;
            count += 1;
        }
        put(&Record::End { records: count })?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&draft, path)?;
        // The journal is emptied next: after a power cut the folder must not name the old snapshot.
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(len)
    };
    write().map_err(Error::file(path))
}
