//! Publishing a skill or a version of one, or trying to.

use super::candidate::Candidate;
use super::places::MAX_UPLOADS;
use super::resolve::skill_not_found;
use super::types::{PublishReport, SkillRow, VersionRow};
use super::upload::{Upload, UploadForm};
use super::{list, quota, store};
use crate::app::{App, AppState};
use crate::audit;
use crate::error::{ApiError, Code, Problem};
use crate::http::idempotency::{Claim, fingerprint};
use crate::http::{Caller, IdempotencyKey, Path, Query};
use crate::identity::{Scope, lock_agent};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use clawos_manifest::names;
use clawos_receipts::text::{to_base58, to_hex};
use serde::Deserialize;
use sqlx::AnyConnection;
use std::time::Duration;
use utoipa::IntoParams;

/// A claim must outlive its work: one module is compiled at a time, for up to two minutes, after those of the other uploads;
/// then examples take one minute, and one is spare.
const CLAIM: Duration = Duration::from_secs(MAX_UPLOADS as u64 * 120 + 120);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishQuery {
    /// Check everything, store nothing; needs no signature.
    #[serde(default)]
    dry_run: bool,
}

/// Publish a new skill.
#[utoipa::path(post, path = "/skills", tag = "skills", security(("bearer" = [])),
    params(PublishQuery, ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = inline(UploadForm), content_type = "multipart/form-data"),
    responses((status = 201, body = PublishReport), (status = 200, body = PublishReport, description = "Dry run"),
        (status = "default", body = Problem)))]
pub(super) async fn publish(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PublishQuery>,
    key: IdempotencyKey,
    upload: Upload,
) -> Result<Response, ApiError> {
    caller.require(Scope::Publish)?;
    let print = request_print("", query.dry_run, &upload);
    let work = |claim| accept(&app, &caller, None, &upload, query.dry_run, claim);
    app.idempotency.once(&caller, "POST /skills", &key, print, CLAIM, work).await
}

/// Publish a new version of a skill.
#[utoipa::path(post, path = "/skills/{id}/versions", tag = "skills", security(("bearer" = [])),
    params(("id" = String, Path, description = "`publisher.name`"), PublishQuery,
        ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = inline(UploadForm), content_type = "multipart/form-data"),
    responses((status = 201, body = PublishReport), (status = 200, body = PublishReport, description = "Dry run"),
        (status = "default", body = Problem)))]
pub(super) async fn publish_version(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<PublishQuery>,
    key: IdempotencyKey,
    upload: Upload,
) -> Result<Response, ApiError> {
    caller.require(Scope::Publish)?;
    let print = request_print(&id, query.dry_run, &upload);
    let work = |claim| accept(&app, &caller, Some(&id), &upload, query.dry_run, claim);
    app.idempotency.once(&caller, "POST /skills/{id}/versions", &key, print, CLAIM, work).await
}

fn request_print(id: &str, dry_run: bool, upload: &Upload) -> [u8; 32] {
    let mut parts: Vec<&[u8]> = vec![id.as_bytes(), if dry_run { b"dry" } else { b"" }];
    parts.extend(upload.parts());
    fingerprint(&parts)
}

async fn accept(
    app: &App,
    caller: &Caller,
    target: Option<&str>,
    upload: &Upload,
    dry_run: bool,
    claim: Option<Claim>,
) -> Result<Response, ApiError> {
    if let Some(id) = target {
        check_target(app, caller, id).await?;
    }
    let candidate = read(caller, target, upload).await?;
    let skill = &candidate.manifest.skill;
    check_room(&mut *app.db.acquire().await?, caller, &candidate, upload, target.is_none(), app.clock.now_ms()).await?;
    let signature = match dry_run {
        true => None,
        false => Some(candidate.check_signature(upload.signature.as_deref(), caller)?),
    };
    let tried = candidate.try_out(app, upload).await?;
    let mut report = PublishReport {
        skill: skill.id.clone(),
        version: skill.version.clone(),
        version_id: None,
        module_sha256: to_hex(&candidate.module_sha256),
        manifest_sha256: to_hex(&candidate.manifest_sha256),
        size: tried.info.size,
        permissions: tried.info.imports.into_iter().collect(),
        examples: tried.examples,
        warnings: warnings(&candidate, upload),
        registered: is_registered(app, caller, &candidate).await,
    };
    let Some(signature) = signature else {
        let mut connection = app.db.acquire().await?;
        return app.idempotency.answer_in(claim, &mut connection, StatusCode::OK, &report).await;
    };
    let version = version_row(app, caller, &candidate, upload, signature, &report);
    report.version_id = Some(version.id.clone());
    // Written before the transaction, which must not wait for so much, and named in it and last: what is refused leaves no
    // artifact, and no version is without its own.
    let artifact = app.storage.write(upload.artifact.clone()).await?;
    let mut tx = app.db.write().await?;
    record(&mut tx, caller, &candidate, upload, &version, target.is_none()).await?;
    let answer = app.idempotency.answer_in(claim, &mut tx, StatusCode::CREATED, &report).await?;
    artifact.keep().await?;
    tx.commit().await?;
    app.registry.forget_newest(&version.skill_id).await;
    metrics::counter!("clawos_versions_published_total").increment(1);
    Ok(answer)
}

