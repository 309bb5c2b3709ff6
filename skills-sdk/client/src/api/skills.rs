//! Publishing, searching and reading skills.

use std::ops::ControlFlow;

use bytes::Bytes;
pub use clawos_api::registry::{
    EndpointView, ExampleReport, ExampleView, LimitsView, PublishReport, SkillDetail, SkillQuery, SkillSummary,
    VersionDetail, VersionView,
};
use reqwest::multipart::{Form, Part};

use super::{BASE, Page, segment};
use crate::error::Result;
use crate::http::{Body, Call, Client, DOWNLOAD_TIMEOUT, PUBLISH_TIMEOUT, Retry};
use crate::paging::PAGE;

/// The most pages of one skill's versions.
const MAX_VERSION_PAGES: u64 = 100;

/// A version to be published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The text of `skill.toml`.
    pub manifest: String,
    /// The WASM component.
    pub artifact: Bytes,
    /// Schemas and examples: (path as the manifest names it, content).
    pub files: Vec<(String, Bytes)>,
    /// The listing's long text, Markdown.
    pub readme: Option<String>,
    /// The publisher's signature over the version statement, base58; a dry run goes without.
    pub signature: Option<String>,
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
    pub async fn search(&self, query: &SkillQuery) -> Result<Page<SkillSummary>> {
        let call = Call::get(format!("{BASE}/skills"))
            .query("q", query.q.as_ref())
            .query("category", query.category.as_ref())
            .query("tag", query.tag.as_ref())
            .query("kind", query.kind)
            .query("account", query.account.as_ref())
            .query("limit", query.limit)
            .query("cursor", query.cursor.as_ref());
        self.json(call).await
    }

    /// `GET /skills/{id}`, with what its newest version does.
    ///
    /// # Errors
    /// `skill_not_found`.
    pub async fn skill(&self, id: &str) -> Result<SkillDetail> {
        self.skill_at(id, None).await
    }

    /// `GET /skills/{id}`, with what this version of it does.
    ///
    /// # Errors
    /// `skill_not_found`, `version_not_found`.
    pub async fn skill_at(&self, id: &str, version: Option<&str>) -> Result<SkillDetail> {
        self.json(Call::get(format!("{BASE}/skills/{}", segment(id)?)).query("version", version)).await
    }

    /// `GET /skills/{id}/versions`: all of them, newest first.
    ///
    /// # Errors
    /// `skill_not_found`; [`ClientError::Unreadable`](crate::ClientError::Unreadable) when the list does not end.
    pub async fn versions(&self, id: &str) -> Result<Vec<VersionView>> {
        let path = format!("{BASE}/skills/{}/versions", segment(id)?);
        let fetch = async |cursor| self.json(Call::get(&path).query("limit", Some(PAGE)).query("cursor", cursor)).await;
        let mut all = Vec::new();
        let keep = |version| {
            all.push(version);
            ControlFlow::Continue(())
        };
        self.every_page(MAX_VERSION_PAGES, fetch, keep).await?;
        Ok(all)
    }

    /// `GET /skills/{id}/versions/{v}`.
    ///
    /// # Errors
    /// `skill_not_found`, `version_not_found`.
    pub async fn version(&self, id: &str, version: &str) -> Result<VersionDetail> {
        self.json(Call::get(format!("{BASE}/skills/{}/versions/{}", segment(id)?, segment(version)?))).await
    }

    /// `GET /skills/{id}/artifact`: the module's bytes. The caller compares their hash.
    ///
    /// # Errors
    /// `skill_not_found`, `version_not_found`.
    pub async fn artifact(&self, id: &str, version: Option<&str>) -> Result<Bytes> {
        let call = Call::get(format!("{BASE}/skills/{}/artifact", segment(id)?)).query("version", version);
        self.bytes(call.timeout(DOWNLOAD_TIMEOUT)).await
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
