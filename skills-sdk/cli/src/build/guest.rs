//! Runs cargo on a Rust skill and hands back its component.
//!
//! The same source, lock file and compiler give the same bytes: versions are locked, the profile is fixed here,
//! one codegen unit, folder names removed. What does not depend on the project is compiled once for all of them
//! ([`super::cache`]).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use tempfile::NamedTempFile;

use super::cache::{BuildCache, FLAGS_FILE, Place};
use super::compiler::Compiler;
use super::sources::{self, Written};
use super::workspace::{Project, Workspace};
use super::{BuildError, component};

/// The parts of the release profile that are not the author's choice: what a trap is, and what makes bytes repeat.
const PROFILE: [(&str, &str); 6] = [
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "none"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "false"),
];

/// What is said when nothing was compiled by this compiler before. Measured on two cores.
const FIRST_BUILD: &str = "the first build on this machine: the standard library, the SDK and its dependencies are compiled \
                           once for all projects, which takes one to three minutes; later builds take seconds";

/// The same, of a project that has its part of the cache to itself.
const FIRST_BUILD_ALONE: &str = "the first build of this project: it has a build script or further crates of its own, so \
                                 the standard library and the SDK are compiled for it alone, which takes one to three \
                                 minutes; later builds take seconds";

/// How much of what cargo said an error carries, in bytes: the last few errors and the summary.
const MAX_SAID_BYTES: usize = 4 << 10;

/// Separates flags in `CARGO_ENCODED_RUSTFLAGS`.
const FLAG_SEPARATOR: &str = "\x1f";

/// Builds the Rust project in `folder` and returns its component. `sdks` is where the copies of the SDK are that all
/// projects share. `progress` gets one line at a time: which compiler it is, and what cargo says.
///
/// # Errors
/// See [`BuildError`]; each message says what to do.
pub fn build_rust(
    folder: &Path,
    sdks: &Path,
    cache: &BuildCache,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<u8>, BuildError> {
    let manifest = folder.join("Cargo.toml").canonicalize().map_err(|_| BuildError::NotAProject(folder.to_owned()))?;
    let compiler = Compiler::find(folder)?;
    progress(&format!("compiling with {}", compiler.description()));
    let workspace = Workspace::read(&compiler, &manifest)?;
    let project = workspace.project(&manifest, sdks);
    let key = format!("{}\n{:?}\n{:?}", compiler.version(folder)?, compiler.flags(), project.alone());
    let place = cache.place(&key, progress)?;
    if place.is_new {
        progress(if project.alone().is_some() { FIRST_BUILD_ALONE } else { FIRST_BUILD });
    }
    forget_written(&compiler, &project, &manifest, &place)?;
    let flags =
        flags_file(&workspace, &place).map_err(|source| BuildError::Read { path: place.target.clone(), source })?;
    let module = run(cargo_build(&compiler, &workspace, &manifest, &place, flags.path()), &manifest, progress)?;
    let bytes = std::fs::read(&module).map_err(|source| BuildError::Read { path: module, source })?;
    let component = component::from_wasm(&bytes)?;
    if !component::interface(&component)?.exports.iter().any(|export| export == "run") {
        return Err(BuildError::NotASkill);
    }
    Ok(component)
}

/// Has cargo compile those packages in folders anew that were written since it compiled them here, whatever their times say.
fn forget_written(
    compiler: &Compiler,
    project: &Project<'_>,
    manifest: &Path,
    place: &Place,
) -> Result<(), BuildError> {
    let written = sources::written(&place.target, &project.folders());
    if !written.is_empty() && !place.is_new {
        let mut cargo = compiler.cargo();
        cargo.args(["clean", "--release", "--target", compiler.target(), "--manifest-path"]).arg(manifest);
        cargo.args(written.iter().flat_map(|each| ["--package", each.package]));
        cargo.env("CARGO_TARGET_DIR", &place.target).stdin(Stdio::null());
        let output =
            cargo.output().map_err(|source| BuildError::Start { program: cargo.get_program().into(), source })?;
        if !output.status.success() {
            return Err(BuildError::Project(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
    }
    let record = |each: &Written<'_>| each.record();
    written.iter().try_for_each(record).map_err(|source| BuildError::Cache { path: place.target.clone(), source })
}

/// Writes the flags that the compiler gets and cargo does not see, one a line.
fn flags_file(workspace: &Workspace, place: &Place) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    for flag in workspace.remappings(&place.target) {
        writeln!(file, "{flag}")?;
    }
    Ok(file)
}

fn cargo_build(compiler: &Compiler, workspace: &Workspace, manifest: &Path, place: &Place, flags: &Path) -> Command {
    let mut cargo = compiler.cargo();
    cargo
        .args(["rustc", "--lib", "--release", "--message-format=json-render-diagnostics", "--target"])
        .arg(compiler.target())
        .args(compiler.arguments())
        .arg("--manifest-path")
        .arg(manifest)
        .envs(PROFILE)
        .env("CARGO_ENCODED_RUSTFLAGS", compiler.flags().join(FLAG_SEPARATOR))
        .env("CARGO_TARGET_DIR", &place.target)
        .env("RUSTC_WRAPPER", &place.wrapper)
        .env(FLAGS_FILE, flags)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if workspace.is_locked() {
        cargo.arg("--locked");
    }
    // Flags of this crate alone, which cargo sees. The first tells projects of the same name apart; the second changes
    // nothing that is compiled, and has cargo compile it when a file was written.
    let stamp = sources::stamp(manifest.parent().expect("a file is in a folder"));
    cargo.arg("--").arg(workspace.root_remapping()).arg(format!("--remap-path-prefix=/files-{stamp}=/files"));
    cargo
}

/// Runs cargo to its end and returns the module's path.
fn run(mut cargo: Command, manifest: &Path, progress: &mut dyn FnMut(&str)) -> Result<PathBuf, BuildError> {
    let mut child =
        cargo.spawn().map_err(|source| BuildError::Start { program: cargo.get_program().into(), source })?;
    let mut said = String::new();
    let mut listen = |line: &str| {
        progress(line);
        keep_end(&mut said, line);
    };
    let module = messages(&mut child, manifest, &mut listen);
    let status = child.wait().map_err(|source| BuildError::Start { program: cargo.get_program().into(), source })?;
    if !status.success() {
        return Err(BuildError::Compile { status, said });
    }
    module.ok_or(BuildError::NoModule)
}

/// Adds a line and forgets the oldest beyond [`MAX_SAID_BYTES`].
fn keep_end(said: &mut String, line: &str) {
    said.push_str(line);
    said.push('\n');
    let excess = said.len().saturating_sub(MAX_SAID_BYTES);
    said.drain(..said.ceil_char_boundary(excess));
}

/// Passes on what cargo says on one pipe while a thread reads the other, so that neither fills up.
fn messages(child: &mut Child, manifest: &Path, progress: &mut dyn FnMut(&str)) -> Option<PathBuf> {
    let stdout = child.stdout.take()?;
    let stderr = child.stderr.take()?;
    std::thread::scope(|scope| {
        let modules = scope.spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.filter_map(|line| module_in(&line, manifest)).last()
        });
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            progress(&line);
        }
        modules.join().ok().flatten()
    })
}

