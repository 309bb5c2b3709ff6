//! A skill's versions.

use super::resolve::{skill_not_found, version_not_found};
use super::store;
use super::types::{VersionDetail, VersionRow, VersionView};
use crate::app::AppState;
use crate::error::{ApiError, Problem};
use crate::http::{Cursor, Page, Path, Query, page, page_limit};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionsQuery {
    /// 1 to 100; 20 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
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
    let limit = page_limit(query.limit)?;
    let after = Cursor::start(query.cursor.as_deref())?;
    store::skill(&mut *app.db.acquire().await?, &id).await?.ok_or_else(skill_not_found)?;
    let rows = store::versions(&app.db, &id, &after, i64::from(limit) + 1).await?;
    let cursor = |row: &VersionRow| Cursor { number: row.created_at, id: row.id.clone() };
    Ok(Json(page(rows, limit, cursor, |row| VersionView::from(&row))))
}

/// One version with its manifest and README.
#[utoipa::path(get, path = "/skills/{id}/versions/{version}", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`"), ("version" = String, Path)),
    responses((status = 200, body = VersionDetail), (status = "default", body = Problem)))]
pub(super) async fn version(
    State(app): State<AppState>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Json<VersionDetail>, ApiError> {
    let mut connection = app.db.acquire().await?;
    store::skill(&mut connection, &id).await?.ok_or_else(skill_not_found)?;
    let row = store::version(&mut connection, &id, &version).await?.ok_or_else(version_not_found)?;
    Ok(Json(VersionDetail {
        version: VersionView::from(&row),
        manifest: serde_json::from_str(&row.manifest).map_err(ApiError::internal)?,
        readme: row.readme,
    }))
}
