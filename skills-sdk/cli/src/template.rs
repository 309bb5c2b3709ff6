//! The files of a new skill project, by language. The SDK's sources are included, so that no crate has to be published.

use crate::language::Language;

/// A file of a new project: its path in the project, and its text.
pub type File = (&'static str, &'static str);

/// The files of a new project in one language.
#[derive(Debug)]
pub struct Template {
    /// The project's own, in which `{{publisher}}` and `{{name}}` are filled in.
    project: &'static [File],
    /// The SDK's, as they are.
    sdk: &'static [File],
}

/// A project in Rust.
pub static RUST: Template = Template { project: &PROJECT, sdk: &SDK };

/// Manifest, schemas, examples, build files and code.
static PROJECT: [File; 10] = [
    (".gitignore", include_str!("../templates/rust/gitignore.tmpl")),
    ("Cargo.lock", include_str!("../templates/rust/Cargo.lock.tmpl")),
    ("Cargo.toml", include_str!("../templates/rust/Cargo.toml.tmpl")),
    ("README.md", include_str!("../templates/rust/README.md.tmpl")),
    ("examples/count.input.json", include_str!("../templates/rust/examples/count.input.json")),
    ("examples/count.output.json", include_str!("../templates/rust/examples/count.output.json")),
    ("schemas/count.input.json", include_str!("../templates/rust/schemas/count.input.json")),
    ("schemas/count.output.json", include_str!("../templates/rust/schemas/count.output.json")),
    ("skill.toml", include_str!("../templates/rust/skill.toml.tmpl")),
    ("src/lib.rs", include_str!("../templates/rust/src/lib.rs")),
];

/// A file of the SDK, as `sdk/…` in the project.
macro_rules! sdk {
    ($($path:literal),* $(,)?) => { [$((concat!("sdk/", $path), include_str!(concat!("../../", $path)))),*] };
}

/// The SDK and its WIT package, vendored.
static SDK: [File; 25] = sdk![
    "rust/Cargo.toml",
    "rust/macros/Cargo.toml",
    "rust/macros/src/endpoint.rs",
    "rust/macros/src/expand.rs",
    "rust/macros/src/lib.rs",
    "rust/macros/src/tests.rs",
    "rust/src/clock.rs",
    "rust/src/context.rs",
    "rust/src/error.rs",
    "rust/src/lib.rs",
    "rust/src/log.rs",
    "rust/src/progress.rs",
    "rust/src/random.rs",
    "rust/src/schema.rs",
    "rust/src/skill.rs",
    "rust/src/testing.rs",
    "wit/clock.wit",
    "wit/http.wit",
    "wit/kv.wit",
    "wit/log.wit",
    "wit/progress.wit",
    "wit/random.wit",
    "wit/skills.wit",
    "wit/types.wit",
    "wit/worlds.wit",
];

/// All files of a new project of skill `publisher.name`, as paths and texts.
pub fn files(language: &Language, publisher: &str, name: &str) -> Vec<(&'static str, String)> {
    let fill = |text: &str| text.replace("{{publisher}}", publisher).replace("{{name}}", name);
    let project = language.template.project.iter().map(|&(path, text)| (path, fill(text)));
    let sdk = language.template.sdk.iter().map(|&(path, text)| (path, text.to_owned()));
    project.chain(sdk).collect()
}

#[cfg(test)]
mod tests {
    //! The lists are complete, and nothing is left to fill in. That a new project builds is tested end to end.

    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::language::LANGUAGES;

    #[test]
    fn the_whole_sdk_is_listed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let listed: BTreeSet<String> = SDK.iter().map(|(path, _)| (*path).to_owned()).collect();
        let mut there: BTreeSet<String> =
            ["rust/Cargo.toml", "rust/macros/Cargo.toml"].map(|path| format!("sdk/{path}")).into();
        for folder in ["rust/src", "rust/macros/src", "wit"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                there.insert(format!("sdk/{folder}/{}", entry.unwrap().file_name().to_str().unwrap()));
            }
        }
        assert_eq!(listed, there);
    }

    #[test]
    fn the_manifest_of_a_new_project_is_accepted() {
        let files = files(&LANGUAGES[0], "acme", "word-count");
        let text = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.clone());
        let manifest = clawos_manifest::Manifest::parse(&text("skill.toml").unwrap()).unwrap();
        let mut read = |path: &str| Ok(text(path).ok_or(std::io::ErrorKind::NotFound)?.into_bytes());
        let resolved = manifest.resolve(&mut read).unwrap();
        assert_eq!(resolved.skill.id, "acme.word-count");
        let unfilled = files.iter().filter(|(path, text)| !path.starts_with("sdk/") && text.contains("{{"));
        assert_eq!(unfilled.count(), 0);
    }
}
