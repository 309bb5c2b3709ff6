//! New projects on a machine that has built one: what is common is not compiled again, and a fresh clone finds its SDK.

use std::path::Path;
use std::process::{Command, Stdio};

use clawos_tests::guests;

use crate::world::World;

/// Runs git, which must succeed, without the settings of whoever runs the tests: signatures, hooks.
fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").stdin(Stdio::null());
    git.args(["-c", "user.name=acme", "-c", "user.email=acme@example.com", "-C"]).arg(folder).args(arguments);
    let output = git.output().expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_project_compiles_only_itself_and_a_clone_finds_its_sdk() {
    if !guests::available() {
        return;
    }
    let world = World::start(&[]);
    let new = |name: &str| {
        let folder = world.path(name).display().to_string();
        world.author.run(&["new", name, "--publisher", "acme", "--dir", &folder]);
        folder
    };
    world.author.run(&["test", &new("first")]);
    let second = new("second");
    let told = world.author.told_meanwhile(&["test", &second]);
    let compiled: Vec<&str> = told.lines().filter(|line| line.trim_start().starts_with("Compiling ")).collect();
    assert!(matches!(compiled[..], [own] if own.contains("Compiling skill v") && own.contains("second")), "{told}");
    assert!(!told.contains("first build on this machine"), "{told}");

    // The link to the SDK is not committed: the command that the project's README names first makes it.
    let (second, clone) = (Path::new(&second), world.path("clone"));
    git(second, &["init", "--quiet"]);
    git(second, &["add", "--all"]);
    git(second, &["commit", "--quiet", "--message", "A new skill"]);
    git(second, &["clone", "--quiet", ".", &clone.display().to_string()]);
    assert!(!clone.join(".clawos").exists());
    let readme = std::fs::read_to_string(clone.join("README.md")).expect("a project has one");
    let first = readme.lines().find(|line| line.starts_with("    clawos ") && !line.contains(" exec "));
    assert!(first.is_some_and(|line| line.starts_with("    clawos build ")), "{readme}");
    world.author.run(&["build", &clone.display().to_string()]);
    let mut links = std::fs::read_dir(clone.join(".clawos/sdk")).expect("there is a link").flatten();
    let sdk = links.next().expect("there is a link").path();
    assert!(sdk.join("rust/Cargo.toml").exists(), "{} leads to the SDK", sdk.display());
}
