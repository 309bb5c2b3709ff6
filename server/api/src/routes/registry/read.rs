//! Finding skills and reading them.

use axum::Json;
use axum::extract::State;
use clawos_api::registry::{SkillDetail, SkillQuery, SkillSummary, VersionDetail, VersionView, VersionsQuery};
use clawos_api::{Page, Problem};

use crate::extract::{Path, Query};
use crate::{ApiError, AppState};

/// Find skills.
#[utoipa::path(get, path = "/skills", tag = "skills", params(SkillQuery),
    responses((status = 200, body = Page<SkillSummary>), (status = "default", body = Problem)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Query(query): Query<SkillQuery>,
) -> Result<Json<Page<SkillSummary>>, ApiError> {
    Ok(Json(app.registry.search(&query).await?))
}

/// A skill: what it does, what it may reach, what it costs by its manifest and by the chain.
#[utoipa::path(get, path = "/skills/{id}", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`")),
    responses((status = 200, body = SkillDetail), (status = "default", body = Problem)))]
pub(super) async fn show(State(app): State<AppState>, Path(id): Path<String>) -> Result<Json<SkillDetail>, ApiError> {
    Ok(Json(app.registry.show(&id).await?))
}

/// A skill's versions, newest first.
#[utoipa::path(get, path = "/skills/{id}/versions", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`"), VersionsQuery),
    responses((status = 200, body = Page<VersionView>), (status = "default", body = Problem)))]
pub(super) async fn versions(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<VersionsQuery>,
) -> Result<Json<Page<VersionView>>, ApiError> {
    Ok(Json(app.registry.versions(&id, &query).await?))
}

/// One version with its manifest and README.
#[utoipa::path(get, path = "/skills/{id}/versions/{version}", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`"), ("version" = String, Path)),
    responses((status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(super) async fn version(
    State(app): State<AppState>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Json<VersionDetail>, ApiError> {
    Ok(Json(app.registry.version(&id, &version).await?))
}
