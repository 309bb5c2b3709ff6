//! Turns JSON Schema violations of `skill.toml` into errors that say what to write instead.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;

use crate::error::ManifestError;

/// How similar (0 to 1, Jaro-Winkler) a known key must be to be suggested.
const SIMILAR: f64 = 0.75;
/// Most characters of a wrong value that are shown.
const MAX_SHOWN: usize = 60;

/// The errors behind one objection: several when several keys are unknown.
pub(crate) fn explain(schema: &Value, error: &ValidationError<'_>) -> Vec<ManifestError> {
    let key = key_of(error.instance_path());
    let path = error.schema_path().as_str();
    let section = section_of(schema, path);
    let instance = error.instance();
    let hint = hint_at(schema, path);
    let one = |problem: String, hint: String| vec![ManifestError::new(key.clone(), problem, hint)];
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| unknown_key(&key, name, section)).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let hint = section.and_then(|section| section.pointer(&format!("/properties/{name}")));
            vec![ManifestError::new(join(&key, name), "is missing", description(hint))]
        }
        ValidationErrorKind::Type { kind } => {
            one(format!("expected {}, found {}", type_names(kind), kind_of(instance)), hint)
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            let words = choices(section);
            let problem = format!("{} is not one of the possible values", shown(instance));
            let suggestion = instance.as_str().and_then(|word| nearest(word, words.iter().map(String::as_str)));
            let also = suggestion.map_or(String::new(), |word| format!("; did you mean \"{word}\"?"));
            one(problem, format!("write one of {}{also}", words.join(", ")))
        }
        ValidationErrorKind::MaxLength { limit } => {
            let length = instance.as_str().map_or(0, |text| text.chars().count());
            one(format!("has {length} characters, {limit} are allowed"), hint)
        }
        ValidationErrorKind::Pattern { .. } => one(format!("{} does not have the right form", shown(instance)), hint),
        _ => one(error.masked_with(shown(instance)).to_string(), hint),
    }
}

fn unknown_key(section_key: &str, name: &str, section: Option<&Value>) -> ManifestError {
    let known: Vec<&str> = section
        .and_then(|section| section["properties"].as_object())
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let hint = match nearest(name, known.iter().copied()) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    let name: String = name.chars().take(MAX_SHOWN).collect();
    ManifestError::new(join(section_key, &name), "is not a known key", hint)
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: String = word.chars().take(MAX_SHOWN).collect::<String>().to_lowercase();
    known
        .map(|each| (each, strsim::jaro_winkler(&word, &each.to_lowercase())))
        .filter(|(_, similarity)| *similarity >= SIMILAR)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(each, _)| each)
}

/// A key as it is written in TOML: `endpoints[0].name`.
fn key_of(location: &Location) -> String {
    let mut key = String::new();
    for segment in location.segments() {
        match segment {
            LocationSegment::Index(index) => key += &format!("[{index}]"),
            LocationSegment::Property(name) => key = join(&key, &name),
        }
    }
    key
}

fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

/// The schema of the value objected to: the one that holds the keyword at the end of the path.
fn section_of<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    let (section, _keyword) = path.rsplit_once('/')?;
    schema.pointer(section)
}

/// The nearest description on the way from the keyword up: an item of a list has that of its list.
fn hint_at(schema: &Value, path: &str) -> String {
    let mut path = path;
    while let Some((section, _)) = path.rsplit_once('/') {
        if let Some(text) = schema.pointer(section).and_then(|section| section["description"].as_str()) {
            return one_line(text);
        }
        path = section;
    }
    one_line("")
}

fn description(section: Option<&Value>) -> String {
    one_line(section.and_then(|section| section["description"].as_str()).unwrap_or_default())
}

fn one_line(description: &str) -> String {
    if description.is_empty() {
        "see skills-sdk/manifest/schema.json".to_owned()
    } else {
        description.replace('\n', " ")
    }
}

/// The words a schema allows: of an `enum`, or of a `oneOf` of constants (which is how documented words are written).
fn choices(section: Option<&Value>) -> Vec<String> {
    let Some(section) = section else {
        return Vec::new();
    };
    let words = section["enum"].as_array().into_iter().flatten();
    let documented = section["oneOf"].as_array().into_iter().flatten().map(|each| &each["const"]);
    words.chain(documented).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => {
            let name = kind.to_string();
            let article = if name.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
            format!("{article} {name}")
        }
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "a table",
    }
}

/// A value for a message: short, whatever it was.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind_of(value).to_owned(),
        _ => {
            let text = value.to_string();
            let short: String = text.chars().take(MAX_SHOWN).collect();
            if short.len() < text.len() { format!("{short}…") } else { short }
        }
    }
}
