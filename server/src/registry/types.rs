//! Rows and answers of the registry.

use super::resolve::SkillVersion;
use crate::http::{Cursor, Timestamp};
use crate::licensing::ListingChain;
use clawos_manifest::ResolvedManifest;
use clawos_manifest::resolved::Endpoint;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A skill as stored: the listing of its newest version.
#[derive(Clone, Debug)]
pub(super) struct SkillRow {
    pub(super) id: String,
    pub(super) publisher_id: String,
    pub(super) publisher: String,
    pub(super) publisher_wallet: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) category: String,
    pub(super) tags: String,
    pub(super) licence: String,
    pub(super) search_text: String,
    pub(super) prices: Option<String>,
    pub(super) sells_once: bool,
    pub(super) sells_period: bool,
    pub(super) sells_usage: bool,
    pub(super) latest_version: String,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

/// A version as stored.
#[derive(Clone, Debug)]
pub(super) struct VersionRow {
    pub(super) id: String,
    pub(super) skill_id: String,
    pub(super) version: String,
    pub(super) module_sha256: String,
    pub(super) manifest_sha256: String,
    pub(super) manifest: String,
    pub(super) readme: Option<String>,
    pub(super) signature: String,
    pub(super) publisher_wallet: String,
    pub(super) permissions: String,
    pub(super) size: i64,
    pub(super) created_at: i64,
    pub(super) yanked: bool,
}

/// Words of a search that are looked for; more are ignored.
pub(super) const SEARCH_WORDS: usize = 4;

/// What a list is narrowed to.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) after: Cursor,
    pub(super) words: [String; SEARCH_WORDS],
    pub(super) category: String,
    pub(super) tag: String,
    pub(super) sells_once: bool,
    pub(super) sells_period: bool,
    pub(super) sells_usage: bool,
}

/// A skill in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SkillSummary {
    /// `publisher.name`
    pub(super) id: String,
    /// The publisher's handle.
    pub(super) publisher: String,
    pub(super) summary: String,
    pub(super) category: String,
    pub(super) tags: Vec<String>,
    pub(super) latest_version: String,
    /// `one_time`, `subscription`, `usage`; empty for a free skill.
    pub(super) kinds: Vec<&'static str>,
    /// What the manifest says it costs; null when it is free.
    pub(super) prices: Option<Value>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl From<SkillRow> for SkillSummary {
    fn from(row: SkillRow) -> Self {
        let kinds = [(row.sells_once, "one_time"), (row.sells_period, "subscription"), (row.sells_usage, "usage")];
        SkillSummary {
            tags: words(&row.tags),
            prices: row.prices.as_deref().and_then(|prices| serde_json::from_str(prices).ok()),
            kinds: kinds.into_iter().filter(|(sold, _)| *sold).map(|(_, kind)| kind).collect(),
            id: row.id,
            publisher: row.publisher,
            summary: row.summary,
            category: row.category,
            latest_version: row.latest_version,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// A skill with everything a buyer needs to know.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SkillDetail {
    /// `publisher.name`
    pub(super) id: String,
    /// The publisher's handle.
    pub(super) publisher: String,
    /// The publisher's wallet, base58.
    pub(super) publisher_wallet: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) category: String,
    pub(super) tags: Vec<String>,
    /// SPDX expression.
    pub(super) license: String,
    pub(super) latest_version: String,
    /// The interfaces its module imports; it is given nothing else.
    pub(super) permissions: Vec<String>,
    /// What one call may use: fuel, memory_mib, wall_ms, output_kib.
    pub(super) limits: Value,
    /// What the manifest says it costs; null when it is free. The chain's prices count.
    pub(super) prices: Option<Value>,
    /// What the chain says; null for a free skill, or while the chain cannot be read.
    pub(super) chain: Option<ListingChain>,
    pub(super) endpoints: Vec<EndpointView>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// One thing a skill can do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointView {
    name: String,
    summary: String,
    /// JSON Schema of the payload.
    input: Value,
    /// JSON Schema of the answer.
    output: Value,
    /// Payloads with their answers.
    examples: Vec<ExampleView>,
}

/// A payload with its answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExampleView {
    input: Value,
    output: Value,
}