/// One of cargo's messages about an artefact.
#[derive(Deserialize)]
struct Artefact {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// The project's module, if this message is about it.
fn module_in(line: &str, manifest: &Path) -> Option<PathBuf> {
    let artefact: Artefact = serde_json::from_str(line).ok()?;
    if artefact.reason != "compiler-artifact" || artefact.manifest_path != manifest {
        return None;
    }
    artefact.filenames.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    //! Cargo's messages, and what a folder without a project gets. Whole builds are tested end to end.

    use super::*;

    #[test]
    fn the_projects_module_is_found_among_cargos_messages() {
        let manifest = Path::new("/p/Cargo.toml");
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","filenames":["/t/libp.rlib","/t/p.wasm"],"fresh":true}"#;
        assert_eq!(module_in(line, manifest), Some(PathBuf::from("/t/p.wasm")));
        for other in [
            &line.replace("/p/Cargo", "/q/Cargo"),
            &line.replace("p.wasm", "p.so"),
            r#"{"reason":"build-finished","success":true}"#,
            "not JSON",
        ] {
            assert_eq!(module_in(other, manifest), None, "{other}");
        }
    }

    #[test]
    fn the_end_of_what_cargo_said_is_kept() {
        let mut said = String::new();
        keep_end(&mut said, "error: one");
        keep_end(&mut said, "error: two");
        assert_eq!(said, "error: one\nerror: two\n");
        keep_end(&mut said, &"ü".repeat(MAX_SAID_BYTES));
        assert!(said.len() <= MAX_SAID_BYTES && said.ends_with("ü\n"));
    }

    #[test]
    fn a_folder_without_cargo_toml_is_no_project() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BuildCache::new(folder.path().join("cache"));
        let build = |folder: &Path| build_rust(folder, &folder.join("sdks"), &cache, &mut |_| ());
        let error = build(folder.path()).unwrap_err();
        assert!(matches!(error, BuildError::NotAProject(_)), "{error}");
    }
}
