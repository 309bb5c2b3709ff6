//! The languages a skill can be written in: what `clawos new` writes, what tells a project's language, what builds it.
//! `new`, `build`, `test`, `publish` and `doctor` read this table, so a further language is one more entry.

use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::build::{self, BuildCache, BuildError};
use crate::embedded;
use crate::error::CliError;
use crate::sdk::{self, Sdk};
use crate::template::Template;

/// Builds the project in a folder, with the SDKs in another and a cache that all projects share, and gives its component. It
/// passes on one line of progress at a time.
pub type Build = fn(&Path, &Path, &BuildCache, &mut dyn FnMut(&str)) -> Result<Vec<u8>, BuildError>;

/// A language with an SDK.
#[derive(Debug)]
pub struct Language {
    /// Its word, such as `rust`: the value of `clawos new --lang`.
    pub word: &'static str,
    /// The file in a project's folder that tells its language, such as `Cargo.toml`.
    pub marker: &'static str,
    /// The files of a new project.
    pub template: Template,
    /// What its build file depends on.
    pub sdk: &'static Sdk,
    /// What builds a project.
    pub build: Build,
    /// Says in words what a build in a folder would use.
    pub toolchain: fn(&Path) -> Result<String, BuildError>,
}

/// Every language, the default one of `clawos new` first.
pub static LANGUAGES: [Language; 1] = [Language {
    word: "rust",
    marker: "Cargo.toml",
    template: embedded::RUST_TEMPLATE,
    sdk: &sdk::RUST,
    build: build::build_rust,
    toolchain: build::available,
}];

/// The language of the project in `folder`; none where no marker is.
pub fn of(folder: &Path) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| folder.join(language.marker).is_file())
}

/// What is said of a folder without a project.
pub fn missing(folder: &Path) -> CliError {
    let markers = LANGUAGES.iter().map(|language| language.marker).collect::<Vec<_>>().join(" or ");
    CliError::invalid(format!(
        "{} has no {markers}: run this in a skill's folder, or create one with `clawos new`",
        folder.display()
    ))
}

/// Reads the words of the table.
pub(crate) fn parser() -> impl TypedValueParser<Value = &'static Language> {
    let words = PossibleValuesParser::new(LANGUAGES.iter().map(|language| language.word));
    words.try_map(|word| LANGUAGES.iter().find(|language| language.word == word).ok_or("unknown language"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_s_marker_tells_its_language() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(of(folder.path()).is_none());
        std::fs::write(folder.path().join("Cargo.toml"), "").expect("written");
        assert_eq!(of(folder.path()).map(|language| language.word), Some("rust"));
    }
}
