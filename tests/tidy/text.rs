//! How a Rust file looks: its header, its name, its length, nothing left to write.

use crate::fail_with;
use crate::repository::SOURCES;

/// Lines a file may have, and the limit that no exception lifts.
const FILE_LINES: (usize, usize) = (400, 600);
/// Lines a function may have, and the limit that no exception lifts.
const FUNCTION_LINES: (usize, usize) = (60, 100);

/// Files over the soft limit: path, reason.
const LONG_FILES: &[(&str, &str)] = &[];
/// Functions over the soft limit: path, function, reason.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];

/// Names that say nothing about a duty: as a file or as a folder.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "misc", "common"];
/// Files that keep such a name: path, reason.
const NAMED_SO: &[(&str, &str)] = &[];

#[test]
fn every_file_says_what_it_owns() {
    let silent = SOURCES.iter().filter(|source| !source.text.starts_with("//!"));
    fail_with(silent.map(|source| format!("{}: does not open with `//!`", source.path)).collect());
}

#[test]
fn every_file_is_named_after_its_duty() {
    let empty = |path: &str| path.trim_end_matches(".rs").split('/').any(|name| EMPTY_NAMES.contains(&name));
    let excused = |path: &str| NAMED_SO.iter().any(|(named, _)| *named == path);
    let bad = SOURCES.iter().filter(|source| empty(&source.path) && !excused(&source.path));
    fail_with(bad.map(|source| format!("{}: name it after its duty", source.path)).collect());
}

#[test]
fn files_and_functions_stay_short() {
    let mut bad = Vec::new();
    for source in SOURCES.iter() {
        let name = &source.path;
        let lines = source.text.lines().count();
        let excused = LONG_FILES.iter().any(|(path, _)| path == name);
        if lines > FILE_LINES.1 || (lines > FILE_LINES.0 && !excused) {
            bad.push(format!("{name}: {lines} lines"));
        }
        for function in &source.facts.functions {
            let excused = LONG_FUNCTIONS.iter().any(|(path, f, _)| path == name && *f == function.name);
            if function.lines > FUNCTION_LINES.1 || (function.lines > FUNCTION_LINES.0 && !excused) {
                bad.push(format!("{name}: fn {} has {} lines", function.name, function.lines));
            }
        }
    }
    fail_with(bad);
}

#[test]
fn nothing_is_left_to_write() {
    let mut bad = Vec::new();
    for source in SOURCES.iter() {
        let open = |path: &str| matches!(path.rsplit("::").next(), Some("todo!" | "unimplemented!"));
        let places = source.facts.names.iter().filter(|name| open(&name.path));
        bad.extend(places.map(|name| format!("{}:{}: `{}`", source.path, name.line, name.path)));
    }
    fail_with(bad);
}
