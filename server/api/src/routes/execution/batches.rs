//! `/licences/{key}/batches`.

use axum::Json;
use axum::extract::State;
use clawos_api::Problem;
use clawos_api::execution::{BatchDetail, BatchList, BatchesQuery, OpeningQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{MaybeCaller, Path, Query};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Lists the batches of a licence.
#[utoipa::path(get, path = "/licences/{key}/batches", tag = "receipts", params(("key" = String, Path), BatchesQuery),
    responses((status = 200, body = BatchList), (status = 404, body = Problem)))]
async fn list(
    State(app): State<AppState>,
    Path(key): Path<String>,
    Query(query): Query<BatchesQuery>,
) -> Result<Json<BatchList>, ApiError> {
    Ok(Json(app.execution.batches(key, &query).await?))
}

/// Shows one batch.
#[utoipa::path(get, path = "/licences/{key}/batches/{seq}", tag = "receipts", params(("key" = String, Path), ("seq" = u64, Path), OpeningQuery),
    responses((status = 200, body = BatchDetail), (status = 404, body = Problem)))]
async fn get(
    State(app): State<AppState>,
    MaybeCaller(caller): MaybeCaller,
    Path((key, seq)): Path<(String, u64)>,
    Query(query): Query<OpeningQuery>,
) -> Result<Json<BatchDetail>, ApiError> {
    Ok(Json(app.execution.batch(caller.as_ref(), &key, seq, query).await?))
}
