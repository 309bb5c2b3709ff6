//! The house rules that a program can check: file and function lengths, a `//!` on every file, who may use whom.
//!
//! An exception is a line in one of the tables below, with its reason.

use std::path::{Path, PathBuf};

/// Lines a file may have, and the limit that no exception lifts.
const FILE_LINES: (usize, usize) = (400, 600);
/// Lines a function may have, and the limit that no exception lifts.
const FUNCTION_LINES: (usize, usize) = (60, 100);

/// Files over the soft limit: path, reason.
const LONG_FILES: &[(&str, &str)] = &[];
/// Functions over the soft limit: path, function, reason.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];

/// Who may not name what: folder, forbidden words, files below it that may, reason.
const FORBIDDEN: &[(&str, &[&str], &[&str], &str)] = &[
    ("runtime/src", &["sqlx", "axum", "solana_"], &[], "the runtime knows no database, no HTTP and no chain"),
    ("server/src", &["wasmtime", "bollard"], &[], "the server knows only `dyn Sandbox`"),
    (
        "server/src",
        &["sqlx::query", "query_as(", "query_scalar("],
        &["store.rs", "tests.rs"],
        "SQL stands in store.rs only",
    ),
    ("server/src", &["solana_rpc_client"], &["licensing/chain.rs"], "one module speaks to the chain"),
    ("server/src", &["std::env"], &["config/"], "settings are read in one place"),
    ("skills-sdk", &["clawos_server"], &[], "what agents link must not need the server"),
    ("programs/interface/src", &["solana_", "anchor"], &[], "the rules are usable without Solana's crates"),
];

#[test]
fn every_file_says_what_it_owns() {
    let mut bad = Vec::new();
    for file in rust_files() {
        let text = read(&file);
        if !text.starts_with("//!") {
            bad.push(format!("{}: does not open with `//!`", shown(&file)));
        }
        if file.file_stem().is_some_and(|name| name == "utils" || name == "helpers" || name == "misc") {
            bad.push(format!("{}: name it after its duty", shown(&file)));
        }
    }
    fail_with(bad);
}

#[test]
fn files_and_functions_stay_short() {
    let mut bad = Vec::new();
    for file in rust_files() {
        let text = read(&file);
        let name = shown(&file);
        let lines = text.lines().count();
        let excused = LONG_FILES.iter().any(|(path, _)| *path == name);
        if lines > FILE_LINES.1 || (lines > FILE_LINES.0 && !excused) {
            bad.push(format!("{name}: {lines} lines"));
        }
        for (function, length) in functions(&text) {
            let excused = LONG_FUNCTIONS.iter().any(|(path, f, _)| *path == name && *f == function);
            if length > FUNCTION_LINES.1 || (length > FUNCTION_LINES.0 && !excused) {
                bad.push(format!("{name}: fn {function} has {length} lines"));
            }
        }
    }
    fail_with(bad);
}

#[test]
fn parts_use_only_what_they_may() {
    let mut bad = Vec::new();
    for (folder, words, except, reason) in FORBIDDEN {
        for file in rust_files() {
            let name = shown(&file);
            if !name.starts_with(&format!("{folder}/")) || except.iter().any(|part| name.contains(part)) {
                continue;
            }
            for (number, line) in code_lines(&read(&file)) {
                if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                    bad.push(format!("{name}:{number}: names `{word}`: {reason}"));
                }
            }
        }
    }
    fail_with(bad);
}

#[test]
fn domains_meet_through_functions_not_through_stores() {
    let domains = ["identity", "registry", "licensing", "execution", "storage", "audit"];
    let mut bad = Vec::new();
    for file in rust_files() {
        let name = shown(&file);
        for domain in domains.iter().filter(|domain| !name.starts_with(&format!("server/src/{domain}/"))) {
            for (number, line) in code_lines(&read(&file)) {
                if name.starts_with("server/src/") && line.contains(&format!("{domain}::store")) {
                    bad.push(format!("{name}:{number}: reaches into {domain}'s store"));
                }
            }
        }
    }
    fail_with(bad);
}

#[test]
fn no_keypair_is_in_the_repository() {
    let mut bad = Vec::new();
    for file in tracked() {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else {
            continue;
        };
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
    for file in tracked().into_iter().filter(|file| file.ends_with("Cargo.toml")) {
        let standalone = ["programs/", "skills-sdk/rust/", "skills-sdk/cli/templates", "bench/", "tests/guests"];
        if file == "Cargo.toml"
            || standalone.iter().any(|folder| file.starts_with(folder) && file != "programs/localnet/Cargo.toml")
        {
            continue;
        }
        let manifest: toml::Table = read(&root().join(&file)).parse().expect("a manifest is TOML");
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, value) in table {
                let shared = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                if !shared {
                    bad.push(format!("{file}: {name} is not taken from the workspace"));
                }
            }
        }
    }
    fail_with(bad);
}

/// (name, lines) of each function, by rustfmt's indentation: the closing brace stands under the `fn`.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(at) = code.find("fn ") else { continue };
        let head = &code[..at];
        let is_head = head.split_whitespace().all(|word| {
            matches!(word, "async" | "unsafe" | "const" | "extern" | "\"C\"")
                || word.starts_with("pub")
                || (word.ends_with(')') && head.contains("pub("))
        });
        if !is_head {
            continue;
        }
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let indent = &line[..line.len() - code.len()];
        let close = format!("{indent}}}");
        if let Some(length) = lines[start..].iter().position(|l| **l == close) {
            found.push((name, length + 1));
        }
    }
    found
}

/// Lines that are neither comments nor blank, with their numbers, up to an inline test module.
fn code_lines(text: &str) -> Vec<(usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line))
        .collect()
}

fn rust_files() -> Vec<PathBuf> {
    let files: Vec<PathBuf> =
        tracked().into_iter().filter(|file| file.ends_with(".rs")).map(|file| root().join(file)).collect();
    assert!(!files.is_empty(), "no Rust file found: is this a git checkout?");
    files
}

/// Every file git tracks or would track, relative to the root.
fn tracked() -> Vec<String> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let listed = String::from_utf8(output.stdout).expect("paths are UTF-8");
    listed.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent")
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn fail_with(bad: Vec<String>) {
    assert!(bad.is_empty(), "{} to mend:\n{}", bad.len(), bad.join("\n"));
}
