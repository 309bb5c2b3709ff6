//! Finding skills and reading them.

use axum::Json;
use axum::extract::State;
use clawos_api::registry::{
    SkillDetail, SkillQuery, SkillSummary, VersionDetail, VersionQuery, VersionView, VersionsQuery,
};
use clawos_api::{Code, Page};

use crate::extract::{Path, Query};
use crate::{ApiError, AppState};

/// Find skills.
#[utoipa::path(get, path = "/skills", operation_id = "list_skills", tag = "skills",
    params(SkillQuery),
    responses((status = 200, description = "A page of skills, newest first", body = Page<SkillSummary>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Query(query): Query<SkillQuery>,
) -> Result<Json<Page<SkillSummary>>, ApiError> {
    Ok(Json(app.registry.search(&query).await?))
}

/// A skill: what its newest version, or the one that is named, does, may reach, and costs by its manifest; and the chain's
/// prices.
#[utoipa::path(get, path = "/skills/{id}", operation_id = "get_skill", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`"), VersionQuery),
    responses((status = 200, description = "The skill", body = SkillDetail)),
    extensions(("x-codes" = json!([Code::SkillNotFound, Code::VersionNotFound]))))]
pub(super) async fn show(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<SkillDetail>, ApiError> {
    Ok(Json(app.registry.show(&id, query.version.as_deref()).await?))
}

/// A skill's versions, newest first.
#[utoipa::path(get, path = "/skills/{id}/versions", operation_id = "list_versions", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`"), VersionsQuery),
    responses((status = 200, description = "A page of versions, newest first", body = Page<VersionView>)),
    extensions(("x-codes" = json!([Code::SkillNotFound]))))]
pub(super) async fn versions(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<VersionsQuery>,
) -> Result<Json<Page<VersionView>>, ApiError> {
    Ok(Json(app.registry.versions(&id, &query).await?))
}

/// One version with its manifest and README.
#[utoipa::path(get, path = "/skills/{id}/versions/{version}", operation_id = "get_version", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`"), ("version" = String, Path, description = "As SemVer")),
    responses((status = 200, description = "The version", body = VersionDetail)),
    extensions(("x-codes" = json!([Code::SkillNotFound, Code::VersionNotFound]))))]
pub(super) async fn version(
    State(app): State<AppState>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Json<VersionDetail>, ApiError> {
    Ok(Json(app.registry.version(&id, &version).await?))
}
