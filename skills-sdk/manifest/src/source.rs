//! `skill.toml` as written. Its JSON Schema is derived from these structs and is what a file is checked against, so each
//! description below is also the hint an author reads when the value is wrong.

use std::collections::BTreeSet;
use std::fmt;

use clawos_interface::Currency;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::Limits;
use crate::names;

/// Most tags of a skill.
pub const MAX_TAGS: usize = 10;
/// Most endpoints of a skill.
pub const MAX_ENDPOINTS: usize = 32;
/// Most examples of an endpoint.
pub const MAX_EXAMPLES: usize = 8;
/// Most characters of a description; longer text belongs in the README.
pub const MAX_DESCRIPTION: usize = 4_096;
/// Most characters of a summary: one line in a list.
pub const MAX_SUMMARY: usize = 160;
/// Most hosts, and most other skills, a skill may ask for.
pub const MAX_PERMISSIONS: usize = 16;

/// The file `skill.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "skill.toml", description = "The manifest of a ClawOS skill.")]
pub struct SkillToml {
    /// What the skill is.
    pub skill: Skill,
    /// What runs it.
    pub runtime: RuntimeSource,
    /// What one call may use.
    #[serde(default)]
    pub limits: Limits,
    /// What it may reach; this must equal what the module imports.
    #[serde(default)]
    pub permissions: Permissions,
    /// What it costs; without this section it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PricingSource")]
    pub pricing: Option<PricingSource>,
    /// What it can do: 1 to 32 endpoints with different names.
    #[schemars(length(min = 1, max = MAX_ENDPOINTS))]
    pub endpoints: Vec<EndpointSource>,
}

/// `[skill]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// The publisher's handle, a dot and a name, in lower-case letters, digits and hyphens, such as "acme.word-count".
    #[schemars(regex(pattern = names::SKILL_ID_PATTERN), length(max = 97))]
    pub id: String,
    /// A semantic version such as "1.2.0" or "2.0.0-beta.1", without build metadata.
    #[schemars(regex(pattern = names::VERSION_PATTERN), length(max = 64))]
    pub version: String,
    /// One line that says what it does; 1 to 160 characters.
    #[schemars(regex(pattern = "^[^\\x00-\\x1f\\x7f]+$"), length(min = 1, max = MAX_SUMMARY))]
    pub summary: String,
    /// A few paragraphs without control characters; at most 4,096 characters, the rest belongs in the README.
    #[serde(default)]
    #[schemars(regex(pattern = "^[^\\x00-\\x08\\x0b-\\x1f\\x7f]*$"), length(max = MAX_DESCRIPTION))]
    pub description: String,
    /// One of the six categories.
    pub category: Category,
    /// Up to 10 different words to be found by, in lower-case letters, digits and hyphens.
    #[serde(default)]
    #[schemars(length(max = MAX_TAGS), inner(regex(pattern = names::TAG_PATTERN)))]
    pub tags: BTreeSet<String>,
    /// The licence of the code as an SPDX expression, such as "MIT" or "MIT OR Apache-2.0".
    #[schemars(length(min = 1, max = 128))]
    pub license: String,
    /// Where the source is: an http or https address of at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = names::URL_PATTERN), length(max = 256))]
    pub repository: Option<String>,
    /// The skill's own page: an http or https address of at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = names::URL_PATTERN), length(max = 256))]
    pub homepage: Option<String>,
}

/// What a skill is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Messages and people.
    Communication,
    /// Work done without people.
    Automation,
    /// Data understood.
    Analysis,
    /// Things made.
    Creative,
    /// Small tools.
    Utility,
    /// Other systems reached.
    Integration,
}

/// `[runtime]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuntimeSource {
    /// "wasm" for a component, "docker" for an image.
    pub kind: RuntimeKind,
    /// The built module or image: a path inside the project, such as "target/word-count.wasm".
    #[schemars(length(min = 1, max = 200))]
    pub artifact: String,
}

/// What runs a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// A WASM component in wasmtime.
    Wasm,
    /// A container of an image.
    Docker,
}