impl From<&Endpoint> for EndpointView {
    fn from(endpoint: &Endpoint) -> Self {
        let example = |example: &clawos_manifest::resolved::Example| ExampleView {
            input: example.input.clone(),
            output: example.output.clone(),
        };
        EndpointView {
            name: endpoint.name.clone(),
            summary: endpoint.summary.clone(),
            input: endpoint.input.clone(),
            output: endpoint.output.clone(),
            examples: endpoint.examples.iter().map(example).collect(),
        }
    }
}

impl SkillDetail {
    pub(super) fn new(row: SkillRow, newest: &SkillVersion, chain: Option<ListingChain>) -> SkillDetail {
        let manifest: &ResolvedManifest = &newest.manifest;
        SkillDetail {
            tags: words(&row.tags),
            permissions: newest.permissions.clone(),
            limits: serde_json::to_value(manifest.limits).unwrap_or_default(),
            prices: manifest.prices.as_ref().and_then(|prices| serde_json::to_value(prices).ok()),
            chain,
            endpoints: manifest.endpoints.iter().map(EndpointView::from).collect(),
            id: row.id,
            publisher: row.publisher,
            publisher_wallet: row.publisher_wallet,
            summary: row.summary,
            description: row.description,
            category: row.category,
            license: row.licence,
            latest_version: row.latest_version,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// A version: what was published, and the publisher's signature over it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionView {
    /// `ver_…`
    pub(super) id: String,
    pub(super) version: String,
    /// SHA-256 of the artifact, hex.
    pub(super) module_sha256: String,
    /// SHA-256 of the canonical JSON of the resolved manifest, hex.
    pub(super) manifest_sha256: String,
    /// The publisher's Ed25519 signature of the version statement, base58.
    pub(super) signature: String,
    /// The wallet that signed, base58.
    pub(super) publisher_wallet: String,
    /// Bytes of the artifact.
    pub(super) size: i64,
    pub(super) created_at: Timestamp,
    /// No longer chosen unless asked for by number.
    pub(super) yanked: bool,
}

impl From<&VersionRow> for VersionView {
    fn from(row: &VersionRow) -> Self {
        VersionView {
            id: row.id.clone(),
            version: row.version.clone(),
            module_sha256: row.module_sha256.clone(),
            manifest_sha256: row.manifest_sha256.clone(),
            signature: row.signature.clone(),
            publisher_wallet: row.publisher_wallet.clone(),
            size: row.size,
            created_at: Timestamp(row.created_at),
            yanked: row.yanked,
        }
    }
}

/// A version with its manifest.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionDetail {
    #[serde(flatten)]
    pub(super) version: VersionView,
    /// The resolved manifest that `manifest_sha256` is the hash of.
    pub(super) manifest: Value,
    /// Markdown, when the publisher sent one.
    pub(super) readme: Option<String>,
}

/// What publishing found and did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublishReport {
    /// `publisher.name`
    pub(super) skill: String,
    pub(super) version: String,
    /// `ver_…`; null after a dry run.
    pub(super) version_id: Option<String>,
    /// SHA-256 of the artifact, hex: sign it.
    pub(super) module_sha256: String,
    /// SHA-256 of the resolved manifest's canonical JSON, hex: sign it.
    pub(super) manifest_sha256: String,
    /// Bytes of the artifact.
    pub(super) size: u64,
    /// The interfaces the module imports.
    pub(super) permissions: Vec<String>,
    /// Every example, run in the sandbox.
    pub(super) examples: Vec<ExampleReport>,
    /// What is allowed but probably not meant.
    pub(super) warnings: Vec<String>,
    /// Whether the skill is on chain, so that it can be bought.
    pub(super) registered: bool,
}

/// One example's run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExampleReport {
    pub(super) endpoint: String,
    pub(super) ok: bool,
    /// Decimal string.
    pub(super) fuel: String,
}

/// Comma-separated text as a list.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
