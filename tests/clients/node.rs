//! A Node project of this folder: its dependencies installed once per lock file, its tests run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clawos_test_skips::skip;
use clawos_tests::guests::repository;

/// Whether Node and npm are installed; false after [`skip`].
pub(crate) fn available() -> bool {
    let found = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success());
    if found("node") && found("npm") {
        return true;
    }
    skip("what JavaScript clients do", "no Node with npm: scripts/setup test");
    false
}

/// Runs the tests of the project in `tests/clients/NAME`, with these variables set.
///
/// # Panics
/// With all that Node said when one fails.
pub(crate) fn test(name: &str, environment: &[(&str, &str)]) {
    let project = installed(name);
    let mut npm = Command::new("npm");
    npm.args(["test", "--silent"]).current_dir(&project).envs(environment.iter().copied());
    let output = npm.output().expect("npm can be run");
    assert!(output.status.success(), "{name}: {}", said(&output));
}

/// A copy of the project beside the build, with its dependencies: the repository stays as it is.
fn installed(name: &str) -> PathBuf {
    let source = repository().join("tests/clients").join(name);
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(name);
    fs::create_dir_all(&project).expect("the build's folder can be written");
    // What the repository has lost since is not to be run either.
    files(&project).iter().for_each(|old| fs::remove_file(old).expect("the build's folder can be written"));
    for file in files(&source) {
        let copy = project.join(file.file_name().expect("a file has a name"));
        fs::copy(&file, &copy).unwrap_or_else(|error| panic!("{}: {error}", copy.display()));
    }
    let lock = fs::read(source.join("package-lock.json")).expect("a project has a lock file");
    // Written when all of them are there.
    let stamp = project.join("node_modules/.installed");
    if fs::read(&stamp).ok().as_deref() != Some(&lock[..]) {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&project);
        let output = npm.output().expect("npm can be run");
        assert!(output.status.success(), "npm ci in {}: {}", project.display(), said(&output));
        fs::write(&stamp, lock).expect("the build's folder can be written");
    }
    project
}

/// The files of a folder, without those of folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("a readable folder").path()).filter(|path| path.is_file()).collect()
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
