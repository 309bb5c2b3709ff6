//! Endpoint schemas: which are accepted, and the validation of payloads and answers. The one user of `jsonschema` for them.
//!
//! A schema comes from a stranger and is then applied to bytes from another stranger, in the server. So it is draft
//! 2020-12 only, refers to nothing outside itself, does not recurse, is bounded when all references are written out, and
//! its patterns are small and run on a linear-time engine. What it can cost is known before it runs: see [`cost`].

pub mod cost;
pub mod pattern;
mod schema;

pub use schema::{EndpointSchemas, MAX_VIOLATIONS, MAX_WORK, Schema, SchemaError, Violation};
