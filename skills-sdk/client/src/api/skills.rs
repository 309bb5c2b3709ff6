//! Publishing, searching and reading skills.

use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BASE, Money, Page, number, segment};
use crate::error::Result;
use crate::http::{Body, Call, Client, PUBLISH_TIMEOUT, Retry};

/// A version to be published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The text of `skill.toml`.
    pub manifest: String,
    /// The module.
    pub artifact: Bytes,
    /// Schemas and examples: (path as the manifest names it, content).
    pub files: Vec<(String, Bytes)>,
    /// The listing's long text, Markdown.
    pub readme: Option<String>,
    /// The publisher's signature over the version statement, base58; a dry run goes without.
    pub signature: Option<String>,
}

/// What the server found, and made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublishReport {
    /// `publisher.name`
    pub skill: String,
    /// The version.
    pub version: String,
    /// `ver_…`; none in a dry run.
    #[serde(default)]
    pub version_id: Option<String>,
    /// SHA-256 of the module, hex.
    pub module_sha256: String,
    /// SHA-256 of the resolved manifest's canonical JSON, hex.
    pub manifest_sha256: String,
    /// The module's size in bytes.
    #[serde(with = "number")]
    pub size: u64,
    /// What the module imports, or the manifest's permissions.
    #[serde(default)]
    pub permissions: Value,
    /// How the examples went.
    #[serde(default)]
    pub examples: Vec<ExampleReport>,
    /// What could be better.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Whether the skill is on chain already.
    #[serde(default)]
    pub registered: bool,
}

/// How one example went at publish.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExampleReport {
    /// The endpoint.
    pub endpoint: String,
    /// Whether its output matched.
    pub ok: bool,
    /// The fuel it took.
    #[serde(with = "number")]
    pub fuel: u64,
}

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Words.
    pub q: Option<String>,
    /// One of the fixed categories.
    pub category: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// `one_time`, `subscription`, `usage`.
    pub kind: Option<String>,
    /// How many, 1 to 100.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// One line of a search.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SkillSummary {
    /// `publisher.name`
    pub id: String,
    /// The newest version.
    #[serde(default)]
    pub latest_version: Option<String>,
    /// One line.
    #[serde(default)]
    pub summary: String,
    /// One of the fixed categories.
    #[serde(default)]
    pub category: String,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The manifest's prices; null for a free skill.
    #[serde(default)]
    pub prices: Value,
    /// Whatever else the server says.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

/// A listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SkillDetail {
    /// `publisher.name`
    pub id: String,
    /// The publisher: handle, and what else the server says.
    #[serde(default)]
    pub publisher: Value,
    /// One line.
    #[serde(default)]
    pub summary: String,
    /// The long text.
    #[serde(default)]
    pub description: Option<String>,
    /// One of the fixed categories.
    #[serde(default)]
    pub category: String,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// SPDX.
    #[serde(default)]
    pub license: Option<String>,
    /// The newest version.
    pub latest_version: String,
    /// What it may use.
    #[serde(default)]
    pub permissions: Value,
    /// What a run may use.
    #[serde(default)]
    pub limits: Value,
    /// The manifest's prices; null for a free skill.
    #[serde(default)]
    pub prices: Value,
    /// What the chain says; null when it is not registered.
    #[serde(default)]
    pub chain: Option<ListingChain>,
    /// The endpoints.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
}

/// The listing's state on chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListingChain {
    /// Whether the account is there.
    pub registered: bool,
    /// Its address.
    #[serde(default)]
    pub skill_account: Option<String>,
    /// `active`, `paused`, `retired`, …
    #[serde(default)]
    pub status: Option<String>,
    /// Counts changes of the terms.
    #[serde(with = "number::option", default)]
    pub terms_version: Option<u64>,
    /// SHA-256 over the terms, hex.
    #[serde(default)]
    pub terms_hash: Option<String>,
    /// The prices that count.
    #[serde(default)]
    pub prices: Value,
    /// Whether the manifest says something else.
    #[serde(default)]
    pub terms_differ: bool,
    /// The slot this was read at.
    #[serde(with = "number::option", default)]
    pub slot: Option<u64>,
}

/// One endpoint of a skill.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// One line.
    #[serde(default)]
    pub summary: String,
    /// JSON Schema of the payload.
    #[serde(default)]
    pub input: Value,
    /// JSON Schema of the result.
    #[serde(default)]
    pub output: Value,
    /// Examples of both.
    #[serde(default)]
    pub examples: Vec<Value>,
}

/// A published version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// `ver_…`
    pub id: String,
    /// The version.
    pub version: String,
    /// SHA-256 of the module, hex.
    pub module_sha256: String,
    /// SHA-256 of the resolved manifest, hex.
    pub manifest_sha256: String,
    /// The publisher's signature, base58.
    pub signature: String,
    /// The publisher's wallet at that time.
    pub publisher_wallet: String,
    /// The module's size in bytes.
    #[serde(with = "number")]
    pub size: u64,
    /// RFC 3339.
    pub created_at: String,
    /// Whether it was taken back.
    #[serde(default)]
    pub yanked: bool,
    /// The resolved manifest; only in the answer about one version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Value>,
}

/// What is asked of a quote.
#[derive(Debug, Clone, Default)]
pub struct QuoteRequest {
    /// `one_time`, `subscription`, `usage`; none leaves it to the server.
    pub kind: Option<String>,
    /// `personal`, `commercial`, `enterprise`.
    pub tier: Option<String>,
    /// Units to price, for usage.
    pub units: Option<u64>,
}

