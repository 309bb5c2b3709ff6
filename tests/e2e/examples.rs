//! Skills' examples in the real sandbox, as their authors run them: on one machine, without a server or a chain.

use std::fs;
use std::path::Path;

use clawos_tests::guests::{self, CSV_JSON, LOOPS, MARKDOWN_HTML, TEXT_STATS};
use clawos_tests::processes::Clawos;
use serde_json::Value;
use tempfile::TempDir;

/// An address at which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

/// A folder for copies of skills, and an author in it.
fn place() -> (TempDir, Clawos) {
    let place = TempDir::new().expect("the system's folder for temporary files can be used");
    let author = Clawos::new(place.path().join("home"), NOBODY, NOBODY);
    (place, author)
}

#[test]
fn every_skill_gives_the_outputs_of_its_examples() {
    if !guests::available() {
        return;
    }
    let (place, author) = place();
    for skill in [TEXT_STATS, MARKDOWN_HTML, CSV_JSON, LOOPS] {
        let folder = guests::copy(skill, place.path()).display().to_string();
        author.run(&["check", &folder]);
        let report = author.run(&["test", "--no-build", &folder]);
        let examples = report["examples"].as_array().expect("a list");
        assert!(examples.len() > 1 && examples.iter().all(|run| run["ok"] == true), "{report:#}");
    }
}

/// Gives an endpoint of the skill in `folder` one more example.
fn add_example(folder: &Path, endpoint: &str, input: &str, output: &str) {
    let manifest = fs::read_to_string(folder.join("skill.toml")).expect("every skill has one");
    let entry = "\n[[endpoints.examples]]\ninput = \"examples/new.json\"\noutput = \"examples/new.out.json\"\n";
    let begin = manifest.find(&format!("name = \"{endpoint}\"")).expect("the skill has the endpoint");
    let end = manifest[begin..].find("\n[[endpoints]]").map_or(manifest.len(), |length| begin + length);
    let changed = format!("{}{entry}{}", &manifest[..end], &manifest[end..]);
    fs::write(folder.join("skill.toml"), changed).expect("it is the test's copy");
    fs::write(folder.join("examples/new.json"), input).expect("it is the test's copy");
    fs::write(folder.join("examples/new.out.json"), output).expect("it is the test's copy");
}

/// What `clawos test` says of the one example that fails.
fn finding(author: &Clawos, folder: &Path) -> String {
    let problem = author.refused(&["test", "--no-build", &folder.display().to_string()], "invalid");
    let findings = problem["errors"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{problem:#}");
    findings[0]["detail"].as_str().map(str::to_owned).unwrap_or_else(|| panic!("no text: {problem:#}"))
}

#[test]
fn an_author_is_told_what_a_failing_skill_said() {
    if !guests::available() {
        return;
    }
    let told = |endpoint, input, output| {
        let (place, author) = place();
        let folder = guests::copy(LOOPS, place.path());
        add_example(&folder, endpoint, input, output);
        finding(&author, &folder)
    };
    let panic = told("trap", "{}", "{}");
    assert!(panic.contains("the skill crashed: "), "{panic}");
    assert!(panic.contains("(trap); it logged: panicked at ") && panic.contains("/src/lib.rs:"), "{panic}");
    assert!(panic.ends_with(": asked to trap"), "{panic}");
    let foreign = told("read_number", r#"{"digits":"seven"}"#, r#"{"value":7}"#);
    assert!(foreign.contains("the skill failed (guest_error)"), "callers are told no more: {foreign}");
    assert!(foreign.ends_with("; it logged: invalid digit found in string"), "{foreign}");
}

#[test]
fn a_permission_that_nobody_offers_is_refused_before_anything_is_built() {
    let (place, author) = place();
    let folder = place.path().join("notes").display().to_string();
    author.run(&["new", "notes", "--publisher", "acme", "--dir", &folder]);
    let manifest = place.path().join("notes/skill.toml");
    let asking = fs::read_to_string(&manifest).expect("every skill has one") + "\n[permissions]\nkv = true\n";
    fs::write(&manifest, asking).expect("it is the test's copy");
    let refused = author.refused(&["check", &folder], "invalid");
    let pointers: Vec<_> = refused["errors"].as_array().expect("a list").iter().map(|each| &each["pointer"]).collect();
    assert_eq!(pointers, [&Value::from("permissions.kv")], "{refused:#}");
}
