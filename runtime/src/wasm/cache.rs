//! The disk cache of compiled code. What is in it becomes machine code of this process, so nothing is taken on trust.
//!
//! Every file ends with a keyed hash over its name and its contents. It is checked on the very bytes that are handed
//! to the engine, in memory nobody else can write; so a file that was changed, swapped, or made elsewhere (the key is
//! this folder's own) is never loaded but compiled again, and changing a file after it was read changes nothing.
//!
//! Any agent may have any number of modules compiled, so the folder has a largest size: what was not read for the
//! longest time makes room for what is new, and is compiled again when it is wanted again.

use std::{
    fs::{self, File, FileTimes, OpenOptions, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

/// Largest compiled module, in bytes. Python guests take 40 MB.
pub(crate) const MAX_COMPILED_BYTES: u64 = 512 * 1024 * 1024;

const MAC_BYTES: usize = 32;
/// How names of compiled modules end.
const COMPILED: &str = "cwasm";
const KEY_FILE: &str = "cache.key";
const UNFINISHED: &str = ".compiling-";
/// A file that has been unfinished for longer than any compilation takes was left by a process that died.
const ABANDONED_AFTER: Duration = Duration::from_secs(3600);

/// A folder of compiled modules that only this user can enter.
#[derive(Debug)]
pub(crate) struct CompiledCache {
    dir: PathBuf,
    key: [u8; 32],
    /// Part of every name: all that compiled code depends on.
    compatibility: String,
    /// Most bytes of compiled modules. The newest is kept even when it alone is larger.
    max_bytes: u64,
}

impl CompiledCache {
    /// Opens the folder, making it (0700) and its key (0600) when they are not there.
    pub(crate) fn open(dir: &Path, compatibility: String, max_bytes: u64) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        fs::set_permissions(dir, Permissions::from_mode(0o700))?;
        remove_abandoned(dir)?;
        Ok(Self { dir: dir.to_owned(), key: load_or_make_key(dir)?, compatibility, max_bytes })
    }

    /// A new file in this folder, for the compile child to write to.
    pub(crate) fn new_file(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::with_prefix_in(UNFINISHED, &self.dir)
    }

    /// A new file in this folder that goes away with its last user, for what the compile child reads.
    pub(crate) fn unnamed_file(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.dir)
    }

    /// Reads a module's code. `None` when there is none that can be trusted.
    pub(crate) fn read(&self, module: [u8; 32]) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(module);
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).expect("a flag of open(2) is an int"))
            .open(&path);
        let mut file = match file {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return self.distrust(&path, &format!("it cannot be opened: {error}")),
        };
        let metadata = file.metadata()?;
        let own = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
        if !own || metadata.len() > MAX_COMPILED_BYTES + MAC_BYTES as u64 {
            return self.distrust(&path, "it is not a file of ours");
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        (&mut file).take(MAX_COMPILED_BYTES + MAC_BYTES as u64).read_to_end(&mut bytes)?;
        let Some((code, mac)) = bytes.split_last_chunk::<MAC_BYTES>() else {
            return self.distrust(&path, "it is too short");
        };
        if self.mac(module, code) != *mac {
            return self.distrust(&path, "its hash does not match: it was changed or made elsewhere");
        }
        bytes.truncate(bytes.len() - MAC_BYTES);
        // By this the folder knows what is in use; most are mounted so that reading alone would not tell.
        if let Err(error) = file.set_times(FileTimes::new().set_accessed(SystemTime::now())) {
            tracing::debug!(%error, "a compiled module will look unused");
        }
        Ok(Some(bytes))
    }

    /// Keeps what the compile child wrote, and returns it. The file appears whole or not at all; the modules used
    /// least recently are removed to make room for it.
    pub(crate) fn keep(&self, module: [u8; 32], mut file: NamedTempFile) -> io::Result<Vec<u8>> {
        let code = fs::read(file.path())?;
        let mac = self.mac(module, &code);
        let length = code.len() as u64;
        io::Seek::seek(&mut file, io::SeekFrom::Start(length))?;
        file.write_all(&mac)?;
        file.as_file().set_permissions(Permissions::from_mode(0o400))?;
        file.as_file().sync_all()?;
        self.make_room(length + MAC_BYTES as u64)?;
        file.persist(self.path(module)).map_err(|error| error.error)?;
        File::open(&self.dir)?.sync_all()?;
        Ok(code)
    }

    /// Removes a module's code, for instance because the engine refused it.
    pub(crate) fn remove(&self, module: [u8; 32]) -> io::Result<()> {
        remove(&self.path(module))
    }

    /// Removes the modules not used for longest, whatever engine they were made for, until `more` bytes fit.
    fn make_room(&self, more: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == COMPILED) {
                // One that is gone by now has made room by itself.
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                files.push((metadata.accessed()?, metadata.len(), path));
            }
        }
        files.sort_unstable();
        let mut total = files.iter().fold(more, |total, (_, length, _)| total.saturating_add(*length));
        for (_, length, path) in files {
            if total <= self.max_bytes {
                break;
            }
            remove(&path)?;
            total -= length;
        }
        Ok(())
    }

    fn distrust(&self, path: &Path, why: &str) -> io::Result<Option<Vec<u8>>> {
        tracing::warn!(path = %path.display(), why, "compiled module refused; compiling it again");
        Ok(None)
    }

    fn path(&self, module: [u8; 32]) -> PathBuf {
        self.dir.join(format!("{}-{}.{COMPILED}", hex::encode(module), self.compatibility))
    }

    /// A keyed hash over name and contents. The inner hash has a fixed length, so it cannot be extended.
    fn mac(&self, module: [u8; 32], code: &[u8]) -> [u8; MAC_BYTES] {
        let inner = Sha256::new()
            .chain_update(b"clawos/cwasm/v1")
            .chain_update(module)
            .chain_update((self.compatibility.len() as u64).to_le_bytes())
            .chain_update(&self.compatibility)
            .chain_update(code)
            .finalize();
        Sha256::new().chain_update(self.key).chain_update(inner).finalize().into()
    }
}

/// Removes a file that another process may remove too.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what compilations that never ended have left.
fn remove_abandoned(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
        if unfinished && age.is_some_and(|age| age > ABANDONED_AFTER) {
            // Another process may have done so already.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Reads the folder's key, or makes one. Of several processes that make one at once, all use the first.
fn load_or_make_key(dir: &Path) -> io::Result<[u8; 32]> {
    let path = dir.join(KEY_FILE);
    if !path.exists() {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        let mut file = NamedTempFile::with_prefix_in(".key-", dir)?;
        file.write_all(&key)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => return Err(error.error),
            _ => {}
        }
    }
    let key = fs::read(&path)?;
    key.try_into()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged; delete it", path.display())))
}
