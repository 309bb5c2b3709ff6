//! Builds of projects that cargo could mix up in the cache that all projects share: their packages have the same names and
//! versions, and other code.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clawos_tests::guests;
use clawos_tests::processes::Clawos;

/// An address at which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";
/// What the template says of a text with a NUL character: words that end up in the component.
const TEMPLATE_TEXT: &str = "\"text: this is not text, it has a NUL character in it\"";

/// Writes a file with a time long past, as an archive does.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the test's folder can be written");
    fs::write(path, text).expect("the test's folder can be written");
    let file = File::options().write(true).open(path).expect("it was written");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)).expect("its time can be set");
}

/// A library with one constant.
fn library(folder: &Path, name: &str, mark: &str) {
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    write(&folder.join("Cargo.toml"), &manifest);
    write(&folder.join("src/lib.rs"), &format!("pub const MARK: &str = \"{name} of {mark}; \";\n"));
}

/// Projects below one folder, which stays where it is, so that only the first run compiles everything.
struct Projects {
    folder: PathBuf,
    author: Clawos,
}

impl Projects {
    /// None, after a word about it, where no compiler for guests is installed.
    fn new(name: &str) -> Option<Projects> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("builds").join(name);
        let author = Clawos::new(folder.join("home"), NOBODY, NOBODY);
        guests::available().then_some(Projects { folder, author })
    }

    /// A new project in place of the one that was there. It says the words of these crates that it depends on: `inside` is
    /// in its own folder, `outside` beside it, and `script` is what its build script writes.
    fn create(&self, name: &str, parts: &[&str], mark: &str) {
        let folder = self.folder.join(name);
        let (inside, outside) = (folder.join("inside"), self.folder.join(format!("{name}-outside")));
        for old in [&folder, &outside] {
            let _ = fs::remove_dir_all(old);
        }
        self.author.run(&["new", "word-count", "--publisher", "acme", "--dir", &folder.display().to_string()]);
        let (manifest, source) = (folder.join("Cargo.toml"), folder.join("src/lib.rs"));
        let mut dependencies = String::new();
        let mut text = Vec::new();
        for part in parts {
            match *part {
                "inside" => {
                    library(&inside, part, mark);
                    dependencies.push_str("inside = { path = \"inside\" }\n");
                    text.push("inside::MARK".to_owned());
                }
                "outside" => {
                    library(&outside, part, mark);
                    dependencies.push_str(&format!("outside = {{ path = \"../{name}-outside\" }}\n"));
                    text.push("outside::MARK".to_owned());
                }
                _ => {
                    let script = format!(
                        "fn main() {{\n    let file = std::env::var(\"OUT_DIR\").unwrap() + \"/mark\";\n    \
                         std::fs::write(file, \"script of {mark}; \").unwrap();\n    \
                         println!(\"cargo::rerun-if-changed=build.rs\");\n}}\n"
                    );
                    write(&folder.join("build.rs"), &script);
                    text.push("include_str!(concat!(env!(\"OUT_DIR\"), \"/mark\"))".to_owned());
                }
            }
        }
        let edit = |path: &Path, from: &str, to: &str| {
            let before = fs::read_to_string(path).expect("the template has it");
            assert!(before.contains(from), "{from} is not in {}", path.display());
            write(path, &before.replace(from, to));
        };
        edit(&manifest, "[dependencies]\n", &format!("[dependencies]\n{dependencies}"));
        edit(&source, TEMPLATE_TEXT, &format!("[{}].concat()", text.join(", ")));
    }

    /// The words in the project's component that its parts wrote.
    fn built(&self, name: &str) -> Vec<String> {
        let folder = self.folder.join(name);
        let report = self.author.run(&["build", &folder.display().to_string()]);
        let artifact = report["artifact"].as_str().expect("a path");
        let component = fs::read(artifact).expect("it was built");
        let text = String::from_utf8_lossy(&component).into_owned();
        let words = |part: &str| {
            let begin = text.find(&format!("{part} of "))?;
            text[begin..].split_once("; ").map(|(words, _)| words.to_owned())
        };
        ["inside", "outside", "script"].iter().filter_map(|part| words(part)).collect()
    }
}

#[test]
fn a_project_that_takes_anothers_place_gets_nothing_of_it() {
    let Some(projects) = Projects::new("place") else { return };
    // Cargo goes by the files' times, and these are old.
    for (mark, parts) in [
        ("one", &["script"][..]),
        ("two", &["inside", "outside", "script"]),
        ("three", &["inside", "outside", "script"]),
        ("four", &["script"]),
    ] {
        projects.create("skill", parts, mark);
        let words: Vec<String> = parts.iter().map(|part| format!("{part} of {mark}")).collect();
        assert_eq!(projects.built("skill"), words);
    }
}

#[test]
fn a_crate_beside_the_project_is_the_projects_own_though_all_share_the_cache() {
    let Some(projects) = Projects::new("beside") else { return };
    projects.create("one", &["outside"], "one");
    projects.create("two", &["outside"], "two");
    for name in ["one", "two", "one"] {
        assert_eq!(projects.built(name), [format!("outside of {name}")]);
    }
    projects.create("one", &["outside"], "three");
    assert_eq!(projects.built("one"), ["outside of three"]);
}
