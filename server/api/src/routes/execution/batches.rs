//! `/licences/{key}`: its batches, and what settlement gave up of its usage.

use axum::Json;
use axum::extract::State;
use clawos_api::Page;
use clawos_api::audit::{Entry, ListQuery};
use clawos_api::execution::{BatchDetail, BatchList, BatchesQuery, OpeningQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, MaybeCaller, Path, Query};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(entries))
}

/// Lists the batches of a licence.
#[utoipa::path(get, path = "/licences/{key}/batches", operation_id = "list_batches", tag = "receipts",
    params(("key" = String, Path, description = "The licence's address"), BatchesQuery),
    responses((status = 200, description = "A page of batches in order of their numbers", body = BatchList)))]
async fn list(
    State(app): State<AppState>,
    Path(key): Path<String>,
    Query(query): Query<BatchesQuery>,
) -> Result<Json<BatchList>, ApiError> {
    Ok(Json(app.execution.batches(key, &query).await?))
}

/// Shows one batch.
#[utoipa::path(get, path = "/licences/{key}/batches/{seq}", operation_id = "get_batch", tag = "receipts",
    security((), ("bearer" = [])),
    params(("key" = String, Path, description = "The licence's address"), ("seq" = u64, Path, description = "Its number, from 1"), OpeningQuery),
    responses((status = 200, description = "The batch; its leaves for the licence's buyer and seller", body = BatchDetail)))]
async fn get(
    State(app): State<AppState>,
    MaybeCaller(caller): MaybeCaller,
    Path((key, seq)): Path<(String, u64)>,
    Query(query): Query<OpeningQuery>,
) -> Result<Json<BatchDetail>, ApiError> {
    Ok(Json(app.execution.batch(caller.as_ref(), &key, seq, query).await?))
}

/// What settlement waived, set aside, voided or formed again of a licence's usage: the audit log's entries, newest first.
#[utoipa::path(get, path = "/licences/{key}/audit", operation_id = "list_licence_entries", tag = "receipts",
    security(("bearer" = ["read"])),
    params(("key" = String, Path, description = "The licence's address"), ListQuery),
    responses((status = 200, description = "A page of entries, for the licence's buyer and seller", body = Page<Entry>)))]
async fn entries(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Path(key): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Entry>>, ApiError> {
    Ok(Json(app.execution.licence_entries(&caller, &key, &query).await?))
}
