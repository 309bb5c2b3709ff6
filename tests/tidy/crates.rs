//! Which crate of ours may use which, by the dependencies in each `Cargo.toml`.

use std::collections::BTreeSet;

use crate::fail_with;
use crate::repository::{PACKAGES, Package, is_in};

/// The server's crates in order: one may use only those before it. `clawos-demo` plays with the real command from
/// outside, so it stands first.
const SERVER: &[&str] = &[
    "clawos-demo",
    "clawos-config",
    "clawos-base",
    "clawos-storage",
    "clawos-identity",
    "clawos-registry",
    "clawos-licensing",
    "clawos-execution",
    "clawos-server-api",
    "clawos-server",
];

/// Crates of the server that not every later crate may use: crate, its only users, reason.
const USED_ONLY_BY: &[(&str, &[&str], &str)] = &[
    ("clawos-demo", &["clawos-server"], "the demo is a command, not a part"),
    ("clawos-server-api", &["clawos-server"], "a door is opened by the wiring alone"),
];

/// What of ours the server's crates may use outside the server.
const SERVER_USES: &[&str] =
    &["clawos-interface", "clawos-receipts", "clawos-manifest", "clawos-runtime", "clawos-api", "clawos-solana"];

/// What of ours each crate outside the server may use.
const OTHERS: &[(&str, &[&str])] = &[
    ("clawos-interface", &[]),
    ("clawos-receipts", &["clawos-interface"]),
    ("clawos-manifest", &["clawos-interface", "clawos-receipts"]),
    ("clawos-api", &["clawos-interface", "clawos-receipts", "clawos-manifest"]),
    ("clawos-solana", &["clawos-interface"]),
    ("clawos-runtime", &["clawos-manifest"]),
    ("clawos-verifier", &["clawos-interface", "clawos-receipts", "clawos-manifest", "clawos-runtime"]),
    ("clawos-client", &["clawos-interface", "clawos-receipts", "clawos-api", "clawos-solana"]),
    (
        "clawos-cli",
        &[
            "clawos-interface",
            "clawos-receipts",
            "clawos-manifest",
            "clawos-api",
            "clawos-solana",
            "clawos-runtime",
            "clawos-verifier",
            "clawos-client",
        ],
    ),
    ("clawos-localnet", &["clawos-interface", "clawos-solana"]),
    ("clawos-skill", &["clawos-skill-macros"]),
    ("clawos-skill-macros", &[]),
];

/// Folders whose crates may use any of ours: they are measured, tested with, or built elsewhere.
const FREE: &[&str] = &["bench", "tests", "programs/skill_marketplace", "skills-sdk/rust/examples"];

/// Crates whose dependencies are all listed: folder, what it may use, what of that must be optional, reason.
const LEAVES: &[(&str, &[&str], &[&str], &str)] = &[(
    "skills-sdk/api",
    &["clawos-interface", "clawos-receipts", "clawos-manifest", "serde", "serde_json", "time", "utoipa"],
    &["utoipa"],
    "server, client and command share the wire types, so they cost nobody a framework",
)];

#[test]
fn every_crate_of_the_server_uses_only_crates_before_it() {
    let mut bad: Vec<String> = SERVER
        .iter()
        .filter(|name| !PACKAGES.iter().any(|package| package.name == **name))
        .map(|name| format!("{name}: a rule names it and it is not there"))
        .collect();
    for package in PACKAGES.iter().filter(|package| is_in(&package.folder, "server")) {
        let Some(place) = SERVER.iter().position(|name| *name == package.name) else {
            bad.push(format!("{}: give {} a place in `SERVER`", package.folder, package.name));
            continue;
        };
        for used in ours(package, &["dependencies", "build-dependencies", "dev-dependencies"]) {
            let Some(at) = SERVER.iter().position(|name| *name == used) else { continue };
            let reserved =
                USED_ONLY_BY.iter().find(|(name, users, _)| *name == used && !users.contains(&&*package.name));
            if at >= place {
                bad.push(format!("{} uses {used}, which stands after it", package.name));
            } else if let Some((_, _, reason)) = reserved {
                bad.push(format!("{} uses {used}: {reason}", package.name));
            }
        }
    }
    fail_with(bad);
}

#[test]
fn crates_use_each_other_in_one_direction() {
    let mut bad = Vec::new();
    for package in PACKAGES.iter() {
        let server = is_in(&package.folder, "server");
        if FREE.iter().any(|folder| package.folder == *folder || is_in(&package.folder, folder)) {
            continue;
        }
        let listed = OTHERS.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| *allowed);
        let Some(allowed) = listed.or(server.then_some(SERVER_USES)) else {
            bad.push(format!("{}: give {} a line in `OTHERS`", package.folder, package.name));
            continue;
        };
        for used in ours(package, &["dependencies", "build-dependencies"]) {
            let in_order = server && SERVER.contains(&&*used);
            if !in_order && !allowed.contains(&&*used) {
                bad.push(format!("{} may not use {used}", package.name));
            }
        }
    }
    let missing = OTHERS.iter().filter(|(name, _)| !PACKAGES.iter().any(|package| package.name == *name));
    bad.extend(missing.map(|(name, _)| format!("{name}: a rule names it and it is not there")));
    fail_with(bad);
}

#[test]
fn leaf_crates_use_only_what_is_listed() {
    let mut bad = Vec::new();
    for (folder, allowed, optional, reason) in LEAVES {
        let Some(package) = PACKAGES.iter().find(|package| package.folder == *folder) else {
            bad.push(format!("{folder}: a rule names it and it is not there"));
            continue;
        };
        for (name, value) in package.table("dependencies") {
            let is_optional = value.get("optional").and_then(toml::Value::as_bool) == Some(true);
            if !allowed.contains(&name.as_str()) {
                bad.push(format!("{folder} uses {name}: {reason}"));
            } else if optional.contains(&name.as_str()) && !is_optional {
                bad.push(format!("{folder}: {name} stands behind a feature: {reason}"));
            }
        }
    }
    fail_with(bad);
}

#[test]
fn the_graph_of_crates_is_shown() {
    let lines = PACKAGES.iter().map(|package| {
        let used: Vec<String> = ours(package, &["dependencies", "build-dependencies"]).into_iter().collect();
        format!("  {} -> {}\n", package.name, if used.is_empty() { "nothing".to_owned() } else { used.join(", ") })
    });
    println!("crates of ours and what they use:\n{}", lines.collect::<String>());
}

/// The crates of this repository that `package` names in `sections`, but for itself.
fn ours(package: &Package, sections: &[&str]) -> BTreeSet<String> {
    let used = sections.iter().flat_map(|section| package.table(section)).map(|(name, _)| name);
    let ours = used.filter(|name| **name != package.name && PACKAGES.iter().any(|other| other.name == **name));
    ours.cloned().collect()
}
