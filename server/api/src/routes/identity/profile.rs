//! Agents' profiles.

use axum::Json;
use axum::extract::State;
use clawos_api::Code;
use clawos_api::identity::{Agent, OwnProfile, Update};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Body, Path, StrictJson};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(me, update)).routes(routes!(show))
}

impl Body for Update {}

/// The caller's own profile, and which token or key it signed in with, and until when that is good.
#[utoipa::path(get, path = "/agents/me", operation_id = "get_own_profile", tag = "identity",
    security(("bearer" = ["read"])),
    responses((status = 200, description = "The profile and the credential", body = OwnProfile)))]
async fn me(State(app): State<AppState>, Authenticated(caller): Authenticated) -> Result<Json<OwnProfile>, ApiError> {
    Ok(Json(app.identity.me(&caller).await?))
}

/// Change the caller's own profile.
#[utoipa::path(patch, path = "/agents/me", operation_id = "update_own_profile", tag = "identity",
    security(("bearer" = ["admin"])),
    request_body = Update,
    responses((status = 200, description = "The profile as it is now", body = Agent)),
    extensions(("x-codes" = json!([Code::ValidationFailed]))))]
async fn update(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    body: StrictJson<Update>,
) -> Result<Json<Agent>, ApiError> {
    Ok(Json(app.identity.update_profile(&caller, body.value).await?))
}

/// An agent's public profile, by id (`agt_…`) or by name.
#[utoipa::path(get, path = "/agents/{agent}", operation_id = "get_agent", tag = "identity",
    params(("agent" = String, Path, description = "Id or name")),
    responses((status = 200, description = "The profile", body = Agent)))]
async fn show(State(app): State<AppState>, Path(agent): Path<String>) -> Result<Json<Agent>, ApiError> {
    Ok(Json(app.identity.agent(&agent).await?))
}
