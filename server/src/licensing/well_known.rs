//! `GET /.well-known/clawos.json`: everything an outsider needs to check this proxy without trusting it.

use axum::Json;
use axum::extract::State;
use clawos_interface::pda;
use clawos_receipts::statement::PublishedKey;
use clawos_receipts::text::to_base58;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::error::ApiError;

/// What the proxy says of itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WellKnown {
    /// `clawos-server`
    name: String,
    /// The server's version.
    version: String,
    /// Its public origin.
    origin: String,
    /// Genesis hash of its chain.
    genesis: String,
    /// The marketplace program.
    program: String,
    /// An RPC endpoint of that chain.
    rpc_url: Option<String>,
    /// The accepted USDC mint; null while the chain cannot be read.
    usdc_mint: Option<String>,
    /// Who receives the fee; null while the chain cannot be read.
    treasury: Option<String>,
    /// The program's Config account.
    config_account: String,
    /// The key that records usage, and certifies the receipt keys.
    meter: String,
    /// Engine and price list of fuel.
    runtime: String,
    /// The keys that sign receipts, each with its certificate and the meter that signed it, the present one first; old ones
    /// stay.
    #[schema(value_type = Vec<Object>)]
    receipt_keys: Vec<PublishedKey>,
}

/// The route; it lies outside `/api/v1`.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(well_known))
}

/// Names chain, keys and runtime of this proxy.
#[utoipa::path(get, path = "/.well-known/clawos.json", tag = "operations",
    responses((status = 200, body = WellKnown), (status = 503, body = crate::error::Problem)))]
pub(crate) async fn well_known(State(app): State<AppState>) -> Result<Json<WellKnown>, ApiError> {
    let network = app.licensing.network().await?;
    let market = app.licensing.market().await.ok();
    Ok(Json(WellKnown {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        origin: app.config.listen.origin(),
        genesis: to_base58(&network.genesis),
        program: to_base58(&network.program),
        rpc_url: app.config.chain.public_rpc_url().map(str::to_owned),
        usdc_mint: market.as_ref().map(|config| to_base58(&config.usdc_mint)),
        treasury: market.as_ref().map(|config| to_base58(&config.treasury)),
        config_account: to_base58(&pda::config().0),
        meter: to_base58(&app.licensing.meter()),
        runtime: app.engine(),
        receipt_keys: app.licensing.receipt_keys().await?,
    }))
}
