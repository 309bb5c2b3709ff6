//! `/receipts`.

use axum::Json;
use axum::extract::State;
use clawos_api::Problem;
use clawos_api::execution::{ReceiptAnswer, ReceiptPage, ReceiptsQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Path, Query};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(list))
}

/// Shows a receipt of the caller, as buyer or seller.
#[utoipa::path(get, path = "/receipts/{id}", tag = "receipts", params(("id" = String, Path)),
    responses((status = 200, body = ReceiptAnswer), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<ReceiptAnswer>, ApiError> {
    Ok(Json(app.execution.receipt(&caller, &id).await?))
}

/// Lists the caller's receipts.
#[utoipa::path(get, path = "/receipts", tag = "receipts", params(ReceiptsQuery),
    responses((status = 200, body = ReceiptPage), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn list(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Query(query): Query<ReceiptsQuery>,
) -> Result<Json<ReceiptPage>, ApiError> {
    Ok(Json(app.execution.receipts(&caller, query).await?))
}
