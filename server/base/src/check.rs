//! Collecting what is wrong with a request, value by value, so that a caller learns all of it at once.

use std::ops::RangeInclusive;

use clawos_api::FieldError;

/// A request has values outside what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("See `errors` for each value.")]
pub struct Invalid(
    /// Each of them; never empty.
    pub Vec<FieldError>,
);

/// What is wrong so far.
#[derive(Debug, Default)]
pub struct Problems(Vec<FieldError>);

impl Problems {
    /// Reports the value at a JSON Pointer.
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), detail: detail.into() });
    }

    /// Text must have so many characters and no control characters (line breaks and tabs are fine).
    pub fn text(&mut self, pointer: &str, text: &str, length: RangeInclusive<usize>) {
        if !length.contains(&text.chars().count()) {
            self.add(pointer, format!("must have {} to {} characters", length.start(), length.end()));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.add(pointer, "must not contain control characters");
        }
    }

    /// # Errors
    /// [`Invalid`] when anything was reported.
    pub fn into_result(self) -> Result<(), Invalid> {
        if self.0.is_empty() { Ok(()) } else { Err(Invalid(self.0)) }
    }
}
