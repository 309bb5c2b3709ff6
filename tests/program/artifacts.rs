//! The committed binary, IDL and build record belong together and to the sources; the same tools give the same bytes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use clawos_interface::known::PROGRAM_ID;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::harness::BINARY;
use crate::idl::IDL;

/// What the binary and the IDL were built from.
static BUILD: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../programs/artifacts/BUILD.json")).expect("the build record is JSON")
});

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs").canonicalize().expect("programs/ is beside tests/")
}

/// Every file under `path`, as `toolchain/source-hash` lists them.
fn files(path: &Path, into: &mut Vec<PathBuf>) {
    if path.is_file() {
        into.push(path.to_owned());
    } else if path.file_name().is_some_and(|name| name != "target") {
        for entry in std::fs::read_dir(path).expect("a source folder can be read") {
            files(&entry.expect("a source folder can be read").path(), into);
        }
    }
}

/// The rule of `toolchain/source-hash`.
fn source_hash() -> String {
    let root = programs();
    let mut all = Vec::new();
    for part in ["interface/Cargo.toml", "interface/src"] {
        files(&root.join(part), &mut all);
    }
    for part in ["Cargo.toml", "Cargo.lock", "src", "toolchain"] {
        files(&root.join("skill_marketplace").join(part), &mut all);
    }
    all.retain(|path| path.file_name().is_some_and(|name| name != "tests.rs"));
    let name = |path: &Path| path.strip_prefix(&root).expect("under programs/").display().to_string();
    let mut named: Vec<_> = all.into_iter().map(|path| (name(&path), path)).collect();
    named.sort();
    let line = |(name, path): &(String, PathBuf)| {
        format!("{}  {name}\n", sha256_hex(&std::fs::read(path).expect("a source file can be read")))
    };
    sha256_hex(named.iter().map(line).collect::<String>().as_bytes())
}

#[test]
fn the_record_names_the_committed_files() {
    assert_eq!(BUILD["binary_sha256"], sha256_hex(BINARY));
    let idl = std::fs::read(programs().join("idl/skill_marketplace.json")).expect("the IDL is committed");
    assert_eq!(BUILD["idl_sha256"], sha256_hex(&idl));
    let lock = std::fs::read(programs().join("skill_marketplace/Cargo.lock")).expect("the lock file is committed");
    assert_eq!(BUILD["lock_sha256"], sha256_hex(&lock));
    assert_eq!(BUILD["program_id"], bs58::encode(PROGRAM_ID).into_string());
    assert_eq!(BUILD["program_id"], IDL["address"]);
}

#[test]
fn the_sources_are_those_it_was_built_from() {
    let changed = "the program's sources changed: run `make program` and commit the result";
    assert_eq!(BUILD["source_sha256"], source_hash(), "{changed}");
}

/// Whether the bytes can be compared here.
enum Tools {
    /// The recorded ones are installed.
    Same,
    /// Debian ships another compiler by now: its bytes would differ for no fault of the sources.
    OtherCompiler(String),
    /// Something that `make program` installs is not there.
    Missing(String),
}

fn tools() -> Tools {
    let found = Command::new(programs().join("skill_marketplace/toolchain/tools-dir")).output().expect("it starts");
    let tools = Path::new(String::from_utf8_lossy(&found.stdout).trim()).join("bin");
    let rustc = PathBuf::from("/usr/bin/rustc");
    let needed = [rustc.clone(), PathBuf::from("/usr/bin/cargo"), tools.join("bpf-linker"), tools.join("sbpf-link")];
    if let Some(tool) = needed.iter().find(|tool| !tool.exists()) {
        return Tools::Missing(format!("{} is not there", tool.display()));
    }
    let version = Command::new(rustc).arg("--version").output().expect("the compiler starts");
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    if BUILD["tools"]["rustc"] == version {
        return Tools::Same;
    }
    Tools::OtherCompiler(format!("/usr/bin/rustc is {version:?}, the binary was built by {}", BUILD["tools"]["rustc"]))
}

#[test]
fn the_same_tools_give_the_same_bytes() {
    match tools() {
        Tools::Same => {}
        Tools::OtherCompiler(version) => {
            println!("skipped: {version}; `make program` renews the record");
            return;
        }
        Tools::Missing(tool) => {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{tool}: `make program` installs the tools");
            println!("skipped: {tool} (`make program` installs the tools)");
            return;
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let out = folder.path().join("skill_marketplace.so");
    let mut build = Command::new(programs().join("skill_marketplace/build"));
    build.arg("--so-only").arg(&out);
    // The build chooses its own compiler and folders.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO") && name != "CARGO_HOME") {
        build.env_remove(name);
    }
    let status = build.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTFLAGS").status().expect("the build starts");
    assert!(status.success(), "the program builds");
    let rebuilt = std::fs::read(out).expect("the build wrote a file");
    assert_eq!(sha256_hex(&rebuilt), sha256_hex(BINARY), "the sources give another binary: run `make program`");
}
