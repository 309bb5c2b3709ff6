//! The build cache: one folder for all projects of a user, so that the standard library, the SDK and the dependencies are
//! compiled once for each compiler.
//!
//! Cargo would mix up two projects in one folder that agree in their names, as it names the crates of a workspace by
//! their place in it alone. So a build has the cache to itself until its module is read, the compiled crate's flags
//! name the project's folder, and a project with a build script or further crates of its own gets a folder of its own
//! ([`super::workspace`]), in which it takes a first build's time and room. The user's copy of an SDK can be shared, since
//! its place in a project has the hash of its files in it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::BuildError;

/// The size at which a build begins with an empty cache, in bytes: many projects on some compilers.
const MAX_BYTES: u64 = 4 << 30;
/// Characters of a hash in a folder's name.
const HASH_CHARS: usize = 16;
/// The variable that names the file with the flags that [`WRAPPER`] adds.
pub(super) const FLAGS_FILE: &str = "CLAWOS_RUSTC_FLAGS";
/// Adds flags that cargo must not see: it would compile anew what differs in them, and names of folders always do.
const WRAPPER: &str = "#!/bin/sh\nexec \"$@\" \"@$CLAWOS_RUSTC_FLAGS\"\n";

/// The folder of the cache.
#[derive(Clone, Debug)]
pub struct BuildCache {
    folder: PathBuf,
}

/// The cache during one build, which has it to itself.
#[derive(Debug)]
pub(super) struct Place {
    /// What cargo compiles.
    pub(super) target: PathBuf,
    /// What cargo calls instead of the compiler; it adds the flags in the file that [`FLAGS_FILE`] names.
    pub(super) wrapper: PathBuf,
    /// Whether nothing was compiled here before.
    pub(super) is_new: bool,
    _lock: File,
}

impl BuildCache {
    /// The cache in `folder`, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until no other build uses the cache. What is compiled is kept by `key`: all that decides how, and for whom.
    ///
    /// # Errors
    /// [`BuildError::Cache`].
    pub(super) fn place(&self, key: &str, progress: &mut dyn FnMut(&str)) -> Result<Place, BuildError> {
        let lock = self.lock()?;
        if lock.try_lock().is_err() {
            progress("waiting for another build to end");
            lock.lock().map_err(self.error(&self.folder))?;
        }
        if self.size()? > MAX_BYTES {
            self.empty()?;
        }
        let wrapper = self.folder.join("rustc");
        if !wrapper.is_file() {
            write_program(&self.folder, &wrapper).map_err(self.error(&wrapper))?;
        }
        let target = self.folder.join(&hex::encode(clawos_receipts::sha256(key.as_bytes()))[..HASH_CHARS]);
        let is_new = !target.is_dir();
        Ok(Place { target, wrapper, is_new, _lock: lock })
    }

    /// Deletes everything that builds left; gives the bytes that it took.
    ///
    /// # Errors
    /// [`BuildError::CacheInUse`] while something is built; [`BuildError::Cache`].
    pub fn clean(&self) -> Result<u64, BuildError> {
        if !self.folder.is_dir() {
            return Ok(0);
        }
        let lock = self.lock()?;
        lock.try_lock().map_err(|_| BuildError::CacheInUse)?;
        let bytes = self.size()?;
        self.empty()?;
        Ok(bytes)
    }

    fn lock(&self) -> Result<File, BuildError> {
        fs::create_dir_all(&self.folder).map_err(self.error(&self.folder))?;
        let path = self.folder.join("lock");
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(self.error(&path))
    }

    /// Deletes what was compiled, and nothing else that may lie in the folder.
    fn empty(&self) -> Result<(), BuildError> {
        for path in self.places()? {
            fs::remove_dir_all(&path).map_err(self.error(&path))?;
        }
        Ok(())
    }

    fn size(&self) -> Result<u64, BuildError> {
        Ok(self.places()?.iter().map(|place| size(place)).sum())
    }