/// What was sent, as far as it can be judged by itself.
async fn read(caller: &Caller, target: Option<&str>, upload: &Upload) -> Result<Candidate, ApiError> {
    // Many examples against their schemas can take seconds, which other requests shall not wait for.
    let (sent, sender) = (upload.clone(), caller.clone());
    let read = tokio::task::spawn_blocking(move || Candidate::read(&sent, &sender)).await;
    let candidate = read.map_err(ApiError::internal)??;
    let skill = &candidate.manifest.skill;
    if target.is_some_and(|id| id != skill.id) {
        let detail = format!("The manifest is for {}; publish it there.", skill.id);
        return Err(ApiError::new(Code::ValidationFailed, detail));
    }
    Ok(candidate)
}

/// A version goes to a skill that exists and is the caller's.
async fn check_target(app: &App, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let held = store::skill(&mut *app.db.acquire().await?, id).await?.ok_or_else(skill_not_found)?;
    if held.publisher_id != *caller.agent_id || names::publisher_of(id) != Some(&*caller.handle) {
        return Err(ApiError::new(
            Code::NotPublisher,
            format!("Only {} can publish versions of {id}.", held.publisher),
        ));
    }
    Ok(())
}

/// The listing that this publish changes. Refuses what exists already, and what is too much for a day. Asked before the
/// work of compiling, and again when what is asked about can no longer change.
async fn check_room(
    connection: &mut AnyConnection,
    caller: &Caller,
    candidate: &Candidate,
    upload: &Upload,
    new: bool,
    now: i64,
) -> Result<Option<SkillRow>, ApiError> {
    let skill = &candidate.manifest.skill;
    let held = store::skill(connection, &skill.id).await?;
    if held.is_some() && new {
        return Err(skill_exists(&skill.id));
    }
    if store::version(connection, &skill.id, &skill.version).await?.is_some() {
        return Err(version_exists());
    }
    quota::check(connection, &caller.agent_id, upload.artifact.len(), now).await?;
    Ok(held)
}

fn skill_exists(id: &str) -> ApiError {
    let detail = format!("{id} exists; publish a version of it with POST /api/v1/skills/{id}/versions.");
    ApiError::new(Code::SkillExists, detail)
}

fn version_exists() -> ApiError {
    ApiError::new(Code::VersionExists, "This version is published and never changes; choose a higher number.")
}

/// Adds the version and brings the listing up to date. Publishes of one agent take turns here, so that each sees what the
/// one before it wrote.
async fn record(
    tx: &mut AnyConnection,
    caller: &Caller,
    candidate: &Candidate,
    upload: &Upload,
    version: &VersionRow,
    new: bool,
) -> Result<(), ApiError> {
    lock_agent(tx, &caller.agent_id).await?;
    let now = version.created_at;
    let earlier = check_room(tx, caller, candidate, upload, new, now).await?;
    store::put_skill(tx, &skill_row(caller, candidate, earlier, now)).await?;
    store::insert_version(tx, version).await?;
    let action = if new { "skill.publish" } else { "version.publish" };
    let target = format!("{}@{}", version.skill_id, version.version);
    audit::append(tx, now, &caller.agent_id, action, &target, &version.module_sha256).await
}

