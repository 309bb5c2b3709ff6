//! The SDKs that the command brings: one copy of each in the user's data folder, named by the hash of its files, and a link
//! to it in every project.
//!
//! A project's build file names the SDK by its place behind that link, such as `.clawos/sdk/rust-0f3c…/rust`. So the name
//! is committed, the link is not, and each machine has its own copy; `clawos upgrade` changes the name.

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::embedded;
use crate::error::{CliError, Result};
use crate::language::Language;
use crate::state::Home;
use crate::whole_file::{self, WholeFile};

/// Where a project has its links to SDKs.
const LINKS: &str = ".clawos/sdk";
/// Characters of the hash in an SDK's name: no two SDKs will ever share 64 bits by chance.
const HASH_CHARS: usize = 16;
/// When the files of a copy were changed last, in seconds after 1970. It is the same everywhere, since cargo would compile
/// a file anew that is younger than what it made of it.
const CHANGED_AT: Duration = Duration::from_secs(1);

/// The sources of an SDK, as paths and texts.
#[derive(Debug)]
pub struct Sdk {
    files: &'static [(&'static str, &'static str)],
}

/// The SDK for Rust, with the interface between guest and host.
pub static RUST: Sdk = Sdk { files: embedded::RUST_SDK };

impl Sdk {
    /// Its name: the language's word and the hash of its files, `rust-` and 16 hex digits.
    pub fn name(&self, language: &Language) -> String {
        let mut all = Vec::new();
        for (path, text) in self.files {
            for part in [path, text] {
                all.extend_from_slice(&(part.len() as u64).to_le_bytes());
                all.extend_from_slice(part.as_bytes());
            }
        }
        let hash = hex::encode(clawos_receipts::sha256(&all));
        format!("{}-{}", language.word, &hash[..HASH_CHARS])
    }

    /// Writes its files to `folder`, which appears whole or not at all.
    fn install(&self, folder: &Path) -> Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let parent = folder.parent().expect("it lies in the folder of SDKs");
        fs::create_dir_all(parent).map_err(CliError::file(parent))?;
        let draft = tempfile::Builder::new().prefix(".new-").tempdir_in(parent).map_err(CliError::file(parent))?;
        for (path, text) in self.files {
            let path = draft.path().join(path);
            write_sealed(&path, text).map_err(CliError::file(&path))?;
        }
        fs::set_permissions(draft.path(), Permissions::from_mode(0o755)).map_err(CliError::file(draft.path()))?;
        match fs::rename(draft.keep(), folder) {
            // Another command was quicker with the same files.
            Err(_) if folder.is_dir() => Ok(()),
            moved => moved.map_err(CliError::file(folder)),
        }
    }

    /// The paths whose text differs in the copy at `folder`, or is only in one of the two; all of them where there is none.
    fn differences(&self, folder: &Path) -> Vec<String> {
        let changed = self
            .files
            .iter()
            .filter(|(path, text)| fs::read_to_string(folder.join(path)).map_or(true, |installed| installed != *text));
        let mut all: Vec<String> = changed.map(|(path, _)| (*path).to_owned()).collect();
        let mut installed = Vec::new();
        list(folder, Path::new(""), &mut installed);
        all.extend(installed.into_iter().filter(|path| !self.files.iter().any(|(known, _)| known == path)));
        all.sort();
        all
    }
}

/// Writes a file that nobody is to edit, since its folder's name is its hash.
fn write_sealed(path: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().expect("a file is in a folder"))?;
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.set_modified(SystemTime::UNIX_EPOCH + CHANGED_AT)?;
    file.set_permissions(Permissions::from_mode(0o444))
}

/// Adds the files below `folder`, as paths relative to it.
fn list(folder: &Path, below: &Path, files: &mut Vec<String>) {
    let entries = fs::read_dir(folder.join(below)).into_iter().flatten().flatten();
    for entry in entries {
        let path = below.join(entry.file_name());
        if folder.join(&path).is_dir() {
            list(folder, &path, files);
        } else {
            files.push(path.display().to_string());
        }
    }
}

/// The SDK that a build file's text names, such as `rust-0f3c…`; none when it uses one of another place.
pub fn named_in(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(&format!("{LINKS}/"))?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
    Some(&rest[..end]).filter(|name| !name.is_empty())
}

/// Makes sure that the project's link leads to the SDK that its build file names.
///
/// # Errors
/// [`CliError::Invalid`] when that SDK is neither the command's own nor on this machine; [`CliError::File`].
pub fn provide(language: &Language, project: &Path, home: &Home) -> Result<()> {
    let marker = project.join(language.marker);
    let text = fs::read_to_string(&marker).map_err(CliError::file(&marker))?;
    let Some(name) = named_in(&text) else { return Ok(()) };
    let (own, copy) = (language.sdk.name(language), home.sdk(name));
    if name == own {
        language.sdk.install(&copy)?;
    } else if !copy.is_dir() {
        return Err(CliError::invalid(format!(
            "the project uses the SDK {name}, which is not on this machine, and this clawos brings {own}: \
             `clawos upgrade` moves the project to it"
        )));
    }
    link(&project.join(LINKS).join(name), &copy)
}

/// Makes `place` a link to `copy`; a folder that the author put there stays.
fn link(place: &Path, copy: &Path) -> Result<()> {
    let present = fs::read_link(place);
    if present.as_deref().is_ok_and(|present| present == copy) || (present.is_err() && place.is_dir()) {
        return Ok(());
    }
    let links = place.parent().expect("it lies in the folder of links");
    fs::create_dir_all(links).map_err(CliError::file(links))?;
    match fs::remove_file(place) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(CliError::file(place)(error)),
        _ => {}
    }
    match symlink(copy, place) {
        // Another command made the same one.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(CliError::file(place)),
    }
}

/// A project's move to the SDK that the command brings.
#[derive(Debug)]
pub struct Upgrade {
    /// The SDK that the project used.
    pub from: String,
    /// The SDK that it uses now; the same one when there was nothing to do.
    pub to: String,
    /// The SDK's files that differ between the two, as far as the old ones are on this machine.
    pub changed: Vec<String>,
}

/// Moves the project in `folder` to the SDK that the command brings: names it in the build file, and makes the link.
///
/// # Errors
/// [`CliError::Invalid`] for a project that names no SDK of ours; [`CliError::File`].
pub fn upgrade(language: &Language, folder: &Path, home: &Home) -> Result<Upgrade> {
    let marker = folder.join(language.marker);
    let text = fs::read_to_string(&marker).map_err(CliError::file(&marker))?;
    let Some(from) = named_in(&text).map(str::to_owned) else {
        return Err(CliError::invalid(format!(
            "{} names no SDK below {LINKS}/, so there is nothing to upgrade",
            marker.display()
        )));
    };
    let to = language.sdk.name(language);
    let old: PathBuf = folder.join(LINKS).join(&from);
    let changed = if from == to { Vec::new() } else { language.sdk.differences(&old) };
    if from != to {
        let text = text.replace(&format!("{LINKS}/{from}"), &format!("{LINKS}/{to}"));
        WholeFile::begin(&marker, whole_file::SHARED)?.finish(text.as_bytes())?;
    }
    provide(language, folder, home)?;
    if from != to && fs::read_link(&old).is_ok() {
        fs::remove_file(&old).map_err(CliError::file(&old))?;
    }
    Ok(Upgrade { from, to, changed })
}

#[cfg(test)]
#[path = "sdk_tests.rs"]
mod tests;
