//! The committed binary, IDL and build record belong together and to the sources.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use clawos_interface::known::PROGRAM_ID;
use clawos_test_skips::replaced;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::harness::{COMMITTED, OTHER_BINARY};
use crate::idl::IDL;

/// What the binary and the IDL were built from.
static BUILD: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(RECORD).expect("the build record is JSON"));
const RECORD: &str = include_str!("../../programs/artifacts/BUILD.json");

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
    assert_eq!(BUILD["binary_sha256"], sha256_hex(COMMITTED));
    let idl = std::fs::read(programs().join("idl/skill_marketplace.json")).expect("the IDL is committed");
    assert_eq!(BUILD["idl_sha256"], sha256_hex(&idl));
    let lock = std::fs::read(programs().join("skill_marketplace/Cargo.lock")).expect("the lock file is committed");
    assert_eq!(BUILD["lock_sha256"], sha256_hex(&lock));
    assert_eq!(BUILD["program_id"], bs58::encode(PROGRAM_ID).into_string());
    assert_eq!(BUILD["program_id"], IDL["address"]);
}

/// Its tools decide whether bytes are compared, so a slip of the pen there must not switch that off. Who forges the record can
/// forge its hash too; then the difference of the tools stands at the end of `make test`.
#[test]
fn the_record_is_as_the_build_wrote_it() {
    let rest: String = RECORD.split_inclusive('\n').filter(|line| !line.contains("\"record_sha256\"")).collect();
    assert_eq!(BUILD["record_sha256"], sha256_hex(rest.as_bytes()), "run `make program`, which writes BUILD.json");
}

/// `anchor build` would work on the same program with the same Anchor.
#[test]
fn anchors_own_file_names_this_program_and_its_anchor() {
    let read = |path: &str| -> toml::Table {
        let text = std::fs::read_to_string(programs().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let (anchor, manifest) = (read("../Anchor.toml"), read("skill_marketplace/Cargo.toml"));
    let id = bs58::encode(PROGRAM_ID).into_string();
    assert_eq!(anchor["programs"]["localnet"]["skill_marketplace"].as_str(), Some(id.as_str()));
    let needed = manifest["dependencies"]["anchor-lang"].as_str().expect("a version");
    assert_eq!(anchor["toolchain"]["anchor_version"].as_str(), Some(needed.trim_start_matches('=')));
    let member = anchor["workspace"]["members"][0].as_str().expect("a path");
    assert!(programs().join("..").join(member).join("Cargo.toml").exists(), "{member} is the program's folder");
}

/// A reminder for whoever changes the sources, no proof: the record is a text file. The bytes below prove it.
#[test]
fn the_sources_are_those_of_the_record() {
    let changed = "the program's sources changed: run `make program` and commit the result";
    assert_eq!(BUILD["source_sha256"], source_hash(), "{changed}");
}

/// The tools that are installed here, as the record names those that built the committed binary.
fn installed() -> Value {
    let toolchain = programs().join("skill_marketplace/toolchain");
    let said = said(&mut Command::new(toolchain.join("versions")));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("toolchain/versions says {said:?}: {error}"))
}

/// What a command that must work prints.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} fails ({}): {errors}", output.status);
    String::from_utf8(output.stdout).expect("it prints text")
}

/// Builds the program from its sources into `out`.
fn rebuild(out: &Path) {
    let mut build = Command::new(programs().join("skill_marketplace/build"));
    build.arg("--so-only").arg(out);
    // The build chooses its own compiler and folders.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO") && name != "CARGO_HOME") {
        build.env_remove(name);
    }
    said(build.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTFLAGS"));
}

/// With the recorded tools the bytes are the committed ones, whatever the record's hashes say: they alone show that the binary
/// comes from these sources. With other tools (Debian ships newer ones) the bytes may differ for no fault of the sources; then
/// the program's tests must pass on what these tools make of them.
#[test]
#[ignore = "rebuilds the program with the tools of `scripts/setup program`; scripts/test runs it where they are"]
fn the_sources_give_the_committed_binary_or_with_other_tools_one_that_passes_the_same_tests() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let out = folder.path().join("skill_marketplace.so");
    rebuild(&out);
    let rebuilt = std::fs::read(&out).expect("the build wrote a file");
    let (recorded, here) = (&BUILD["tools"], installed());
    if here == *recorded {
        assert_eq!(sha256_hex(&rebuilt), sha256_hex(COMMITTED), "the sources give another binary: run `make program`");
        return;
    }
    replaced(
        "the bytes of the committed program are not compared",
        &format!("it was built by {recorded}, the tools here are {here}; the program's tests run on what these make"),
    );
    // Compute units are frozen for the committed bytes.
    let mut tests = Command::new(std::env::current_exe().expect("a running test has a file"));
    tests.args(["--skip", "artifacts::", "--skip", "compute_"]).env(OTHER_BINARY, &out);
    println!("{}", said(&mut tests));
}
