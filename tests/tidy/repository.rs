//! The repository's files, read once: what git tracks, the packages, the Rust sources. And what may not be in it.

use std::path::Path;
use std::sync::LazyLock;

use crate::fail_with;
use crate::parser::{Facts, parse};

/// Folders whose code is test code wherever it stands.
const TEST_FOLDERS: &[&str] = &["tests", "benches"];
/// Packages that other compilers or other lock files build: they pin what they use themselves.
const STANDALONE: &[&str] =
    &["programs/interface/", "programs/skill_marketplace/", "skills-sdk/rust/", "bench/", "tests/guests/"];

/// A `Cargo.toml` with a `[package]`.
pub(crate) struct Package {
    /// Relative to the root.
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) manifest: toml::Table,
}

impl Package {
    /// The crate's name in Rust.
    pub(crate) fn library(&self) -> String {
        let named = self.manifest.get("lib").and_then(|lib| lib.get("name")).and_then(toml::Value::as_str);
        named.map_or_else(|| self.name.replace('-', "_"), str::to_owned)
    }

    /// A dependency table's entries.
    pub(crate) fn table(&self, section: &str) -> impl Iterator<Item = (&String, &toml::Value)> {
        self.manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten()
    }
}

/// A Rust file.
pub(crate) struct Source {
    /// Relative to the root.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The crate's name in Rust, then the modules down to this file's.
    pub(crate) module: Vec<String>,
    /// Whether all of it is test code.
    pub(crate) test: bool,
    pub(crate) facts: Facts,
}

/// Every package, by folder.
pub(crate) static PACKAGES: LazyLock<Vec<Package>> = LazyLock::new(|| {
    let manifests = tracked().iter().filter(|file| file.ends_with("Cargo.toml"));
    let packages = manifests.filter_map(|file| {
        let manifest: toml::Table = read(file).parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
        let folder = file.strip_suffix("/Cargo.toml")?.to_owned();
        Some(Package { folder, name, manifest })
    });
    packages.collect()
});

/// Every Rust file.
pub(crate) static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let files = tracked().iter().filter(|file| file.ends_with(".rs"));
    let mut sources: Vec<Source> = files.map(|file| source(file)).collect();
    assert!(!sources.is_empty(), "no Rust file found: is this a git checkout?");
    let tests: Vec<String> = sources.iter().flat_map(test_files).collect();
    for source in &mut sources {
        source.test |= tests.iter().any(|file| match source.path.strip_prefix(file.trim_end_matches(".rs")) {
            Some(rest) => rest == ".rs" || rest.starts_with('/'),
            None => false,
        });
    }
    sources
});

static TRACKED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let listed = String::from_utf8(output.stdout).expect("paths are UTF-8");
    listed.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect()
});

/// Every file that git tracks or would track, relative to the root.
fn tracked() -> &'static [String] {
    &TRACKED
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent")
}

/// Whether `file` lies in `folder`; both relative to the root.
pub(crate) fn is_in(file: &str, folder: &str) -> bool {
    file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn source(file: &str) -> Source {
    let package = PACKAGES.iter().filter(|package| is_in(file, &package.folder)).max_by_key(|p| p.folder.len());
    let (library, folder) = package.map_or((String::new(), ""), |p| (p.library(), p.folder.as_str()));
    let inside = file[folder.len()..].trim_start_matches('/');
    let module = match inside.strip_prefix("src/") {
        Some(inside) => [vec![library], modules(inside)].concat(),
        None => vec!["crate".to_owned()],
    };
    let text = read(file);
    let facts = parse(&text, &module).unwrap_or_else(|error| panic!("{file}:{}: {error}", error.span().start().line));
    let test = file.split('/').any(|folder| TEST_FOLDERS.contains(&folder));
    Source { path: file.to_owned(), text, module, test, facts }
}

/// The module path of a file below `src`.
fn modules(inside: &str) -> Vec<String> {
    let stem = inside.trim_end_matches(".rs");
    let stem = if matches!(stem, "lib" | "main") { "" } else { stem.trim_end_matches("/mod") };
    stem.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The files that `source` declares as test code, without `.rs` unless `#[path]` says it.
fn test_files(source: &Source) -> Vec<String> {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let children = match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => source.path.trim_end_matches(".rs").to_owned(),
    };
    let beside = |name: &String| if name.ends_with(".rs") { folder.to_owned() } else { children.clone() };
    source.facts.test_files.iter().map(|name| format!("{}/{name}", beside(name))).collect()
}

#[test]
fn no_keypair_is_in_the_repository() {
    let mut bad = Vec::new();
    for file in tracked() {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        let numbers = text.trim().strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        let bytes = numbers.map(|t| t.split(',').filter(|n| n.trim().parse::<u8>().is_ok()).count());
        if bytes == Some(64) || text.contains(concat!("BEGIN ", "PRIVATE KEY")) {
            bad.push(format!("{file}: looks like a secret key"));
        }
    }
    fail_with(bad);
}

#[test]
fn every_dependency_is_pinned_at_the_root() {
    let mut bad = Vec::new();
    let standalone = |package: &&Package| STANDALONE.iter().any(|f| format!("{}/", package.folder).starts_with(f));
    for package in PACKAGES.iter().filter(|package| !standalone(package)) {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in package.table(section) {
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    bad.push(format!("{}/Cargo.toml: {name} is not taken from the workspace", package.folder));
                }
            }
        }
    }
    fail_with(bad);
}

#[test]
fn the_workspace_pins_exact_versions() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("a manifest is TOML");
    let pins = manifest["workspace"]["dependencies"].as_table().expect("the workspace lists its dependencies");
    let exact = |value: &toml::Value| {
        let version = value.as_str().or_else(|| value.get("version").and_then(toml::Value::as_str));
        version.is_some_and(|version| version.starts_with('=')) || value.get("path").is_some()
    };
    fail_with(pins.iter().filter(|(_, pin)| !exact(pin)).map(|(name, _)| format!("{name}: pin it with `=`")).collect());
}
