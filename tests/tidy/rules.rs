//! Who may not name what, in shipped code (test code may use what it needs): DESIGN.md, "Layout", as tables.

use std::collections::BTreeSet;

use crate::fail_with;
use crate::parser::Name;
use crate::repository::{PACKAGES, Package, SOURCES, Source, is_in, root};

/// Code in `folders` names none of `paths`, except in `only_in`.
struct Rule {
    folders: &'static [&'static str],
    /// Paths from their first segment; `*` at a segment's end is any ending, `*::` at the start any segments.
    paths: &'static [&'static str],
    /// A folder, a file, or a file's name (which is also the ending `_name`): each with its reason.
    only_in: &'static [(&'static str, &'static str)],
    reason: &'static str,
}

/// The rules of DESIGN.md about names.
const RULES: &[Rule] = &[
    Rule {
        folders: &["runtime/src"],
        paths: &["sqlx", "axum*", "solana_*"],
        only_in: &[],
        reason: "the runtime knows no database, no HTTP and no chain",
    },
    Rule {
        folders: &["server"],
        paths: &["wasmtime*", "bollard*"],
        only_in: &[],
        reason: "the server knows only `dyn Sandbox`",
    },
    Rule {
        folders: &["server"],
        paths: &["clawos_runtime::wasm", "clawos_runtime::WasmSandbox"],
        only_in: &[("server/app/src", "constructs the back end, and is its compile child")],
        reason: "the server knows only `dyn Sandbox`",
    },
    Rule {
        folders: &["server"],
        paths: &["sqlx::query*", "sqlx::raw_sql*", "sqlx::QueryBuilder"],
        only_in: &[("store.rs", "the one place for SQL in a domain")],
        reason: "SQL stands in store.rs only",
    },
    Rule {
        folders: &["server"],
        paths: &["solana_rpc_client*", "solana_pubsub_client*", "clawos_solana::rpc"],
        only_in: &[("server/licensing/src/chain.rs", "the one module that speaks to the chain")],
        reason: "one module speaks to the chain",
    },
    Rule {
        folders: &["server"],
        paths: &["std::env"],
        only_in: &[("server/demo/src/config.rs", "the demo hands its own settings on to the servers it starts")],
        reason: "settings are read in one place",
    },
    Rule {
        folders: &["server"],
        paths: &["axum*", "utoipa*", "tower*", "hyper*"],
        only_in: &[("server/api/src", "the HTTP door"), ("server/app/src", "binds the listener and serves the door")],
        reason: "domains know no HTTP",
    },
    Rule {
        folders: &["server"],
        paths: &["*::App", "*::AppState"],
        only_in: &[("server/api/src", "what a handler is given"), ("server/app/src", "wires it")],
        reason: "a domain takes what it needs as arguments or ports",
    },
    Rule {
        folders: &["skills-sdk", "runtime", "programs"],
        paths: &[
            "clawos_base",
            "clawos_storage",
            "clawos_identity",
            "clawos_registry",
            "clawos_licensing",
            "clawos_execution",
            "clawos_server*",
            "clawos_demo",
        ],
        only_in: &[],
        reason: "nothing outside the server needs the server",
    },
    Rule {
        folders: &["programs/interface/src"],
        paths: &["solana_*", "anchor*"],
        only_in: &[],
        reason: "the rules are usable without Solana's crates",
    },
    Rule {
        folders: &["skills-sdk/api/src"],
        paths: &["axum*", "sqlx", "tokio*", "solana_*", "reqwest"],
        only_in: &[],
        reason: "wire types are data",
    },
];

/// How SQL begins in a string; it stands in `store.rs` only.
const SQL: &[&str] =
    &["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE ", "PRAGMA "];

/// Shipped code that imports with `*`: folder, reason. What is imported so, no rule sees.
const GLOBS: &[(&str, &str)] = &[("programs/skill_marketplace/src", "Anchor's macros want the accounts at the root")];

#[test]
fn parts_name_only_what_they_may() {
    fail_with(RULES.iter().flat_map(|rule| broken(rule, &SOURCES)).collect());
}

#[test]
fn parts_depend_only_on_what_they_may_name() {
    let mut bad = Vec::new();
    for rule in RULES {
        let bound = |package: &&Package| rule.folders.iter().any(|folder| overlap(&package.folder, folder));
        let excused = |package: &&Package| rule.only_in.iter().any(|(place, _)| overlap(&package.folder, place));
        for package in PACKAGES.iter().filter(bound).filter(|package| !excused(package)) {
            let names = package.table("dependencies").map(|(name, _)| name.replace('-', "_"));
            let forbidden = names.filter(|name| rule.paths.iter().any(|pattern| matches(pattern, name)));
            bad.extend(forbidden.map(|name| format!("{} depends on {name}: {}", package.folder, rule.reason)));
        }
    }
    fail_with(bad);
}

#[test]
fn shipped_code_imports_by_name() {
    let mut bad = Vec::new();
    for source in SOURCES.iter().filter(|source| !source.test) {
        let excused = GLOBS.iter().any(|(folder, _)| is_in(&source.path, folder));
        let globs = source.facts.names.iter().filter(|name| !name.test && name.path.ends_with("::*"));
        let globs = globs.filter(|name| !excused && !name.path.ends_with("prelude::*"));
        bad.extend(globs.map(|name| format!("{}:{}: imports `{}`", source.path, name.line, name.path)));
    }
    fail_with(bad);
}

