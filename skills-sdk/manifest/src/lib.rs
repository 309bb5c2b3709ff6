//! `skill.toml`: what a skill is, what it may use, what it costs, and what goes in and out.
//!
//! Pure data: this crate reads text and bytes it is given and touches neither files nor network.
//!
//! | module | owns |
//! | --- | --- |
//! | [`source`] | the file as written; its JSON Schema (`schema.json`) is derived from it |
//! | [`manifest`] | [`Manifest::parse`]: the checked file, with every error collected |
//! | [`resolve`], [`resolved`] | schemas and examples read in; the canonical form that is hashed and signed |
//! | [`pricing`] | prices in base units, on-chain terms |
//! | [`json_schema`] | which endpoint schemas are accepted, and validation of payloads and outputs |
//! | [`examples`] | whether a skill's answer is the one its example promises, and the seed and time it is asked under |
//! | [`limits`], [`names`], [`licence_id`] | limits with defaults and maxima; ids; SPDX form |
//!
//! Nothing here panics on any input, and every size is bounded by a named constant.

pub mod error;
pub mod examples;
mod explain;
pub mod json_schema;
pub mod licence_id;
pub mod limits;
pub mod manifest;
pub mod names;
pub mod pricing;
pub mod resolve;
pub mod resolved;
pub mod source;

pub use error::ManifestError;
pub use json_schema::{EndpointSchemas, Violation};
pub use limits::Limits;
pub use manifest::Manifest;
pub use pricing::Prices;
pub use resolved::ResolvedManifest;
