//! `/skills/{id}/quote`, `/marketplace/…` and `/.well-known/clawos.json`.

use axum::Json;
use axum::extract::State;
use clawos_api::Code;
use clawos_api::market::{
    DepositOffer, DepositRequest, LicenceView, PurchaseOffer, PurchaseRequest, Quote, QuoteQuery, VerifyQuery,
    WellKnown,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Body, MaybeCaller, Path, Query, StrictJson};
use crate::middleware::log_id;
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(quote))
        .routes(routes!(purchase))
        .routes(routes!(deposit))
        .routes(routes!(verify))
}

/// The route that lies outside `/api/v1`.
pub(super) fn well_known() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(proxy))
}

impl Body for PurchaseRequest {}

impl Body for DepositRequest {}

/// Prices a licence or usage.
#[utoipa::path(get, path = "/skills/{id}/quote", operation_id = "get_quote", tag = "marketplace",
    params(("id" = String, Path, description = "`publisher.name`"), QuoteQuery),
    responses((status = 200, description = "What it would cost now", body = Quote)),
    extensions(("x-codes" = json!([
        Code::SkillNotFound, Code::SkillFree, Code::NotForSale, Code::KindNotOffered, Code::RpcUnavailable,
    ]))))]
async fn quote(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<QuoteQuery>,
) -> Result<Json<Quote>, ApiError> {
    Ok(Json(app.licensing.quote(&app.registry, &id, &query).await?))
}

/// Describes the purchase of a licence by the caller's wallet. Nothing is stored: repeat it for a fresh blockhash.
#[utoipa::path(post, path = "/marketplace/purchase", operation_id = "describe_purchase", tag = "marketplace",
    security(("bearer" = ["invoke"])),
    request_body = PurchaseRequest,
    responses((status = 200, description = "The unsigned transaction; compare it with one of your own before you sign", body = PurchaseOffer)),
    extensions(("x-codes" = json!([
        Code::ValidationFailed, Code::SkillNotFound, Code::NotRegistered, Code::SkillFree, Code::NotForSale, Code::KindNotOffered,
        Code::SelfPurchase, Code::SalesPaused, Code::PriceAboveMax, Code::WrongProxy, Code::RpcUnavailable,
    ]))))]
async fn purchase(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    body: StrictJson<PurchaseRequest>,
) -> Result<Json<PurchaseOffer>, ApiError> {
    log_id("skill", &body.value.skill);
    Ok(Json(app.licensing.purchase(&app.registry, &caller, &body.value).await?))
}

/// Describes a deposit of credit into the caller's usage licence, and its costs. Nothing is stored: repeat it for a fresh
/// blockhash.
#[utoipa::path(post, path = "/marketplace/deposit", operation_id = "describe_deposit", tag = "marketplace",
    security(("bearer" = ["invoke"])),
    request_body = DepositRequest,
    responses((status = 200, description = "The unsigned transaction; compare it with one of your own before you sign", body = DepositOffer)),
    extensions(("x-codes" = json!([
        Code::ValidationFailed, Code::SkillNotFound, Code::NotRegistered, Code::SkillFree, Code::SelfPurchase,
        Code::LicenceRequired, Code::NotPrepaid, Code::LicenceClosing, Code::DepositsPaused, Code::WrongProxy,
        Code::RpcUnavailable,
    ]))))]
async fn deposit(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    body: StrictJson<DepositRequest>,
) -> Result<Json<DepositOffer>, ApiError> {
    log_id("skill", &body.value.skill);
    Ok(Json(app.licensing.deposit(&app.registry, &caller, &body.value).await?))
}

/// Says whether a buyer may call a skill here.
#[utoipa::path(get, path = "/marketplace/verify/{skill}", operation_id = "verify_licence", tag = "marketplace",
    security((), ("bearer" = [])),
    params(("skill" = String, Path, description = "`publisher.name`"), VerifyQuery),
    responses((status = 200, description = "The licence, or why there is none", body = LicenceView)),
    extensions(("x-codes" = json!([Code::SkillNotFound, Code::NotRegistered, Code::SkillFree, Code::RpcUnavailable]))))]
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
#[utoipa::path(get, path = "/.well-known/clawos.json", operation_id = "get_well_known", tag = "operations",
    responses((status = 200, description = "Chain, keys and runtime", body = WellKnown)),
    extensions(("x-codes" = json!([Code::RpcUnavailable]))))]
async fn proxy(State(app): State<AppState>) -> Result<Json<WellKnown>, ApiError> {
    let (origin, rpc_url) = (app.listen.origin(), app.chain.public_rpc_url());
    Ok(Json(app.licensing.well_known(origin, rpc_url, app.engine()).await?))
}
