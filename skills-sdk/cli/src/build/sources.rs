//! Stamps of the files of packages. Cargo takes a file for unchanged that is older than what was compiled; in a cache that
//! outlives the project's folder, such as one unpacked again from an archive, that is not so.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Characters of a stamp.
const STAMP_CHARS: usize = 16;

/// Hex digits that differ once any file below `folder` was written, whatever its time says. What builds write themselves
/// (`target`, modules) and what begins with a dot does not count.
pub(super) fn stamp(folder: &Path) -> String {
    let mut all = Vec::new();
    add(folder, &mut all);
    hex::encode(clawos_receipts::sha256(&all))[..STAMP_CHARS].to_owned()
}

/// A package whose files are others than when it was compiled here last, or that was not compiled here before.
pub(super) struct Written<'a> {
    /// Its id, as cargo tells it.
    pub(super) package: &'a str,
    /// Where its stamp is kept.
    file: PathBuf,
    stamp: String,
}

/// Of `packages`, by id and folder, those that were written since they were compiled in `target`.
pub(super) fn written<'a>(target: &Path, packages: &[(&'a str, &Path)]) -> Vec<Written<'a>> {
    let mut written = Vec::new();
    for (package, folder) in packages {
        let name = &hex::encode(clawos_receipts::sha256(package.as_bytes()))[..STAMP_CHARS];
        let (file, stamp) = (target.join("stamps").join(name), stamp(folder));
        if fs::read_to_string(&file).ok().as_ref() != Some(&stamp) {
            written.push(Written { package, file, stamp });
        }
    }
    written
}

impl Written<'_> {
    /// Keeps its stamp, once cargo has forgotten what it made of the files before.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn record(&self) -> io::Result<()> {
        fs::create_dir_all(self.file.parent().expect("it lies in the folder of stamps"))?;
        fs::write(&self.file, &self.stamp)
    }
}

fn add(folder: &Path, all: &mut Vec<u8>) {
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        let built = name == "target" || path.extension().is_some_and(|extension| extension == "wasm");
        let Ok(found) = entry.metadata() else { continue };
        if built || name.as_bytes().starts_with(b".") {
            continue;
        }
        if found.is_dir() {
            add(&path, all);
            continue;
        }
        // The system alone sets the time of the last change, so no archive brings an old one.
        all.extend_from_slice(path.as_os_str().as_bytes());
        all.extend_from_slice(&found.size().to_le_bytes());
        for time in [found.ctime(), found.ctime_nsec()] {
            all.extend_from_slice(&time.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_file_that_was_written_again_with_an_old_time_is_another_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("src/lib.rs");
        let write = |text: &str| {
            fs::create_dir_all(source.parent().expect("src")).expect("made");
            fs::write(&source, text).expect("written");
            let file = File::options().write(true).open(&source).expect("opened");
            file.set_modified(SystemTime::UNIX_EPOCH).expect("its time is set");
        };
        write("one");
        let before = stamp(folder.path());
        assert_eq!(before, stamp(folder.path()));
        fs::write(folder.path().join("skill.wasm"), "built").expect("written");
        fs::create_dir(folder.path().join(".git")).expect("made");
        fs::write(folder.path().join(".git/index"), "").expect("written");
        assert_eq!(before, stamp(folder.path()), "what builds and tools write does not count");
        write("longer");
        assert_ne!(before, stamp(folder.path()));
    }

    #[test]
    fn a_package_counts_as_written_until_its_stamp_is_kept() {
        let place = tempfile::tempdir().expect("a folder");
        let (target, table) = (place.path().join("target"), place.path().join("table"));
        fs::create_dir(&table).expect("made");
        let packages = [("table 1", &*table), ("absent 1", Path::new("/nowhere"))];
        let names = || written(&target, &packages).iter().map(|each| each.package.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(), ["table 1", "absent 1"]);
        for each in written(&target, &packages) {
            each.record().expect("kept");
        }
        assert!(names().is_empty());
        fs::write(table.join("lib.rs"), "").expect("written");
        assert_eq!(names(), ["table 1"]);
    }
}
