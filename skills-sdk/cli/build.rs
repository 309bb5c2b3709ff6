//! Lists the files that the command carries, the SDKs and the templates of new projects, as `embedded.rs`: a file that is
//! added to one of their folders needs no edit here.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The lists: name, folder that their paths begin in, and which of its files and folders.
const LISTS: [(&str, &str, &[&str]); 2] = [
    ("RUST_SDK", "..", &["rust/Cargo.toml", "rust/macros/Cargo.toml", "rust/macros/src", "rust/src", "wit"]),
    ("RUST_TEMPLATE", "templates/rust", &["."]),
];

fn main() {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut code = String::new();
    for (name, folder, parts) in LISTS {
        let folder = here.join(folder);
        let mut files = Vec::new();
        for part in parts {
            println!("cargo::rerun-if-changed={}", folder.join(part).display());
            find(&folder.join(part), &mut files);
        }
        let mut listed: Vec<(&Path, &PathBuf)> =
            files.iter().map(|file| (file.strip_prefix(&folder).expect("it was found there"), file)).collect();
        listed.sort();
        writeln!(code, "/// Path and text of each file.\npub(crate) static {name}: &[(&str, &str)] = &[")
            .expect("memory");
        for (path, file) in listed {
            writeln!(code, "    ({path:?}, include_str!({file:?})),").expect("memory");
        }
        code.push_str("];\n");
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("embedded.rs"), code).expect("cargo's folder can be written");
}

/// Adds `place`, or all files below it.
fn find(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_file() {
        return files.push(place.components().collect());
    }
    for entry in fs::read_dir(place).unwrap_or_else(|error| panic!("{}: {error}", place.display())) {
        find(&entry.expect("a folder of the repository").path(), files);
    }
}
