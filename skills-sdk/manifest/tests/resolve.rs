//! Resolving: files in their places, a stable hash, and every way a file can be bad.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod samples;

use std::collections::HashMap;
use std::io;

use clawos_manifest::{Manifest, ManifestError, ResolvedManifest};

use samples::GOOD;

const SCHEMA: &str = r#"{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}"#;

fn project() -> HashMap<String, Vec<u8>> {
    let files = [
        ("schemas/in.json", SCHEMA),
        ("schemas/out.json", r#"{"type":"object","properties":{"words":{"type":"integer"}},"required":["words"]}"#),
        ("examples/in.json", r#"{"text":"a b"}"#),
        ("examples/out.json", r#"{"words":2}"#),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect()
}

fn resolve(files: &HashMap<String, Vec<u8>>) -> Result<ResolvedManifest, Vec<ManifestError>> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "no such file");
    Manifest::parse(GOOD).unwrap().resolve(&mut |path| files.get(path).cloned().ok_or_else(missing))
}

#[track_caller]
fn told(path: &str, content: &[u8], key: &str, words: &str) {
    let mut files = project();
    files.insert(path.to_owned(), content.to_vec());
    let errors = resolve(&files).unwrap_err();
    let found = errors.iter().any(|error| error.key == key && error.to_string().contains(words));
    assert!(found, "{errors:#?}");
}

#[test]
fn schemas_and_examples_are_put_in_their_places() {
    let resolved = resolve(&project()).unwrap();
    let endpoint = resolved.endpoint("count").unwrap();
    assert_eq!(endpoint.input, serde_json::from_str::<serde_json::Value>(SCHEMA).unwrap());
    assert_eq!(endpoint.examples[0].output["words"], 2);
    assert!(resolved.endpoint("other").is_none());
    let json = resolved.canonical_json().unwrap();
    assert!(!json.contains("target/"), "where the author keeps the artifact is not published");
    let again: ResolvedManifest = serde_json::from_str(&json).unwrap();
    assert_eq!(again, resolved);
    assert_eq!(again.sha256().unwrap(), resolved.sha256().unwrap());
}

#[test]
fn the_hash_is_of_the_meaning_not_of_the_spelling() {
    let reference = resolve(&project()).unwrap().sha256().unwrap();
    let mut spelled = project();
    spelled.insert("examples/out.json".into(), b" { \"words\" : 2.0 } ".to_vec());
    assert_eq!(resolve(&spelled).unwrap().sha256().unwrap(), reference);
    let mut changed = project();
    changed.insert("examples/in.json".into(), br#"{"text":"c d"}"#.to_vec());
    assert_ne!(resolve(&changed).unwrap().sha256().unwrap(), reference);
}

#[test]
fn bad_files_are_told_where_they_are_named() {
    let input = "endpoints[0].input";
    told("schemas/in.json", b"{", input, "not strict JSON");
    told("schemas/in.json", b"{\"a\":1,\"a\":2}", input, "twice");
    told("schemas/in.json", br#"{"type":"strin"}"#, input, "not a valid JSON Schema");
    told("schemas/in.json", br#"{"minLength":-1}"#, input, "not a valid JSON Schema");
    told("schemas/in.json", br#"{"pattern":"("}"#, input, "not a valid JSON Schema");
    told("schemas/in.json", br#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, input, "2020-12");
    told("schemas/in.json", br#"{"$ref":"https://example.com/s.json"}"#, input, "not a pointer");
    told("schemas/in.json", &vec![b' '; 300_000], input, "262144 are allowed");
    told("schemas/in.json", br#"{"maximum":18446744073709551615}"#, input, "use strings for large numbers");
    told("examples/in.json", br#"{"text":5}"#, "endpoints[0].examples[0].input", "does not match its schema at /text");
    told("examples/out.json", b"[]", "endpoints[0].examples[0].output", "does not match its schema at /");
    told("examples/out.json", b"\xff", "endpoints[0].examples[0].output", "UTF-8");
}

#[test]
fn every_missing_file_is_reported_and_each_path_read_once() {
    let errors = resolve(&HashMap::new()).unwrap_err();
    assert_eq!(errors.len(), 4, "{errors:#?}");
    assert!(errors.iter().all(|error| error.problem.contains("no such file")));

    let files = project();
    let mut reads = Vec::new();
    let text = GOOD.replace("examples/out.json", "examples/in.json").replace("schemas/out.json", "schemas/in.json");
    Manifest::parse(&text)
        .unwrap()
        .resolve(&mut |path| {
            reads.push(path.to_owned());
            Ok(files[path].clone())
        })
        .unwrap();
    reads.sort();
    assert_eq!(reads, ["examples/in.json", "schemas/in.json"]);
}

#[test]
fn all_files_together_are_bounded_wherever_they_are_used() {
    let example = "\n[[endpoints.examples]]\ninput = \"examples/in.json\"\noutput = \"examples/out.json\"\n".repeat(7);
    let endpoint = GOOD[GOOD.find("[[endpoints]]").unwrap()..].to_owned() + &example;
    let mut text = GOOD.to_owned() + &example;
    for number in 0..3 {
        text += &endpoint.replace("\"count\"", &format!("\"count-{number}\""));
    }
    let mut files = project();
    files.insert("examples/in.json".into(), format!(r#"{{"text":"{}"}}"#, "x".repeat(200_000)).into_bytes());
    let errors = Manifest::parse(&text).unwrap().resolve(&mut |path| Ok(files[path].clone())).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].problem.contains("together"), "{errors:#?}");
}
