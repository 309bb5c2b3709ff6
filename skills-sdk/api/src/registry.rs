//! Publishing, versions, listings and search.

use clawos_interface::Kind;
use clawos_manifest::resolved::{Endpoint, Example};
use clawos_manifest::{Limits, Prices};
#[cfg(feature = "openapi")]
use clawos_receipts::schema;
use clawos_receipts::text::decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;
use crate::market::ListingChain;

/// How to publish.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct PublishQuery {
    /// Check everything, store nothing; needs no signature.
    #[serde(default)]
    pub dry_run: bool,
}

/// What publishing found and did.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishReport {
    /// `publisher.name`
    pub skill: String,
    /// The version, as SemVer.
    pub version: String,
    /// `ver_…`; null after a dry run.
    pub version_id: Option<String>,
    /// SHA-256 of the artifact, hex: sign it.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub module_sha256: String,
    /// SHA-256 of the resolved manifest's canonical JSON, hex: sign it.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub manifest_sha256: String,
    /// Bytes of the artifact.
    pub size: u64,
    /// The interfaces the module imports.
    pub permissions: Vec<String>,
    /// Every example, run in the sandbox.
    pub examples: Vec<ExampleReport>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<String>,
    /// Whether the skill is on chain, so that it can be bought; false, too, while the chain cannot be read.
    pub registered: bool,
}

/// One example's run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExampleReport {
    /// The endpoint it calls.
    pub endpoint: String,
    /// Whether its output is the promised one.
    pub ok: bool,
    /// The fuel it used, as a decimal string.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub fuel: u64,
}

/// Which skills to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct SkillQuery {
    /// Words that must all occur in id, summary, description or tags; the first four count.
    pub q: Option<String>,
    /// communication, automation, analysis, creative, utility or integration.
    pub category: Option<String>,
    /// One tag.
    pub tag: Option<String>,
    /// What is sold.
    #[cfg_attr(feature = "openapi", param(value_type = Option<schema::KindWord>))]
    pub kind: Option<Kind>,
    /// The address of the skill's account on chain, base58: only that skill.
    #[cfg_attr(feature = "openapi", param(value_type = Option<schema::Address>))]
    pub account: Option<String>,
    /// 1 to 100; 20 by default.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A skill in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SkillSummary {
    /// `publisher.name`
    pub id: String,
    /// The publisher's handle.
    pub publisher: String,
    /// One line.
    pub summary: String,
    /// communication, automation, analysis, creative, utility or integration.
    pub category: String,
    /// As the manifest has them.
    pub tags: Vec<String>,
    /// What a call without a version gets, as SemVer.
    pub latest_version: String,
    /// `one_time`, `subscription`, `usage`; empty for a free skill.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<schema::KindWord>))]
    pub kinds: Vec<Kind>,
    /// What the manifest says it costs; null when it is free.
    pub prices: Option<Prices>,
    /// When it was first published.
    pub created_at: Timestamp,
    /// When a version of it was last published.
    pub updated_at: Timestamp,
}

/// A skill with everything a buyer needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SkillDetail {
    /// `publisher.name`
    pub id: String,
    /// The publisher's handle.
    pub publisher: String,
    /// The publisher's wallet, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub publisher_wallet: String,
    /// One line.
    pub summary: String,
    /// The long text.
    pub description: String,
    /// communication, automation, analysis, creative, utility or integration.
    pub category: String,
    /// As the manifest has them.
    pub tags: Vec<String>,
    /// SPDX expression.
    pub license: String,
    /// What a call without a version gets, as SemVer.
    pub latest_version: String,
    /// The version that permissions, limits, prices and endpoints are of, as SemVer.
    pub version: String,
    /// The interfaces its module imports; it is given nothing else.
    pub permissions: Vec<String>,
    /// What one call may use: fuel, memory_mib, wall_ms, output_kib.
    pub limits: LimitsView,
    /// What the manifest says it costs; null when it is free. The chain's prices count.
    pub prices: Option<Prices>,
    /// What the chain says; null for a free skill, or while the chain cannot be read.
    pub chain: Option<ListingChain>,
    /// What it can do.
    pub endpoints: Vec<EndpointView>,
    /// When it was first published.
    pub created_at: Timestamp,
    /// When a version of it was last published.
    pub updated_at: Timestamp,
}

/// What one call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitsView {
    /// Fuel, roughly one per instruction.
    pub fuel: u64,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Wall time in milliseconds.
    pub wall_ms: u32,
    /// Size of the answer in KiB.
    pub output_kib: u32,
}

impl From<Limits> for LimitsView {
    fn from(limits: Limits) -> Self {
        let Limits { fuel, memory_mib, wall_ms, output_kib } = limits;
        Self { fuel, memory_mib, wall_ms, output_kib }
    }
}

