//! `/skills/{id}/quote`, `/marketplace/…` and `/.well-known/clawos.json`.

use axum::Json;
use axum::extract::State;
use clawos_api::Problem;
use clawos_api::market::{LicenceView, PurchaseOffer, PurchaseRequest, Quote, QuoteQuery, VerifyQuery, WellKnown};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Body, MaybeCaller, Path, Query, StrictJson};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(quote)).routes(routes!(purchase)).routes(routes!(verify))
}

/// The route that lies outside `/api/v1`.
pub(super) fn well_known() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(proxy))
}

impl Body for PurchaseRequest {}

/// Prices a licence or usage.
#[utoipa::path(get, path = "/skills/{id}/quote", tag = "marketplace", params(("id" = String, Path), QuoteQuery),
    responses((status = 200, body = Quote), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
async fn quote(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<QuoteQuery>,
) -> Result<Json<Quote>, ApiError> {
    Ok(Json(app.licensing.quote(&app.registry, &id, &query).await?))
}

/// Describes the purchase of a licence by the caller's wallet. Nothing is stored: repeat it for a fresh blockhash.
#[utoipa::path(post, path = "/marketplace/purchase", tag = "marketplace", request_body = PurchaseRequest,
    responses((status = 200, body = PurchaseOffer), (status = 402, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
async fn purchase(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    body: StrictJson<PurchaseRequest>,
) -> Result<Json<PurchaseOffer>, ApiError> {
    Ok(Json(app.licensing.purchase(&app.registry, &caller, &body.value).await?))
}

/// Says whether a buyer may call a skill here.
#[utoipa::path(get, path = "/marketplace/verify/{skill}", tag = "marketplace", params(("skill" = String, Path), VerifyQuery),
    responses((status = 200, body = LicenceView), (status = 404, body = Problem), (status = 503, body = Problem)))]
async fn verify(
    State(app): State<AppState>,
    MaybeCaller(caller): MaybeCaller,
    Path(skill): Path<String>,
    Query(query): Query<VerifyQuery>,
) -> Result<Json<LicenceView>, ApiError> {
    let wallet = caller.as_ref().map(|caller| &caller.wallet);
    Ok(Json(app.licensing.verify(&app.registry, &skill, &query, wallet).await?))
}

/// Names chain, keys and runtime of this proxy.
#[utoipa::path(get, path = "/.well-known/clawos.json", tag = "operations", operation_id = "well_known",
    responses((status = 200, body = WellKnown), (status = 503, body = Problem)))]
async fn proxy(State(app): State<AppState>) -> Result<Json<WellKnown>, ApiError> {
    let (origin, rpc_url) = (app.listen.origin(), app.chain.public_rpc_url());
    Ok(Json(app.licensing.well_known(origin, rpc_url, app.engine()).await?))
}
