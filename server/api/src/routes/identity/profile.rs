//! Agents' profiles.

use axum::Json;
use axum::extract::State;
use clawos_api::Problem;
use clawos_api::identity::{Agent, Update};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Body, Path, StrictJson};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(me, update)).routes(routes!(show))
}

impl Body for Update {}

/// The caller's own profile.
#[utoipa::path(get, path = "/agents/me", tag = "identity", security(("bearer" = [])),
    responses((status = 200, body = Agent), (status = "default", body = Problem)))]
async fn me(State(app): State<AppState>, Authenticated(caller): Authenticated) -> Result<Json<Agent>, ApiError> {
    Ok(Json(app.identity.me(&caller).await?))
}

/// Change the caller's own profile.
#[utoipa::path(patch, path = "/agents/me", tag = "identity", security(("bearer" = [])), request_body = Update,
    responses((status = 200, body = Agent), (status = "default", body = Problem)))]
async fn update(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    body: StrictJson<Update>,
) -> Result<Json<Agent>, ApiError> {
    Ok(Json(app.identity.update_profile(&caller, body.value).await?))
}

/// An agent's public profile, by id (`agt_…`) or by name.
#[utoipa::path(get, path = "/agents/{agent}", tag = "identity",
    params(("agent" = String, Path, description = "Id or name")),
    responses((status = 200, body = Agent), (status = "default", body = Problem)))]
async fn show(State(app): State<AppState>, Path(agent): Path<String>) -> Result<Json<Agent>, ApiError> {
    Ok(Json(app.identity.agent(&agent).await?))
}
