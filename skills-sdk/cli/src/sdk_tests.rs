//! Copies, links and upgrades of projects, in folders of their own.

use std::os::unix::fs::MetadataExt;

use tempfile::TempDir;

use super::*;
use crate::language::LANGUAGES;
use crate::template;

/// A home and a new project.
struct Place {
    folder: TempDir,
    home: Home,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::new(Some(folder.path().join("home"))).expect("a home");
        fs::create_dir(folder.path().join("project")).expect("made");
        let place = Self { folder, home };
        for (path, text) in template::files(language(), "acme", "word-count") {
            if path == language().marker {
                place.write(&text);
            }
        }
        place
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn write(&self, marker: &str) {
        fs::write(self.project().join(language().marker), marker).expect("written");
    }

    fn marker(&self) -> String {
        fs::read_to_string(self.project().join(language().marker)).expect("there")
    }

    fn provide(&self) -> Result<()> {
        provide(language(), &self.project(), &self.home)
    }
}

fn language() -> &'static Language {
    &LANGUAGES[0]
}

fn own() -> String {
    RUST.name(language())
}

#[test]
fn a_project_s_link_leads_to_one_copy_that_nobody_edits() {
    let place = Place::new();
    place.provide().expect("provided");
    let link = place.project().join(LINKS).join(own());
    assert_eq!(fs::read_link(&link).expect("a link"), place.home.sdk(&own()));
    let library = link.join("rust/src/lib.rs").metadata().expect("the SDK's source");
    assert_eq!((library.mode() & 0o777, library.mtime()), (0o444, 1));
    assert!(link.join("wit/worlds.wit").is_file() && link.join("rust/macros/Cargo.toml").is_file());
    place.provide().expect("once more");
    assert_eq!(fs::read_dir(place.home.sdk("")).expect("the SDKs").count(), 1, "no drafts are left");
    // On another machine the link leads nowhere, or elsewhere.
    fs::remove_file(&link).expect("removed");
    symlink("/nowhere", &link).expect("linked");
    place.provide().expect("repaired");
    assert!(link.join("rust").is_dir());
}

#[test]
fn an_sdk_that_is_not_here_is_refused_until_the_project_is_upgraded() {
    let place = Place::new();
    place.write(&place.marker().replace(&own(), "rust-0123456789abcdef"));
    let refused = place.provide().expect_err("an unknown one").to_string();
    assert!(refused.contains("rust-0123456789abcdef") && refused.contains("clawos upgrade"), "{refused}");

    let done = upgrade(language(), &place.project(), &place.home).expect("upgraded");
    assert_eq!((done.from.as_str(), done.to), ("rust-0123456789abcdef", own()));
    assert_eq!(done.changed.len(), RUST.files.len(), "the old one is not known here");
    assert_eq!(named_in(&place.marker()), Some(own().as_str()));
    let again = upgrade(language(), &place.project(), &place.home).expect("nothing to do");
    assert!(again.from == again.to && again.changed.is_empty());
}

#[test]
fn an_earlier_sdk_goes_on_working_and_an_upgrade_says_what_differs() {
    let place = Place::new();
    place.provide().expect("provided");
    let old = place.home.sdk("rust-00ff");
    RUST.install(&old).expect("a copy");
    for path in ["rust/src/lib.rs", "wit/kv.wit"] {
        fs::remove_file(old.join(path)).expect("removed");
    }
    fs::write(old.join("rust/src/old.rs"), "").expect("written");
    place.write(&place.marker().replace(&own(), "rust-00ff"));
    place.provide().expect("it is on this machine");
    let link = place.project().join(LINKS).join("rust-00ff");
    assert!(link.is_dir());

    let done = upgrade(language(), &place.project(), &place.home).expect("upgraded");
    assert_eq!(done.changed, ["rust/src/lib.rs", "rust/src/old.rs", "wit/kv.wit"]);
    assert!(!link.exists() && old.is_dir(), "other projects may use the old copy");
}

#[test]
fn a_project_with_an_sdk_of_another_place_is_left_alone() {
    let place = Place::new();
    place.write("[dependencies]\nclawos-skill = { path = \"..\" }\n");
    place.provide().expect("nothing to do");
    assert!(!place.project().join(".clawos").exists());
    assert!(upgrade(language(), &place.project(), &place.home).is_err());
}

#[test]
fn names_are_found_where_a_path_has_them() {
    assert_eq!(named_in("x = { path = \".clawos/sdk/rust-1f/rust\" }"), Some("rust-1f"));
    assert_eq!(named_in("\"file:.clawos/sdk/js-2\""), Some("js-2"));
    assert_eq!(named_in(".clawos/sdk/../x"), None);
    assert_eq!(named_in("nothing"), None);
}
