//! JSON Schemas (draft 2020-12) derived from an endpoint's types. On the host only: a component carries none.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{Context, SkillError};

/// The schemas of one endpoint.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EndpointSchemas {
    /// The endpoint's name, in `skill.toml` as in the code.
    pub name: &'static str,
    /// What a payload must look like.
    pub input: Value,
    /// What an answer looks like.
    pub output: Value,
}

impl EndpointSchemas {
    /// The schemas of a function's types.
    pub fn of<I: JsonSchema, O: JsonSchema>(
        name: &'static str,
        _endpoint: fn(I, &Context) -> Result<O, SkillError>,
    ) -> Self {
        Self {
            name,
            input: schema::<I>(SchemaSettings::draft2020_12().for_deserialize()),
            output: schema::<O>(SchemaSettings::draft2020_12().for_serialize()),
        }
    }
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    settings.into_generator().into_root_schema_for::<T>().into()
}
