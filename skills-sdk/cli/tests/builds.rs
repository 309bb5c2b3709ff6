//! The binary builds skills, with programs in place of the compiler: what it asks of cargo, where, and what it tells.

mod place;

use std::path::Path;

use place::{Place, code, json};

#[test]
fn a_program_is_told_why_a_skill_does_not_compile() {
    let place = Place::new();
    assert_eq!(code(&place.clawos(&["new", "word-count", "--publisher", "acme"])), 0);
    place.tool("rustc", "echo /");
    let metadata = r#"{"packages":[],"resolve":{"nodes":[]},"workspace_root":"/w"}"#;
    place.tool(
        "cargo",
        &format!("[ $1 = metadata ] && echo '{metadata}' && exit; echo 'error: no such type' >&2; exit 1"),
    );
    let failed = place.with_tools(&["--json", "build", "word-count"]);
    assert_eq!(code(&failed), 5, "{failed:?}");
    assert!(
        json(&failed.stderr)["detail"].as_str().is_some_and(|detail| detail.contains("no such type")),
        "{failed:?}"
    );
    let shown = String::from_utf8(place.with_tools(&["build", "word-count"]).stderr).expect("text");
    assert_eq!(shown.matches("no such type").count(), 1, "people have seen it above: {shown}");
}

#[test]
fn projects_with_build_scripts_are_compiled_in_folders_of_their_own() {
    let place = Place::new();
    place.tool("rustc", "echo /");
    // Cargo names a build script by its place in the workspace, which is the same in every project.
    let metadata = r#"{"packages": [{"id": "1", "name": "skill", "manifest_path": "'$last'", "source": null,
        "targets": [{"kind": ["cdylib"]}, {"kind": ["'$KIND'"]}]}],
        "resolve": {"nodes": []}, "workspace_root": "'${last%/Cargo.toml}'"}"#;
    let script = "for last; do :; done; [ $1 = metadata ] && echo 'METADATA' && exit; [ $1 = clean ] && exit; \
                  echo \"<$CARGO_TARGET_DIR>\" >&2; exit 1";
    place.tool("cargo", &script.replace("METADATA", metadata));
    for name in ["one", "two"] {
        assert_eq!(code(&place.clawos(&["new", "word-count", "--publisher", "acme", "--dir", name])), 0);
    }
    let compiled_in = |project: &str, kind: &str| {
        let mut command = place.command(&["--json", "build", project]);
        let output = command.env("PATH", place.path().join("tools")).env("KIND", kind).output().expect("it starts");
        let detail = json(&output.stderr)["detail"].as_str().expect("a detail").to_owned();
        let folder = detail.split_once('<').and_then(|(_, rest)| rest.split_once('>')).expect("a folder").0;
        folder.to_owned()
    };
    let [one, two] = ["one", "two"].map(|project| compiled_in(project, "custom-build"));
    assert_ne!(one, two);
    assert_eq!(one, compiled_in("one", "custom-build"), "it is kept");
    let [plain, other] = ["one", "two"].map(|project| compiled_in(project, "bench"));
    assert!(plain == other && plain != one && plain != two, "{plain} {one} {two}");
    // All are in the cache, which `clawos clean` empties.
    std::fs::create_dir_all(&plain).expect("made");
    let cleaned = place.clawos(&["clean"]);
    assert!(code(&cleaned) == 0 && ![&one, &two, &plain].iter().any(|folder| Path::new(folder).exists()));
}

#[test]
fn a_project_is_moved_to_this_sdk_and_the_cache_can_be_emptied() {
    let place = Place::new();
    let made = json(&place.clawos(&["--json", "new", "unit-convert", "--publisher", "acme"]).stdout);
    let sdk = made["sdk"].as_str().expect("the SDK's name").to_owned();
    let build_file = place.path().join("unit-convert/Cargo.toml");
    let older = std::fs::read_to_string(&build_file).expect("there").replace(&sdk, "rust-00000000000000ff");
    std::fs::write(&build_file, older).expect("written");

    let refused = place.clawos(&["--json", "build", "unit-convert"]);
    assert_eq!(code(&refused), 5, "{refused:?}");
    assert!(json(&refused.stderr)["detail"].as_str().is_some_and(|detail| detail.contains("clawos upgrade")));
    let upgraded = json(&place.clawos(&["--json", "upgrade", "unit-convert"]).stdout);
    assert_eq!((&upgraded["from"], &upgraded["to"]), (&"rust-00000000000000ff".into(), &sdk.as_str().into()));
    assert!(place.path().join("unit-convert/.clawos/sdk").join(&sdk).join("rust/Cargo.toml").is_file());
    assert_eq!(json(&place.clawos(&["--json", "upgrade", "unit-convert"]).stdout)["upgraded"], false);
    assert_eq!(code(&place.clawos(&["upgrade"])), 5, "there is no project here");

    let left = place.path().join("cache/build/0123456789abcdef/left");
    std::fs::create_dir_all(left.parent().expect("a folder")).expect("made");
    std::fs::write(&left, [0; 10]).expect("written");
    assert_eq!(json(&place.clawos(&["--json", "clean"]).stdout)["freed"], "10");
    assert!(!left.exists());
}
