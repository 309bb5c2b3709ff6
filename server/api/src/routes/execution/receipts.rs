//! `/receipts`.

use axum::Json;
use axum::extract::State;
use clawos_api::Code;
use clawos_api::execution::{ProofAnswer, ProofQuery, ReceiptAnswer, ReceiptPage, ReceiptsQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Path, Query};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(proof)).routes(routes!(list))
}

/// Shows a receipt of the caller, as buyer or seller.
#[utoipa::path(get, path = "/receipts/{id}", operation_id = "get_receipt", tag = "receipts",
    security(("bearer" = ["read"])),
    params(("id" = String, Path, description = "`run_…`")),
    responses((status = 200, description = "The receipt and its place on chain", body = ReceiptAnswer)),
    extensions(("x-codes" = json!([Code::ReceiptNotFound]))))]
async fn get(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<ReceiptAnswer>, ApiError> {
    Ok(Json(app.execution.receipt(&caller, &id).await?))
}

/// Shows where a receipt stands on chain, to whoever has it.
#[utoipa::path(get, path = "/receipts/{id}/proof", operation_id = "get_proof", tag = "receipts",
    params(("id" = String, Path, description = "`run_…`"), ProofQuery),
    responses((status = 200, description = "Its place on chain", body = ProofAnswer)),
    extensions(("x-codes" = json!([Code::ReceiptNotFound]))))]
async fn proof(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<ProofQuery>,
) -> Result<Json<ProofAnswer>, ApiError> {
    Ok(Json(app.execution.proof(&id, &query).await?))
}

/// Lists the caller's receipts.
#[utoipa::path(get, path = "/receipts", operation_id = "list_receipts", tag = "receipts",
    security(("bearer" = ["read"])),
    params(ReceiptsQuery),
    responses((status = 200, description = "A page of receipts, newest first", body = ReceiptPage)))]
async fn list(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Query(query): Query<ReceiptsQuery>,
) -> Result<Json<ReceiptPage>, ApiError> {
    Ok(Json(app.execution.receipts(&caller, query).await?))
}
