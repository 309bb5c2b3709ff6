//! Real skills, built from source once for each test process by `clawos build`, and copied into the tests' folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clawos_test_skips::skip;

use crate::processes::Clawos;

/// Usage-priced in USDC: text statistics.
pub const TEXT_STATS: &str = "acme.text-stats";
/// One-time priced in SOL: Markdown to HTML.
pub const MARKDOWN_HTML: &str = "acme.markdown-html";
/// By the month in USDC: CSV to JSON.
pub const CSV_JSON: &str = "acme.csv-json";
/// Usage-priced in USDC: misbehaves on request.
pub const LOOPS: &str = "acme.loops";

/// Where they are in the repository.
const PROJECTS: [(&str, &str); 4] = [
    (TEXT_STATS, "skills-sdk/rust/examples/text-stats"),
    (MARKDOWN_HTML, "skills-sdk/rust/examples/markdown-html"),
    (CSV_JSON, "skills-sdk/rust/examples/csv-json"),
    (LOOPS, "tests/guests/loops"),
];
/// What of a project is published.
const PUBLISHED: [&str; 5] = ["skill.toml", "skill.wasm", "README.md", "schemas", "examples"];

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository")
}

/// Builds the skills; false, after [`skip`], where no compiler for guests is installed.
///
/// # Panics
/// When one does not build, and with `CI=true` when there is no compiler.
pub fn available() -> bool {
    static BUILT: OnceLock<bool> = OnceLock::new();
    *BUILT.get_or_init(build)
}

fn build() -> bool {
    let home = crate::scratch::folder("guests");
    let clawos = Clawos::new(home, "http://127.0.0.1:9", "http://127.0.0.1:9");
    for (id, project) in PROJECTS {
        let folder = repository().join(project).display().to_string();
        match clawos.attempt(&["build", &folder]) {
            Ok(_) => {}
            Err(refusal) if refusal.problem.to_string().contains("no Rust compiler here can build") => {
                skip("what runs real skills", "no compiler for guests: scripts/setup demo");
                return false;
            }
            Err(refusal) => panic!("{id} does not build: {refusal:#?}"),
        }
    }
    true
}

/// Copies what is published of a skill into `folder/NAME`; gives that folder.
///
/// # Panics
/// When it has not been built.
pub fn copy(id: &str, folder: &Path) -> PathBuf {
    let (_, project) = PROJECTS.iter().find(|(known, _)| *known == id).expect("one of our skills");
    let from = repository().join(project);
    let to = folder.join(id);
    for name in PUBLISHED {
        copy_all(&from.join(name), &to.join(name));
    }
    to
}

fn copy_all(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("a folder of the repository") {
            let name = entry.expect("a folder of the repository").file_name();
            copy_all(&from.join(&name), &to.join(&name));
        }
        return;
    }
    fs::create_dir_all(to.parent().expect("a file is in a folder")).expect("the test's folder can be written");
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}