#[test]
fn every_folder_and_exception_of_a_rule_is_needed() {
    let mut bad = Vec::new();
    for rule in RULES {
        let missing = rule.folders.iter().filter(|folder| !root().join(folder).is_dir());
        bad.extend(missing.map(|folder| format!("{folder}: a rule names it and it is not there: {}", rule.reason)));
        let unused = rule.only_in.iter().filter(|(place, _)| {
            let uses = |source: &&Source| is_at(&source.path, place) && names(source, rule).next().is_some();
            !SOURCES.iter().any(|source| uses(&source))
        });
        bad.extend(unused.map(|(place, _)| format!("{place}: an exception that nothing needs: {}", rule.reason)));
    }
    fail_with(bad);
}

#[test]
fn sql_stands_in_stores_only() {
    let mut bad = Vec::new();
    for source in SOURCES.iter().filter(|source| is_in(&source.path, "server") && !source.test) {
        if is_at(&source.path, "store.rs") {
            continue;
        }
        let statements = source.facts.literals.iter().filter(|text| !text.test && is_sql(&text.value));
        bad.extend(statements.map(|text| format!("{}:{}: SQL outside store.rs", source.path, text.line)));
    }
    fail_with(bad);
}

#[test]
fn domains_meet_through_functions_not_through_stores() {
    let ours: BTreeSet<String> =
        PACKAGES.iter().filter(|package| is_in(&package.folder, "server")).map(|package| package.library()).collect();
    let mut bad = Vec::new();
    for source in SOURCES.iter() {
        for name in &source.facts.names {
            let mut segments = name.path.split("::");
            let owner = segments.next().unwrap_or_default();
            let foreign = ours.contains(owner) && source.module.first().is_none_or(|own| own != owner);
            if foreign && segments.any(|segment| segment == "store" || segment.ends_with("_store")) {
                bad.push(format!("{}:{}: `{}` reaches into {owner}'s store", source.path, name.line, name.path));
            }
        }
    }
    fail_with(bad);
}

#[test]
fn a_pattern_matches_whole_segments() {
    assert!(matches("sqlx", "sqlx") && matches("sqlx", "sqlx::Error") && !matches("sqlx", "sqlx_core::Error"));
    assert!(matches("solana_*", "solana_hash::Hash") && !matches("solana_*", "crate::solana_hash"));
    assert!(matches("sqlx::query*", "sqlx::query_as") && matches("sqlx::query*", "sqlx::query!"));
    assert!(matches("*::App", "App") && matches("*::App", "clawos_x::app::App::new") && !matches("*::App", "a::Apps"));
    assert!(!matches("std::env", "std") && !matches("std::env", "std::envelope"));
}

#[test]
fn a_place_is_a_folder_a_file_or_a_files_name() {
    assert!(is_at("server/a/src/x.rs", "server/a") && !is_at("server/ab/src/x.rs", "server/a"));
    assert!(is_at("server/a/chain.rs", "server/a/chain.rs") && is_at("server/a/chain/x.rs", "server/a/chain.rs"));
    assert!(is_at("a/store.rs", "store.rs") && is_at("a/pending_store.rs", "store.rs"));
    assert!(!is_at("a/restore.rs", "store.rs"));
}

#[test]
fn sql_is_told_by_its_first_words() {
    assert!(is_sql("SELECT id FROM agents") && is_sql("\n  INSERT INTO keys VALUES ($1)") && is_sql("PRAGMA optimize"));
    assert!(!is_sql("Select a skill") && !is_sql("UPDATED") && !is_sql("the SELECT is in store.rs"));
}

/// What breaks `rule` in `sources`: one line per file.
fn broken(rule: &Rule, sources: &[Source]) -> Vec<String> {
    let bound = |source: &&Source| rule.folders.iter().any(|folder| is_in(&source.path, folder));
    let excused = |source: &&Source| rule.only_in.iter().any(|(place, _)| is_at(&source.path, place));
    let mut bad = Vec::new();
    for source in sources.iter().filter(bound).filter(|source| !excused(source)) {
        let mut names = names(source, rule);
        if let Some(first) = names.next() {
            let more = names.count();
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            bad.push(format!("{}:{}: names `{}`{more}: {}", source.path, first.line, first.path, rule.reason));
        }
    }
    bad
}

/// What `source` names in shipped code though `rule` forbids it.
fn names<'a>(source: &'a Source, rule: &'a Rule) -> impl Iterator<Item = &'a Name> {
    let shipped = source.facts.names.iter().filter(|name| !source.test && !name.test);
    shipped.filter(|name| rule.paths.iter().any(|pattern| matches(pattern, &name.path)))
}

/// Whether one of two folders or files lies in the other, or they are the same.
fn overlap(one: &str, other: &str) -> bool {
    one == other || is_in(one, other) || is_in(other, one)
}

/// Whether `path` begins as `pattern` says; see [`Rule::paths`].
fn matches(pattern: &str, path: &str) -> bool {
    let path: Vec<&str> = path.split("::").collect();
    match pattern.strip_prefix("*::") {
        Some(pattern) => (0..path.len()).any(|at| begins(pattern, &path[at..])),
        None => begins(pattern, &path),
    }
}

fn begins(pattern: &str, path: &[&str]) -> bool {
    let mut path = path.iter();
    pattern.split("::").all(|wanted| {
        path.next().is_some_and(|segment| match wanted.strip_suffix('*') {
            Some(start) => segment.starts_with(start),
            None => *segment == wanted,
        })
    })
}

/// Whether `file` is the place of an exception: in the folder, the file (or a module below it), or so named.
fn is_at(file: &str, place: &str) -> bool {
    let named = |name: &str| name == place || name.strip_suffix(place).is_some_and(|head| head.ends_with('_'));
    match place.contains('/') {
        true => file == place || is_in(file, place.trim_end_matches(".rs")),
        false => file.rsplit('/').next().is_some_and(named),
    }
}

fn is_sql(text: &str) -> bool {
    SQL.iter().any(|start| text.trim_start().starts_with(start))
}