/// One thing a skill can do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndpointView {
    /// What calls name it by.
    pub name: String,
    /// One line.
    pub summary: String,
    /// JSON Schema of the payload.
    pub input: Value,
    /// JSON Schema of the answer.
    pub output: Value,
    /// Payloads with their answers.
    pub examples: Vec<ExampleView>,
}

/// A payload with its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExampleView {
    /// The payload.
    pub input: Value,
    /// The answer.
    pub output: Value,
}

impl From<Endpoint> for EndpointView {
    fn from(endpoint: Endpoint) -> Self {
        let Endpoint { name, summary, input, output, examples } = endpoint;
        let example = |Example { input, output }| ExampleView { input, output };
        EndpointView { name, summary, input, output, examples: examples.into_iter().map(example).collect() }
    }
}

/// Which versions of a skill to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct VersionsQuery {
    /// 1 to 100; 20 by default.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A version: what was published, and the publisher's signature over it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionView {
    /// `ver_…`
    pub id: String,
    /// Its number, as SemVer.
    pub version: String,
    /// SHA-256 of the artifact, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub module_sha256: String,
    /// SHA-256 of the canonical JSON of the resolved manifest, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub manifest_sha256: String,
    /// The publisher's Ed25519 signature of the version statement, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::SignatureText))]
    pub signature: String,
    /// The wallet that signed, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub publisher_wallet: String,
    /// Bytes of the artifact.
    pub size: u64,
    /// When it was published.
    pub created_at: Timestamp,
}

/// A version with its manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionDetail {
    /// The version.
    #[serde(flatten)]
    pub version: VersionView,
    /// The resolved manifest that `manifest_sha256` is the hash of; every member counts, known to the reader or not.
    pub manifest: Value,
    /// Markdown, when the publisher sent one.
    pub readme: Option<String>,
}

/// Which version of a skill to show, or to download.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct VersionQuery {
    /// A version; the newest by default.
    pub version: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Adds a member that no reader knows to every object in `value`.
    fn extend(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.values_mut().for_each(extend);
                members.insert("new_member".to_owned(), json!({ "a": 1 }));
            }
            Value::Array(items) => items.iter_mut().for_each(extend),
            _ => {}
        }
    }

    /// Reads `value` with more members at every level, and writes it without them.
    fn read_extended<T: Serialize + serde::de::DeserializeOwned>(value: &Value) {
        let mut extended = value.clone();
        extend(&mut extended);
        let read: T = serde_json::from_value(extended).expect("a newer server may say more");
        assert_eq!(&serde_json::to_value(read).expect("it is JSON"), value);
    }

    fn prices() -> Value {
        json!({
            "currency": "USDC", "once": "100", "period": { "amount": "100", "secs": 3600 },
            "unit": { "amount": "1", "kind": "call", "shown": { "amount": "1", "per": "1000-calls" } },
            "tier_bps": [10000, 10000, 10000], "free_calls": 0, "refund_secs": 0,
        })
    }

    #[test]
    fn answers_of_newer_servers_are_read() {
        let time = "2026-01-02T03:04:05Z";
        let summary = json!({
            "id": "a.b", "publisher": "a", "summary": "s", "category": "utility", "tags": ["t"],
            "latest_version": "1.0.0", "kinds": ["usage"], "prices": prices(), "created_at": time, "updated_at": time,
        });
        read_extended::<SkillSummary>(&summary);
        let on_chain = json!({
            "once": { "amount": "1", "currency": "USDC", "decimals": 6 }, "period": null,
            "period_secs": null, "unit": null, "unit_kind": null, "tier_bps": [10000, 10000, 10000], "refund_secs": 0,
        });
        let mut detail = json!({
            "id": "a.b", "publisher": "a", "publisher_wallet": "w", "summary": "s", "description": "d",
            "category": "utility", "tags": [], "license": "MIT", "latest_version": "1.0.0", "version": "1.0.0", "permissions": [],
            "limits": { "fuel": 1000, "memory_mib": 1, "wall_ms": 10, "output_kib": 1 }, "prices": prices(),
            "chain": { "registered": true, "skill_account": "k", "status": "active", "terms_version": 1,
                       "terms_hash": "h", "prices": on_chain, "terms_differ": false, "slot": "7" },
            "endpoints": [], "created_at": time, "updated_at": time,
        });
        read_extended::<SkillDetail>(&detail);
        // Schemas and payloads are anything, so only the endpoint's own members are added to.
        detail["endpoints"] = json!([{
            "name": "e", "summary": "s", "input": true, "output": true, "new_member": 1,
            "examples": [{ "input": 1, "output": 2, "new_member": 1 }],
        }]);
        serde_json::from_value::<SkillDetail>(detail).expect("a newer server may say more");
    }
}
