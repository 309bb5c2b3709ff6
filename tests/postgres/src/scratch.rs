//! Folders, small disks and programs that are gone after the tests, however they end.
//!
//! Values in `static`s are never dropped, so a test binary cannot clean up behind itself. Here a small shell waits on a
//! pipe that only the test process holds open; when that closes, it cleans up.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clawos_test_skips::skip;

/// A new empty folder, removed when this process has ended.
///
/// # Panics
/// When the system's folder for temporary files cannot be used.
pub fn folder(name: &str) -> PathBuf {
    let folder = new_folder(name);
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"cat > /dev/null; rm -rf "$1""#, "sh"]).arg(&folder);
    outlive(shell);
    folder
}

/// Runs `program`, interrupts it when this process has ended, and then removes `folder`.
///
/// # Panics
/// When no shell can be started.
pub fn program(mut shell: Command, program: &Path, arguments: &[String], folder: &Path) {
    let script = r#"folder="$1"; shift; "$@" > "$folder/log" 2>&1 & p=$!; cat > /dev/null; kill -INT $p; wait $p; rm -rf "$folder""#;
    shell.args(["-c", script, "sh"]).arg(folder).arg(program).args(arguments);
    outlive(shell);
}

/// A new empty folder that the caller removes.
///
/// # Panics
/// When the system's folder for temporary files cannot be used.
pub fn new_folder(name: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix(&format!("clawos-{name}-")).tempdir();
    folder.expect("the system's folder for temporary files can be used").keep()
}

/// A file system with little room, gone when dropped. Declare it before what uses it.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many KiB; `None`, after [`skip`], where that is not allowed.
    ///
    /// # Panics
    /// With `CI=true`, where it must be allowed.
    pub fn mount(kib: u32) -> Option<SmallDisk> {
        Self::mount_on(new_folder("disk"), kib)
    }

    /// The same over an existing folder.
    ///
    /// # Panics
    /// As [`SmallDisk::mount`].
    pub fn mount_on(folder: PathBuf, kib: u32) -> Option<SmallDisk> {
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"]).arg(&folder).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(SmallDisk { folder });
        }
        skip("what runs on a full disk", "mounting a tmpfs needs root");
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Takes all the room that is left and returns the file that has it.
    ///
    /// # Panics
    /// When the file cannot be made.
    pub fn fill(&self) -> PathBuf {
        let path = self.folder.join("filler");
        let mut file = std::fs::File::create(&path).expect("a file can be made");
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since a server may still hold files on it.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.folder).status();
        if unmounted.is_ok_and(|status| status.success()) {
            // Not empty when it was mounted over somebody's folder; then it is theirs.
            let _ = std::fs::remove_dir(&self.folder);
        }
    }
}

fn outlive(mut shell: Command) {
    let child = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    // The pipe must stay open for the life of the process, and closes with it.
    std::mem::forget(child.expect("sh can be started"));
}
