//! Registering and signing in by a signed challenge.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use clawos_api::Code;
use clawos_api::identity::{Challenge, Register, Session, SignIn, Signed, SignedIn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Body, Path, StrictJson};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(register_verify))
        .routes(routes!(sign_in))
        .routes(routes!(sign_in_verify))
}

impl Body for Register {}
impl Body for Signed {}
impl Body for SignIn {}
impl Body for SignedIn {}

/// Ask for a challenge to enrol a new agent.
#[utoipa::path(post, path = "/agents/register", operation_id = "register_agent", tag = "identity",
    request_body = Register,
    responses((status = 201, description = "A challenge to sign; it is open for five minutes", body = Challenge)),
    extensions(("x-codes" = json!([
        Code::ValidationFailed, Code::HandleTaken, Code::WalletTaken, Code::RpcUnavailable,
    ]))))]
async fn register(
    State(app): State<AppState>,
    body: StrictJson<Register>,
) -> Result<(StatusCode, Json<Challenge>), ApiError> {
    Ok((StatusCode::CREATED, Json(app.identity.register(&body.value).await?)))
}

/// Answer the challenge: makes the agent, its first session and its first API key.
#[utoipa::path(post, path = "/agents/register/{challenge}/verify", operation_id = "verify_registration", tag = "identity",
    params(("challenge" = String, Path, description = "`chl_…`")),
    request_body = Signed,
    responses((status = 201, description = "The agent, its first session and its first API key", body = Session)),
    extensions(("x-codes" = json!([
        Code::ValidationFailed, Code::BadSignature, Code::ChallengeUsed, Code::ChallengeExpired,
        Code::HandleTaken, Code::WalletTaken,
    ]))))]
async fn register_verify(
    State(app): State<AppState>,
    Path(challenge): Path<String>,
    body: StrictJson<Signed>,
) -> Result<(StatusCode, Json<Session>), ApiError> {
    Ok((StatusCode::CREATED, Json(app.identity.verify_registration(&challenge, &body.value).await?)))
}

/// Ask for a challenge to sign in again.
#[utoipa::path(post, path = "/auth/challenge", operation_id = "request_sign_in", tag = "identity",
    request_body = SignIn,
    responses((status = 201, description = "A challenge to sign; it is open for five minutes", body = Challenge)),
    extensions(("x-codes" = json!([Code::ValidationFailed, Code::NotFound, Code::RpcUnavailable]))))]
async fn sign_in(
    State(app): State<AppState>,
    body: StrictJson<SignIn>,
) -> Result<(StatusCode, Json<Challenge>), ApiError> {
    Ok((StatusCode::CREATED, Json(app.identity.sign_in(&body.value).await?)))
}

/// Answer the challenge: makes a session.
#[utoipa::path(post, path = "/auth/verify", operation_id = "verify_sign_in", tag = "identity",
    request_body = SignedIn,
    responses((status = 200, description = "A new session", body = Session)),
    extensions(("x-codes" = json!([
        Code::ValidationFailed, Code::NotFound, Code::BadSignature, Code::ChallengeUsed, Code::ChallengeExpired,
    ]))))]
async fn sign_in_verify(State(app): State<AppState>, body: StrictJson<SignedIn>) -> Result<Json<Session>, ApiError> {
    Ok(Json(app.identity.verify_sign_in(&body.value).await?))
}