impl RuntimeKind {
    /// The word in the manifest: `wasm` or `docker`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Docker => "docker",
        }
    }
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `[permissions]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Permissions {
    /// Hosts it may call, up to 16, such as "api.example.com": names without scheme, port or path.
    #[schemars(length(max = MAX_PERMISSIONS), inner(regex(pattern = names::HOST_PATTERN), length(max = 253)))]
    pub http: BTreeSet<String>,
    /// Whether it keeps values of its own.
    pub kv: bool,
    /// Ids of other skills it may call, up to 16.
    #[schemars(length(max = MAX_PERMISSIONS), inner(regex(pattern = names::SKILL_ID_PATTERN)))]
    pub skills: BTreeSet<String>,
}

/// `[pricing]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricingSource {
    /// "USDC" or "SOL".
    #[schemars(schema_with = "currency_schema")]
    pub currency: Currency,
    /// Price of a licence that never expires, as decimal text such as "5" or "0.25".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = AMOUNT_PATTERN))]
    pub once: Option<String>,
    /// Price of a period, such as { amount = "2", every = "monthly" }.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PeriodSource")]
    pub period: Option<PeriodSource>,
    /// Price of usage, such as { amount = "1", per = "1000-calls" }.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "UsageSource")]
    pub usage: Option<UsageSource>,
    /// What the price is multiplied by for each tier, such as { commercial = 2.0, enterprise = 10.0 }.
    #[serde(default)]
    pub tiers: TiersSource,
    /// Calls every wallet may make before it needs a licence; 0 to 1,000.
    #[serde(default)]
    #[schemars(range(max = 1_000))]
    pub free_calls: u32,
    /// Hours in which an unused purchase can be taken back.
    #[serde(default)]
    #[schemars(range(max = 8_784))]
    pub refund_hours: u32,
}

/// Decimal text: no sign, no exponent, at most 12 digits on either side.
pub const AMOUNT_PATTERN: &str = "^(0|[1-9][0-9]{0,11})(\\.[0-9]{1,12})?$";

/// `pricing.period`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodSource {
    /// Decimal text such as "2" or "0.25".
    #[schemars(regex(pattern = AMOUNT_PATTERN))]
    pub amount: String,
    /// The length of a period.
    pub every: Every,
}

/// The length of a subscription's period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// 3,600 seconds.
    Hourly,
    /// 24 hours.
    Daily,
    /// 7 days.
    Weekly,
    /// 30 days.
    Monthly,
    /// 365 days.
    Yearly,
}

impl Every {
    /// The period in seconds.
    pub const fn secs(self) -> u32 {
        const DAY: u32 = 86_400;
        match self {
            Self::Hourly => 3_600,
            Self::Daily => DAY,
            Self::Weekly => 7 * DAY,
            Self::Monthly => 30 * DAY,
            Self::Yearly => 365 * DAY,
        }
    }
}

/// `pricing.usage`: kept as written, for showing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageSource {
    /// Decimal text such as "1" or "0.25".
    #[schemars(regex(pattern = AMOUNT_PATTERN))]
    pub amount: String,
    /// What the amount is for.
    pub per: Per,
}

/// What a usage price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Per {
    /// One call that succeeds.
    #[serde(rename = "call")]
    Call,
    /// A thousand such calls.
    #[serde(rename = "1000-calls")]
    ThousandCalls,
    /// A million fuel.
    #[serde(rename = "megafuel")]
    Megafuel,
    /// A thousand million fuel.
    #[serde(rename = "gigafuel")]
    Gigafuel,
}

/// `pricing.tiers`: personal is always 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TiersSource {
    /// At least 1.0, at most 100, with at most four decimals.
    #[schemars(range(min = 1.0, max = 100.0))]
    pub commercial: f64,
    /// At least 1.0, at most 100, with at most four decimals.
    #[schemars(range(min = 1.0, max = 100.0))]
    pub enterprise: f64,
}

impl Default for TiersSource {
    fn default() -> Self {
        Self { commercial: 1.0, enterprise: 1.0 }
    }
}

/// `[[endpoints]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointSource {
    /// Lower-case letters, digits, hyphens and underscores, beginning with a letter; 1 to 64 characters.
    #[schemars(regex(pattern = names::ENDPOINT_PATTERN))]
    pub name: String,
    /// One line that says what it does; 1 to 160 characters.
    #[schemars(regex(pattern = "^[^\\x00-\\x1f\\x7f]+$"), length(min = 1, max = MAX_SUMMARY))]
    pub summary: String,
    /// Path of the JSON Schema of its payload, such as "schemas/in.json".
    #[schemars(length(min = 1, max = 200))]
    pub input: String,
    /// Path of the JSON Schema of its answer, such as "schemas/out.json".
    #[schemars(length(min = 1, max = 200))]
    pub output: String,
    /// Up to 8 calls that are run at publish and must match.
    #[serde(default)]
    #[schemars(length(max = MAX_EXAMPLES))]
    pub examples: Vec<ExampleSource>,
}

/// `[[endpoints.examples]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExampleSource {
    /// Path of a JSON file with the payload.
    #[schemars(length(min = 1, max = 200))]
    pub input: String,
    /// Path of a JSON file with the answer it must give.
    #[schemars(length(min = 1, max = 200))]
    pub output: String,
}

fn currency_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": Currency::ALL })
}

/// The JSON Schema of `skill.toml`; committed as `schema.json` for editors.
pub fn json_schema() -> Value {
    // Inlined, so that an error's schema path leads straight to the description that is its hint.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<SkillToml>().into()
}
