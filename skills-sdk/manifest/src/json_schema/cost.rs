//! Bounds what a schema can cost per value and per byte of text: its size with every reference expanded.
//!
//! Without recursion each place of the written-out schema meets each value of an instance at most once, so work is bounded
//! by the product. With recursion, or with references that double at each level, a few lines can mean 2^64 steps.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{SchemaError, pattern};

/// Places a schema may have when its references are written out.
pub const MAX_PLACES: u64 = 4_096;
/// Levels it may have then: validation recurses through them.
pub const MAX_DEPTH: usize = 128;
/// Steps per byte of text that all its patterns may take then: a dozen expensive patterns, or hundreds of usual ones.
pub const MAX_STEPS: u64 = 16_000;
/// Keywords that check members again for each member, level by level: no product bounds their work.
const COSTLY: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// Measures `schema` with its references written out.
///
/// Errors when it refers outside itself, refers to itself, or is larger than [`MAX_PLACES`], deeper than [`MAX_DEPTH`] or
/// has patterns that take more than [`MAX_STEPS`]. It counts more than is ever evaluated (constants and annotations too),
/// never less.
pub fn measure(schema: &Value) -> Result<Size, SchemaError> {
    let mut counter = Counter { root: schema, known: HashMap::new(), open: Vec::new(), level: 0 };
    let size = counter.root()?;
    if size.places > MAX_PLACES || size.depth > MAX_DEPTH {
        return Err(SchemaError::TooLarge);
    }
    if size.steps > MAX_STEPS {
        return Err(SchemaError::Patterns);
    }
    Ok(size)
}

/// How large a schema is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Places, each of which may meet each value.
    pub places: u64,
    /// Steps that its patterns may take for each byte of text.
    pub steps: u64,
    /// Levels of nesting.
    pub depth: usize,
    /// Bytes of its strings and names: what an error of each place quotes, at most.
    pub text: u64,
}

struct Counter<'a> {
    root: &'a Value,
    /// Sizes of what has been referred to, by reference.
    known: HashMap<&'a str, Size>,
    /// References being followed.
    open: Vec<&'a str>,
    /// How deep the walk is: our own stack must hold too.
    level: usize,
}

impl<'a> Counter<'a> {
    /// The root without its definitions, which count where they are referred to.
    fn root(&mut self) -> Result<Size, SchemaError> {
        let Some(members) = self.root.as_object() else {
            return self.value(self.root);
        };
        let applied = members.iter().filter(|(name, _)| !["$defs", "definitions"].contains(&name.as_str()));
        let size = with_names(members, self.sum(applied.map(|(_, member)| member))?);
        self.with_reference(self.root, with_patterns(members, size)?)
    }

    fn value(&mut self, value: &'a Value) -> Result<Size, SchemaError> {
        if self.level >= MAX_DEPTH {
            return Err(SchemaError::TooLarge);
        }
        self.level += 1;
        let size = match value {
            Value::Object(members) => self.object(value, members),
            Value::Array(items) => self.sum(items.iter()),
            Value::String(text) => Ok(Size { places: 1, steps: 0, depth: 1, text: text.len() as u64 }),
            _ => Ok(Size { places: 1, steps: 0, depth: 1, text: 0 }),
        };
        self.level -= 1;
        size
    }

    fn object(&mut self, value: &'a Value, members: &'a Map<String, Value>) -> Result<Size, SchemaError> {
        for keyword in ["$dynamicRef", "$recursiveRef", "$id"] {
            if members.get(keyword).is_some_and(Value::is_string) {
                return Err(SchemaError::Keyword(keyword));
            }
        }
        let size = with_names(members, self.sum(members.values())?);
        self.with_reference(value, with_patterns(members, size)?)
    }

    fn sum(&mut self, values: impl Iterator<Item = &'a Value>) -> Result<Size, SchemaError> {
        let mut sum = Size { places: 1, steps: 0, depth: 0, text: 0 };
        for value in values {
            let size = self.value(value)?;
            sum.places = sum.places.saturating_add(size.places);
            sum.steps = sum.steps.saturating_add(size.steps);
            sum.depth = sum.depth.max(size.depth);
            sum.text = sum.text.saturating_add(size.text);
        }
        Ok(Size { depth: sum.depth.saturating_add(1), ..sum })
    }

    /// Adds what the object refers to.
    fn with_reference(&mut self, object: &'a Value, size: Size) -> Result<Size, SchemaError> {
        let Some(reference) = object.get("$ref").and_then(Value::as_str) else {
            return Ok(size);
        };
        let target = self.follow(reference)?;
        Ok(Size {
            places: size.places.saturating_add(target.places),
            steps: size.steps.saturating_add(target.steps),
            depth: size.depth.max(target.depth.saturating_add(1)),
            text: size.text.saturating_add(target.text),
        })
    }

    fn follow(&mut self, reference: &'a str) -> Result<Size, SchemaError> {
        if let Some(size) = self.known.get(reference) {
            return Ok(*size);
        }
        let shown = || reference.chars().take(100).collect::<String>();
        if self.open.contains(&reference) {
            return Err(SchemaError::Recursive(shown()));
        }
        let outside = || SchemaError::Reference(shown());
        let pointer = reference.strip_prefix('#').ok_or_else(outside)?;
        // A percent sign could spell the same pointer in a second way.
        if pointer.contains('%') || !(pointer.is_empty() || pointer.starts_with('/')) {
            return Err(outside());
        }
        let target = self.root.pointer(pointer).ok_or_else(outside)?;
        self.open.push(reference);
        let size = if pointer.is_empty() { self.root() } else { self.value(target) }?;
        self.open.pop();
        self.known.insert(reference, size);
        Ok(size)
    }
}

/// Adds the text of an object's own names.
fn with_names(members: &Map<String, Value>, size: Size) -> Size {
    let names = members.keys().map(|name| name.len() as u64).sum();
    Size { text: size.text.saturating_add(names), ..size }
}

/// Adds the steps of an object's own patterns. Those for names are matched again by `additionalProperties`.
fn with_patterns(members: &Map<String, Value>, mut size: Size) -> Result<Size, SchemaError> {
    if let Some(keyword) = COSTLY.into_iter().find(|keyword| members.contains_key(*keyword)) {
        return Err(SchemaError::Costly(keyword));
    }
    let own = members.get("pattern").and_then(Value::as_str).map(|pattern| (pattern, 1));
    let names = members.get("patternProperties").and_then(Value::as_object);
    let names = names.into_iter().flat_map(Map::keys).map(|name| (name.as_str(), 2));
    for (text, times) in own.into_iter().chain(names) {
        let shown = || SchemaError::Pattern(text.chars().take(100).collect());
        let steps = pattern::steps(text).ok_or_else(shown)?;
        size.steps = size.steps.saturating_add(steps.saturating_mul(times));
        if size.steps > MAX_STEPS {
            return Err(SchemaError::Patterns);
        }
    }
    Ok(size)
}
