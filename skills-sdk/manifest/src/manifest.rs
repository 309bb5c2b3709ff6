//! Parses a manifest: TOML, then the JSON Schema, then the rules that no schema can express; reports every error.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use crate::error::ManifestError;
use crate::explain::explain;
use crate::licence_id::is_spdx_expression;
use crate::limits::Limits;
use crate::pricing::Prices;
use crate::resolve::check_path;
use crate::source::{self, EndpointSource, Permissions, PricingSource, RuntimeKind, RuntimeSource, Skill, SkillToml};

/// A manifest may have this many bytes: ten times what a large one needs.
pub const MAX_MANIFEST_BYTES: usize = 128 << 10;
/// At most this many errors are reported of one file.
pub const MAX_ERRORS: usize = 64;

/// A manifest that is right in itself; the files it names have not been read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What the skill is.
    pub skill: Skill,
    /// What runs it, and where the artifact is.
    pub runtime: RuntimeSource,
    /// What one call may use, with defaults filled in.
    pub limits: Limits,
    /// What it may reach.
    pub permissions: Permissions,
    /// What it costs, in base units; `None` when it is free.
    pub prices: Option<Prices>,
    /// What it can do; schemas and examples still as paths.
    pub endpoints: Vec<EndpointSource>,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(source::json_schema);
static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&SCHEMA).expect("the schema of skill.toml is a valid schema"));

impl Manifest {
    /// Reads and checks the text of a `skill.toml`.
    ///
    /// Errors with everything that is wrong (at most [`MAX_ERRORS`]); each names the key and what would be right.
    pub fn parse(text: &str) -> Result<Self, Vec<ManifestError>> {
        let value = read_toml(text).map_err(|error| vec![error])?;
        let mut errors = check_form(&value);
        check_skill(&value, &mut errors);
        check_paths(&value, &mut errors);
        check_endpoint_names(&value, &mut errors);
        let prices = check_pricing(&value, &mut errors);
        if !errors.is_empty() {
            errors.truncate(MAX_ERRORS);
            return Err(errors);
        }
        let SkillToml { skill, runtime, limits, permissions, endpoints, pricing: _ } = serde_json::from_value(value)
            .map_err(|error| vec![ManifestError::new("", error.to_string(), "see skills-sdk/manifest/schema.json")])?;
        Ok(Self { skill, runtime, limits, permissions, prices, endpoints })
    }

    /// The paths of every schema and example, each once: what `resolve` will ask for, and what publishing sends along.
    pub fn files(&self) -> BTreeSet<&str> {
        let mut files = BTreeSet::new();
        for EndpointSource { input, output, examples, .. } in &self.endpoints {
            files.extend([input.as_str(), output]);
            files.extend(examples.iter().flat_map(|example| [example.input.as_str(), &example.output]));
        }
        files
    }
}

fn read_toml(text: &str) -> Result<Value, ManifestError> {
    if text.len() > MAX_MANIFEST_BYTES {
        let problem = format!("the file has {} bytes, {MAX_MANIFEST_BYTES} are allowed", text.len());
        return Err(ManifestError::new("", problem, "move long text to the README"));
    }
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
        let problem = format!("line {line}: {}", error.message().replace('\n', ", "));
        ManifestError::new("", problem, "the file must be TOML, see https://toml.io")
    })?;
    Ok(json_table(table))
}

fn json_table(table: toml::Table) -> Value {
    Value::Object(table.into_iter().map(|(name, value)| (name, json_value(value))).collect::<Map<_, _>>())
}

/// TOML as JSON. Dates become text and infinities nothing: the schema has no place for either.
fn json_value(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(integer) => integer.into(),
        toml::Value::Float(float) => float.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json_value).collect(),
        toml::Value::Table(table) => json_table(table),
    }
}

/// What the JSON Schema objects to: of each key the most basic objection, since a wrong type breaks other rules too.
fn check_form(value: &Value) -> Vec<ManifestError> {
    let mut objections: Vec<_> = VALIDATOR.iter_errors(value).collect();
    objections.sort_by_key(|error| !matches!(error.kind(), ValidationErrorKind::Type { .. }));
    let mut errors = Vec::new();
    for ManifestError { key, problem, hint } in
        objections.iter().flat_map(|error| explain(&SCHEMA, error)).take(MAX_ERRORS)
    {
        object(&mut errors, &key, problem, &hint);
    }
    errors
}

/// Adds an error unless that key already has one.
fn object(errors: &mut Vec<ManifestError>, key: &str, problem: impl Into<String>, hint: &str) {
    if !errors.iter().any(|error| error.key == key) {
        errors.push(ManifestError::new(key, problem, hint));
    }
}

fn check_skill(value: &Value, errors: &mut Vec<ManifestError>) {
    let text = |name: &str| value["skill"][name].as_str();
    if let Some(Err(error)) = text("version").map(semver::Version::parse) {
        object(errors, "skill.version", error.to_string(), "write a semantic version such as \"1.2.0\"");
    }
    if text("license").is_some_and(|licence| !is_spdx_expression(licence)) {
        let hint = "write an SPDX expression such as \"MIT\", \"MIT OR Apache-2.0\" or \"LicenseRef-Proprietary\"";
        object(errors, "skill.license", "is not an SPDX licence expression", hint);
    }
}

fn check_paths(value: &Value, errors: &mut Vec<ManifestError>) {
    let mut check = |key: String, value: &Value| {
        if let Some(Err(problem)) = value.as_str().map(check_path) {
            object(errors, &key, problem, "write a path inside the project, such as \"schemas/in.json\"");
        }
    };
    check("runtime.artifact".to_owned(), &value["runtime"]["artifact"]);
    for (index, endpoint) in array(&value["endpoints"]).iter().enumerate() {
        let key = format!("endpoints[{index}]");
        let examples = array(&endpoint["examples"]).iter().enumerate();
        let places = examples.map(|(number, example)| (format!("{key}.examples[{number}]"), example));
        for (key, place) in std::iter::once((key.clone(), endpoint)).chain(places) {
            for name in ["input", "output"] {
                check(format!("{key}.{name}"), &place[name]);
            }
        }
    }
}

fn check_endpoint_names(value: &Value, errors: &mut Vec<ManifestError>) {
    let mut seen = BTreeSet::new();
    for (index, endpoint) in array(&value["endpoints"]).iter().enumerate() {
        if let Some(name) = endpoint["name"].as_str().filter(|name| !seen.insert(*name)) {
            let problem = format!("two endpoints are called \"{name}\"");
            object(errors, &format!("endpoints[{index}].name"), problem, "give each endpoint a name of its own");
        }
    }
}

/// Prices in base units. When the section's form is wrong already, its numbers are not looked at.
fn check_pricing(value: &Value, errors: &mut Vec<ManifestError>) -> Option<Prices> {
    let pricing = value.get("pricing")?;
    if errors.iter().any(|error| error.key.starts_with("pricing")) {
        return None;
    }
    let source: PricingSource = serde_json::from_value(pricing.clone()).ok()?;
    let docker = value["runtime"]["kind"] == serde_json::json!(RuntimeKind::Docker);
    match Prices::from_source(&source, docker) {
        Ok(prices) => Some(prices),
        Err(found) => {
            errors.extend(found);
            None
        }
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
