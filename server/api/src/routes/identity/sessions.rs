//! Refreshing and ending sessions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use clawos_api::Code;
use clawos_api::identity::{Nothing, Refresh, Session};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Body, StrictJson};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(refresh)).routes(routes!(revoke))
}

impl Body for Refresh {}
impl Body for Nothing {}

/// Exchange a refresh token for a new pair of tokens.
#[utoipa::path(post, path = "/auth/refresh", operation_id = "refresh_session", tag = "identity",
    request_body = Refresh,
    responses((status = 200, description = "The next pair of tokens; the refresh token that was sent works no more", body = Session)),
    extensions(("x-codes" = json!([Code::ValidationFailed, Code::Unauthenticated, Code::KeyExpired, Code::KeyRevoked]))))]
async fn refresh(State(app): State<AppState>, body: StrictJson<Refresh>) -> Result<Json<Session>, ApiError> {
    Ok(Json(app.identity.refresh(&body.value).await?))
}

/// End this session. Called with an `admin` key it ends every session of the agent.
#[utoipa::path(post, path = "/auth/revoke", operation_id = "revoke_sessions", tag = "identity",
    security(("bearer" = [])),
    request_body = Nothing,
    responses((status = 204, description = "Its tokens work no more")),
    extensions(("x-codes" = json!([Code::ScopeMissing]))))]
async fn revoke(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    _: StrictJson<Nothing>,
) -> Result<StatusCode, ApiError> {
    app.identity.revoke_sessions(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