    /// The folders that [`BuildCache::place`] gave to cargo: real folders with a hash for a name.
    fn places(&self) -> Result<Vec<PathBuf>, BuildError> {
        let is_hash = |name: &str| name.len() == HASH_CHARS && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut places = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(self.error(&self.folder))? {
            let entry = entry.map_err(self.error(&self.folder))?;
            let is_folder = entry.file_type().map_err(self.error(&entry.path()))?.is_dir();
            if is_folder && entry.file_name().to_str().is_some_and(is_hash) {
                places.push(entry.path());
            }
        }
        Ok(places)
    }

    fn error(&self, path: &Path) -> impl FnOnce(std::io::Error) -> BuildError {
        let path = path.to_owned();
        move |source| BuildError::Cache { path, source }
    }
}

/// Writes the wrapper, whole or not at all.
fn write_program(folder: &Path, path: &Path) -> std::io::Result<()> {
    let mut draft = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempfile_in(folder)?;
    draft.write_all(WRAPPER.as_bytes())?;
    draft.into_temp_path().persist(path)?;
    Ok(())
}

/// The bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, BuildCache) {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = BuildCache::new(folder.path().join("build"));
        (folder, cache)
    }

    #[test]
    fn what_is_compiled_alike_shares_a_folder() {
        let (_folder, cache) = cache();
        let place = |key| cache.place(key, &mut |_| ()).expect("a place").target;
        let one = place("rustc 1");
        assert_eq!(one, place("rustc 1"));
        assert_ne!(one, place("rustc 2"));
        assert!(cache.place("rustc 1", &mut |_| ()).expect("a place").is_new);
        fs::create_dir_all(one).expect("made");
        assert!(!cache.place("rustc 1", &mut |_| ()).expect("a place").is_new);
    }

    #[test]
    fn a_build_waits_for_another_one_and_says_so() {
        let (_folder, cache) = cache();
        let first = cache.place("rustc", &mut |_| ()).expect("a place");
        let (sender, said) = std::sync::mpsc::channel();
        let second = std::thread::spawn({
            let cache = cache.clone();
            move || cache.place("rustc", &mut |line| sender.send(line.to_owned()).expect("it listens")).map(drop)
        });
        assert!(said.recv().expect("a line").starts_with("waiting"));
        drop(first);
        second.join().expect("no panic").expect("its turn");
    }

    #[test]
    fn the_wrapper_adds_the_flags_of_the_file() {
        let (_folder, cache) = cache();
        let place = cache.place("rustc", &mut |_| ()).expect("a place");
        let mut command = std::process::Command::new(&place.wrapper);
        let output = command.args(["echo", "a b"]).env(FLAGS_FILE, "/flags").output().expect("it starts");
        assert_eq!(output.stdout, b"a b @/flags\n");
    }

    #[test]
    fn cleaning_frees_everything_but_not_during_a_build() {
        let (_folder, cache) = cache();
        assert_eq!(cache.clean().expect("nothing there"), 0);
        let place = cache.place("rustc", &mut |_| ()).expect("a place");
        assert!(matches!(cache.clean(), Err(BuildError::CacheInUse)));
        fs::create_dir_all(&place.target).expect("made");
        fs::write(place.target.join("x"), [0; 1_000]).expect("written");
        let target = place.target.clone();
        drop(place);
        assert!(cache.clean().expect("cleaned") >= 1_000);
        assert!(!target.exists() && cache.folder().is_dir());
    }

    #[test]
    fn what_builds_did_not_make_is_left_alone() {
        let (folder, cache) = cache();
        let (own, elsewhere) = (cache.folder().join("photos"), folder.path().join("elsewhere"));
        fs::create_dir_all(&own).expect("made");
        fs::create_dir_all(&elsewhere).expect("made");
        fs::write(elsewhere.join("x"), [0; 1_000]).expect("written");
        std::os::unix::fs::symlink(&elsewhere, cache.folder().join("0123456789abcdef")).expect("linked");
        assert_eq!(cache.clean().expect("cleaned"), 0);
        assert!(own.is_dir() && elsewhere.join("x").is_file());
    }
}
