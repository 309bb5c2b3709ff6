//! Compiles endpoint schemas and validates bytes and values against them.

use clawos_receipts::strict_json;
use jsonschema::{Draft, PatternOptions, Validator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::cost::{self, Size};
use super::pattern;

/// At most this many violations are reported of one value.
pub const MAX_VIOLATIONS: usize = 16;
/// Work of one validation, in units of about 10 ns: some 40 ms at the very worst.
/// A unit is a value at a place of the schema, `BYTES_PER_UNIT` bytes of text there, or `STEPS_PER_UNIT` of a pattern.
pub const MAX_WORK: u64 = 4_000_000;
/// Bytes of text that a place compares or counts in one unit.
const BYTES_PER_UNIT: u64 = 64;
/// Steps of a pattern in one unit; see [`pattern::steps`].
const STEPS_PER_UNIT: u64 = 4;
/// Memory that saying what is wrong may take, in bytes; above it is only said that something is. The library collects
/// every violation of every branch, with copies of what each is about, before it gives the first.
const MAX_EXPLANATION: u64 = 16 << 20;
/// Bytes of one such violation without path and quotations, at most.
const VIOLATION_BYTES: u64 = 400;
/// Most characters of a violation's detail.
const MAX_DETAIL: usize = 240;
/// Memory of a compiled pattern, in bytes: it bounds what `(a{1000}){1000}` can do.
const MAX_PATTERN_BYTES: usize = 1 << 20;
/// The only draft there is here, as `$schema` may name it.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Why a schema is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// `$schema` names another draft.
    #[error("`$schema` must be {DRAFT} or left out")]
    Draft,
    /// A reference to something outside the schema, or that does not exist.
    #[error("the reference {0:?} is not a pointer to a part of this schema, such as \"#/$defs/name\"")]
    Reference(String),
    /// A schema that contains itself.
    #[error("the reference {0:?} makes the schema contain itself; write the levels out")]
    Recursive(String),
    /// A keyword that changes what references mean.
    #[error("`{0}` is not supported; use `$ref` with a pointer")]
    Keyword(&'static str),
    /// Too large when its references are written out.
    #[error(
        "with its references written out the schema has more than {} places or {} levels",
        cost::MAX_PLACES,
        cost::MAX_DEPTH
    )]
    TooLarge,
    /// A pattern that costs too much.
    #[error(
        "the pattern {0:?} is too large: it may have {bytes} bytes, and {states} states with its repetitions written out; \
         bound lengths with `maxLength`",
        bytes = pattern::MAX_BYTES,
        states = pattern::MAX_STATES
    )]
    Pattern(String),
    /// Patterns that cost too much together.
    #[error("the patterns cost too much together; use fewer or simpler ones, and bound lengths with `maxLength`")]
    Patterns,
    /// A keyword whose cost has no bound.
    #[error("`{0}` is not supported, since it checks values again and again; use `additionalProperties` or `items`")]
    Costly(&'static str),
    /// Not a valid schema, or a pattern that the engine does not know.
    #[error("not a valid JSON Schema: {0}")]
    Invalid(String),
}

/// One place where a value does not match its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// JSON pointer into the value; empty for the whole.
    pub pointer: String,
    /// What is wrong. It quotes the schema, never the value.
    pub detail: String,
}

/// A schema ready to validate. Cheap to use from many threads at once.
#[derive(Debug, Clone)]
pub struct Schema {
    validator: Validator,
    size: Size,
}

