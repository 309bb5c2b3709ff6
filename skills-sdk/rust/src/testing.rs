//! A project's one standard test: that `skill.toml`, its schemas and its examples say what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::schema::EndpointSchemas;
use crate::{Context, Skill};

/// Compares the project's committed files with the code: the endpoints in `skill.toml`, the schemas they name, and
/// the answers to their examples. With `CLAWOS_BLESS=1` in the environment it writes schemas and answers instead.
///
/// The code runs on the host here, where time, random numbers and context are not the sandbox's. An answer that depends
/// on one of them cannot be blessed: `clawos test` and publishing would get another one. Give such an endpoint no
/// example, or take what varies from its input.
///
/// ```no_run
/// # use clawos_skill::{SkillError, skill};
/// # pub struct Echo;
/// # #[skill]
/// # impl Echo { pub fn echo(text: String) -> Result<String, SkillError> { Ok(text) } }
/// #[test]
/// fn files_match_the_code() {
///     clawos_skill::testing::check::<Echo>(env!("CARGO_MANIFEST_DIR"));
/// }
/// ```
///
/// # Panics
/// If anything differs or cannot be read; the message lists everything that does.
pub fn check<S: Skill>(project: impl AsRef<Path>) {
    let bless = std::env::var_os("CLAWOS_BLESS").is_some_and(|value| value == "1");
    let problems = Check { project: project.as_ref(), bless, problems: Vec::new() }.run::<S>();
    assert!(
        problems.is_empty(),
        "{}\n`CLAWOS_BLESS=1 cargo test` writes schemas and examples as the code has them; look at the difference before you commit it",
        problems.join("\n")
    );
}

/// The part of `skill.toml` that the code decides.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    name: String,
    input: String,
    output: String,
    #[serde(default)]
    examples: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    input: String,
    output: String,
}

struct Check<'a> {
    project: &'a Path,
    bless: bool,
    problems: Vec<String>,
}

impl Check<'_> {
    fn run<S: Skill>(mut self) -> Vec<String> {
        let Some(manifest) = self.manifest() else { return self.problems };
        let schemas = S::schemas();
        self.names(&manifest, &schemas);
        for endpoint in &manifest.endpoints {
            let Some(schemas) = schemas.iter().find(|schemas| schemas.name == endpoint.name) else { continue };
            self.file(&endpoint.input, &schemas.input);
            self.file(&endpoint.output, &schemas.output);
            for example in &endpoint.examples {
                self.example::<S>(&endpoint.name, example);
            }
        }
        self.problems
    }

    fn manifest(&mut self) -> Option<Manifest> {
        let text = self.read("skill.toml")?;
        toml::from_str(&text).map_err(|error| self.problems.push(format!("skill.toml: {error}"))).ok()
    }

    fn names(&mut self, manifest: &Manifest, schemas: &[EndpointSchemas]) {
        let listed: BTreeSet<&str> = manifest.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
        let written: BTreeSet<&str> = schemas.iter().map(|schemas| schemas.name).collect();
        for name in written.difference(&listed) {
            self.problems.push(format!("skill.toml: the endpoint `{name}` of the code is not listed"));
        }
        for name in listed.difference(&written) {
            self.problems.push(format!("skill.toml: the code has no endpoint `{name}`"));
        }
    }

    fn example<S: Skill>(&mut self, endpoint: &str, example: &Example) {
        let Some(payload) = self.read(&example.input) else { return };
        match S::run(endpoint, &payload, &Context::default()) {
            Ok(answer) => match serde_json::from_str(&answer) {
                Ok(answer) => self.file(&example.output, &answer),
                Err(error) => self.problems.push(format!("{}: the answer is not JSON: {error}", example.input)),
            },
            Err(error) => self.problems.push(format!("{}: {error}", example.input)),
        }
    }

    /// Compares a committed file with what the code says, or writes it.
    fn file(&mut self, path: &str, right: &Value) {
        if self.bless {
            return self.write(path, right);
        }
        let Some(text) = self.read(path) else { return };
        match serde_json::from_str::<Value>(&text) {
            Ok(committed) if committed == *right => {}
            Ok(_) => self.problems.push(format!("{path}: not what the code says")),
            Err(error) => self.problems.push(format!("{path}: not JSON: {error}")),
        }
    }

    fn read(&mut self, path: &str) -> Option<String> {
        fs::read_to_string(self.project.join(path)).map_err(|error| self.problems.push(format!("{path}: {error}"))).ok()
    }

    fn write(&mut self, path: &str, value: &Value) {
        let file = self.project.join(path);
        let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
        if let Err(error) = folder.and_then(|()| fs::write(&file, format!("{value:#}\n"))) {
            self.problems.push(format!("{path}: {error}"));
        }
    }
}