/// A price, and what it rests on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Quote {
    /// `publisher.name`
    pub skill: String,
    /// Its account.
    #[serde(default)]
    pub skill_account: Option<String>,
    /// `one_time`, `subscription`, `usage`.
    pub kind: String,
    /// `personal`, `commercial`, `enterprise`.
    pub tier: String,
    /// `SOL` or `USDC`.
    pub currency: String,
    /// What is paid at purchase; 0 for usage.
    pub price: Money,
    /// The platform's part of `price`.
    pub fee: Money,
    /// The seller's part of `price`.
    pub seller_receives: Money,
    /// `call` or `megafuel`, for usage.
    #[serde(default)]
    pub unit_kind: Option<String>,
    /// What one unit costs, for usage.
    #[serde(default)]
    pub unit_price: Option<Money>,
    /// How many units were asked about.
    #[serde(with = "number::option", default)]
    pub units: Option<u64>,
    /// What it all comes to.
    #[serde(default)]
    pub total: Option<Money>,
    /// Counts changes of the terms.
    #[serde(with = "number::option", default)]
    pub terms_version: Option<u64>,
    /// SHA-256 over the terms, hex.
    #[serde(default)]
    pub terms_hash: Option<String>,
    /// Whether the skill is on chain.
    #[serde(default)]
    pub registered: bool,
    /// The key that records usage of licences sold now.
    #[serde(default)]
    pub meter: Option<String>,
    /// Whether it can be bought now.
    #[serde(default)]
    pub purchasable: bool,
    /// Why it cannot.
    #[serde(default)]
    pub reason: Option<String>,
    /// The slot this was read at.
    #[serde(with = "number::option", default)]
    pub slot: Option<u64>,
}

impl Client {
    /// `POST /skills` or `POST /skills/{id}/versions`: publishes, or with `dry_run` only checks.
    ///
    /// # Errors
    /// `manifest_invalid`, `artifact_invalid`, `example_failed`, `version_exists`, …
    pub async fn publish(
        &self,
        existing: Option<&str>,
        publication: &Publication,
        dry_run: bool,
    ) -> Result<PublishReport> {
        let path = match existing {
            Some(id) => format!("{BASE}/skills/{}/versions", segment(id)?),
            None => format!("{BASE}/skills"),
        };
        let form = || form_of(publication);
        let call = Call::post(path, Body::Form(&form), Retry::Safe).timeout(PUBLISH_TIMEOUT);
        self.json(call.query("dry_run", dry_run.then_some(true))).await
    }

    /// `GET /skills`.
    ///
    /// # Errors
    /// `validation_failed` for an unknown category or a bad cursor.
    pub async fn search(&self, search: &Search) -> Result<Page<SkillSummary>> {
        let call = Call::get(format!("{BASE}/skills"))
            .query("q", search.q.as_ref())
            .query("category", search.category.as_ref())
            .query("tag", search.tag.as_ref())
            .query("kind", search.kind.as_ref())
            .query("limit", search.limit)
            .query("cursor", search.cursor.as_ref());
        self.json(call).await
    }

    /// `GET /skills/{id}`.
    ///
    /// # Errors
    /// `skill_not_found`.
    pub async fn skill(&self, id: &str) -> Result<SkillDetail> {
        self.json(Call::get(format!("{BASE}/skills/{}", segment(id)?))).await
    }

    /// `GET /skills/{id}/versions`.
    ///
    /// # Errors
    /// `skill_not_found`.
    pub async fn versions(&self, id: &str) -> Result<Page<Version>> {
        self.json(Call::get(format!("{BASE}/skills/{}/versions", segment(id)?))).await
    }

    /// `GET /skills/{id}/versions/{v}`.
    ///
    /// # Errors
    /// `skill_not_found`, `version_not_found`.
    pub async fn version(&self, id: &str, version: &str) -> Result<Version> {
        self.json(Call::get(format!("{BASE}/skills/{}/versions/{}", segment(id)?, segment(version)?))).await
    }

    /// `GET /skills/{id}/artifact`: the module's bytes. The caller compares their hash.
    ///
    /// # Errors
    /// `skill_not_found`, `version_not_found`.
    pub async fn artifact(&self, id: &str, version: Option<&str>) -> Result<Bytes> {
        self.bytes(Call::get(format!("{BASE}/skills/{}/artifact", segment(id)?)).query("version", version)).await
    }

    /// `GET /skills/{id}/quote`.
    ///
    /// # Errors
    /// `skill_not_found`; `validation_failed` for a kind the skill is not sold as.
    pub async fn quote(&self, id: &str, ask: &QuoteRequest) -> Result<Quote> {
        let call = Call::get(format!("{BASE}/skills/{}/quote", segment(id)?))
            .query("kind", ask.kind.as_ref())
            .query("tier", ask.tier.as_ref())
            .query("units", ask.units);
        self.json(call).await
    }
}

fn form_of(publication: &Publication) -> Form {
    let bytes = |content: &Bytes| Part::stream_with_length(content.clone(), content.len() as u64);
    let mut form = Form::new()
        .text("manifest", publication.manifest.clone())
        .part("artifact", bytes(&publication.artifact).file_name("artifact.wasm"));
    for (path, content) in &publication.files {
        form = form.part("file", bytes(content).file_name(path.clone()));
    }
    if let Some(readme) = &publication.readme {
        form = form.text("readme", readme.clone());
    }
    if let Some(signature) = &publication.signature {
        form = form.text("signature", signature.clone());
    }
    form
}