fn version_row(
    app: &App,
    caller: &Caller,
    candidate: &Candidate,
    upload: &Upload,
    signature: String,
    report: &PublishReport,
) -> VersionRow {
    VersionRow {
        id: clawos_receipts::new_id("ver"),
        skill_id: report.skill.clone(),
        version: report.version.clone(),
        module_sha256: report.module_sha256.clone(),
        manifest_sha256: report.manifest_sha256.clone(),
        manifest: candidate.manifest_json.clone(),
        readme: upload.readme.clone(),
        signature,
        publisher_wallet: to_base58(&caller.wallet),
        permissions: report.permissions.join(","),
        size: i64::try_from(report.size).unwrap_or(i64::MAX),
        created_at: app.clock.now_ms(),
        yanked: false,
    }
}

/// The listing as it is after this publish. An older number than the newest published one (a fix of an old line) leaves
/// the newest as it is.
fn skill_row(caller: &Caller, candidate: &Candidate, earlier: Option<SkillRow>, now: i64) -> SkillRow {
    let manifest = &candidate.manifest;
    let skill = &manifest.skill;
    if let Some(held) = &earlier
        && !is_newer(&skill.version, &held.latest_version)
    {
        return SkillRow { updated_at: now, ..held.clone() };
    }
    let tags: Vec<&str> = skill.tags.iter().map(String::as_str).collect();
    let category = serde_json::to_value(skill.category).ok().and_then(|value| value.as_str().map(str::to_owned));
    let prices = manifest.prices.as_ref();
    SkillRow {
        id: skill.id.clone(),
        publisher_id: caller.agent_id.to_string(),
        publisher: caller.handle.to_string(),
        publisher_wallet: to_base58(&caller.wallet),
        summary: skill.summary.clone(),
        description: skill.description.clone(),
        category: category.unwrap_or_default(),
        tags: if tags.is_empty() { String::new() } else { format!(",{},", tags.join(",")) },
        licence: skill.license.clone(),
        search_text: list::search_text(skill),
        prices: prices.and_then(|prices| serde_json::to_string(prices).ok()),
        sells_once: prices.is_some_and(|prices| prices.once.is_some()),
        sells_period: prices.is_some_and(|prices| prices.period.is_some()),
        sells_usage: prices.is_some_and(|prices| prices.unit.is_some()),
        latest_version: skill.version.clone(),
        created_at: earlier.map_or(now, |held| held.created_at),
        updated_at: now,
    }
}

/// A release is newer than every pre-release, so that a beta never becomes what buyers get by default.
fn is_newer(version: &str, than: &str) -> bool {
    match (semver::Version::parse(version), semver::Version::parse(than)) {
        (Ok(version), Ok(than)) => (version.pre.is_empty(), &version) > (than.pre.is_empty(), &than),
        _ => false,
    }
}

async fn is_registered(app: &App, caller: &Caller, candidate: &Candidate) -> bool {
    // Publishing does not need the chain; when it cannot be read the report says no more than that it is not known.
    let listing = app.licensing.listing(&caller.wallet, &candidate.manifest.skill.id).await;
    listing.is_ok_and(|reading| reading.snapshot.value.skill.is_some())
}

fn warnings(candidate: &Candidate, upload: &Upload) -> Vec<String> {
    let manifest = &candidate.manifest;
    let mut warnings = Vec::new();
    for endpoint in manifest.endpoints.iter().filter(|endpoint| endpoint.examples.is_empty()) {
        warnings.push(format!("the endpoint `{}` has no example: buyers cannot see that it works", endpoint.name));
    }
    if manifest.prices.is_none() {
        warnings.push("there is no [pricing]: the skill is free".to_owned());
    }
    if upload.readme.is_none() {
        warnings.push("there is no README".to_owned());
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn releases_are_newer_than_older_ones_and_than_any_beta() {
        assert!(is_newer("1.10.0", "1.9.9"));
        assert!(!is_newer("1.9.9", "1.10.0"));
        assert!(is_newer("1.0.0", "2.0.0-beta.1"));
        assert!(!is_newer("2.0.0-beta.1", "1.0.0"));
        assert!(is_newer("2.0.0-beta.2", "2.0.0-beta.1"));
    }
}