impl Schema {
    /// Checks and compiles a schema.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let draft = schema.get("$schema").map(|draft| draft.as_str().map(|text| text.trim_end_matches('#')));
        if draft.is_some_and(|draft| draft != Some(DRAFT)) {
            return Err(SchemaError::Draft);
        }
        let size = cost::measure(schema)?;
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .with_pattern_options(patterns)
            .build(schema)
            .map_err(|error| SchemaError::Invalid(detail(&error)))?;
        Ok(Self { validator, size })
    }

    /// Units of work (about 10 ns each) that checking a value of so many bytes of JSON may take, at most.
    pub fn most_work(&self, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        work(self.size, Weight { values: bytes, text: bytes, path: 0 }).min(MAX_WORK)
    }

    /// Whether `value` fits. Errors with up to [`MAX_VIOLATIONS`] places where it does not, or with one that names no place
    /// when it is too large for this schema ([`MAX_WORK`]) or to be explained.
    pub fn validate(&self, value: &Value) -> Result<(), Vec<Violation>> {
        let weight = weigh(value);
        let of_the_whole = |detail: &str| vec![Violation { pointer: String::new(), detail: detail.to_owned() }];
        if work(self.size, weight) > MAX_WORK {
            return Err(of_the_whole("value is too large to be checked against this schema"));
        }
        if self.validator.is_valid(value) {
            return Ok(());
        }
        if explanation(self.size, weight) > MAX_EXPLANATION {
            return Err(of_the_whole(
                "value does not match this schema, and is too large to say where; try a smaller one",
            ));
        }
        let violation = |error: jsonschema::ValidationError<'_>| Violation {
            pointer: error.instance_path().as_str().to_owned(),
            detail: detail(&error),
        };
        Err(self.validator.iter_errors(value).take(MAX_VIOLATIONS).map(violation).collect())
    }

    /// Whether `bytes` are strict JSON ([`strict_json`]) that fits. Errors as [`Self::validate`] does.
    pub fn validate_bytes(&self, bytes: &[u8]) -> Result<(), Vec<Violation>> {
        let not_json = |detail: String| vec![Violation { pointer: String::new(), detail }];
        strict_json::check(bytes).map_err(|error| not_json(error.to_string()))?;
        let value = serde_json::from_slice(bytes).map_err(|error| not_json(format!("not JSON: {error}")))?;
        self.validate(&value)
    }
}

/// Both schemas of an endpoint, compiled once and used by server and command line.
#[derive(Debug, Clone)]
pub struct EndpointSchemas {
    /// Schema of the payload.
    pub input: Schema,
    /// Schema of the answer.
    pub output: Schema,
}

impl EndpointSchemas {
    /// Compiles both schemas; errors with the first that is not accepted.
    pub fn compile(input: &Value, output: &Value) -> Result<Self, SchemaError> {
        Ok(Self { input: Schema::compile(input)?, output: Schema::compile(output)? })
    }

    /// Whether the payload's bytes are strict JSON that fits the input schema.
    pub fn validate_payload(&self, bytes: &[u8]) -> Result<(), Vec<Violation>> {
        self.input.validate_bytes(bytes)
    }

    /// Whether the answer's bytes are strict JSON that fits the output schema.
    pub fn validate_output(&self, bytes: &[u8]) -> Result<(), Vec<Violation>> {
        self.output.validate_bytes(bytes)
    }
}

fn detail(error: &jsonschema::ValidationError<'_>) -> String {
    let text = error.masked().to_string();
    let short: String = text.chars().take(MAX_DETAIL).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Units of work that a schema may take for an instance, at most.
fn work(schema: Size, instance: Weight) -> u64 {
    let met = instance.values.saturating_add(instance.text / BYTES_PER_UNIT);
    let matched = instance.values.saturating_add(instance.text) / STEPS_PER_UNIT;
    schema.places.saturating_mul(met).saturating_add(schema.steps.saturating_mul(matched))
}

/// Bytes of memory that all violations of an instance may take together, at most.
fn explanation(schema: Size, instance: Weight) -> u64 {
    let each = VIOLATION_BYTES.saturating_add(instance.path);
    let at_one_place = instance.values.saturating_mul(each).saturating_add(instance.text);
    let quoted = instance.values.saturating_mul(schema.text);
    schema.places.saturating_mul(at_one_place).saturating_add(quoted)
}

/// What an instance holds.
#[derive(Clone, Copy)]
struct Weight {
    /// Values, itself included, and names.
    values: u64,
    /// Bytes of strings and names.
    text: u64,
    /// Bytes of the names on the longest way to a value.
    path: u64,
}

fn weigh(value: &Value) -> Weight {
    let one = |text: &str| Weight { values: 1, text: text.len() as u64, path: 0 };
    let sum =
        |a: Weight, b: Weight| Weight { values: a.values + b.values, text: a.text + b.text, path: a.path.max(b.path) };
    match value {
        Value::String(text) => one(text),
        Value::Array(items) => items.iter().map(weigh).fold(one(""), sum),
        Value::Object(members) => members.iter().fold(one(""), |all, (name, member)| {
            let named = sum(one(name), weigh(member));
            sum(all, Weight { path: named.path + name.len() as u64, ..named })
        }),
        _ => one(""),
    }
}
