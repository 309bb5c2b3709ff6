//! Sessions: an access token for an hour, a refresh token for thirty days that changes at every use.
//!
//! A refresh token that comes a second time was stolen (or its answer lost): all tokens that descend from the same sign-in
//! are revoked.

mod store;

use super::authenticate::{self, Credential};
use super::keys::FirstKey;
use super::profile::{self, Agent};
use super::scope::{Scope, Scopes};
use super::token::{self, Kind, Secret};
use crate::app::{App, AppState};
use crate::audit;
use crate::error::{ApiError, Code, Problem};
use crate::http::{Caller, Input, Problems, StrictJson, Timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
pub(super) use store::{forget_expired, is_live};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Life of an access token (milliseconds).
const ACCESS_MS: i64 = 3600 * 1000;
/// Life of a refresh token (milliseconds).
const REFRESH_MS: i64 = 30 * 24 * 3600 * 1000;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(refresh)).routes(routes!(revoke))
}

/// What a signed challenge or a refresh gives.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Session {
    agent: Agent,
    /// `claw_at_…`, for `Authorization: Bearer`.
    access_token: String,
    access_expires_at: Timestamp,
    /// `claw_rt_…`, for `POST /auth/refresh`; works once.
    refresh_token: String,
    refresh_expires_at: Timestamp,
    /// The agent's first key; only right after enrolment.
    api_key: Option<FirstKey>,
}

/// A refresh token to exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// `claw_rt_…`
    refresh_token: String,
}

impl Input for Refresh {
    fn check(&self, problems: &mut Problems) {
        problems.text("/refresh_token", &self.refresh_token, 1..=255);
    }
}

/// An empty object.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Input for Nothing {}

/// Starts a new family of sessions for the agent.
pub(super) async fn start(
    app: &App,
    tx: &mut AnyConnection,
    agent: Agent,
    api_key: Option<FirstKey>,
) -> Result<Session, ApiError> {
    issue(app, tx, agent, clawos_receipts::new_id("fam"), api_key).await
}

async fn issue(
    app: &App,
    tx: &mut AnyConnection,
    agent: Agent,
    family: String,
    api_key: Option<FirstKey>,
) -> Result<Session, ApiError> {
    let now = app.clock.now_ms();
    let (access, refresh) = (Secret::new(Kind::Access), Secret::new(Kind::Refresh));
    let row = store::NewSession {
        id: clawos_receipts::new_id("ses"),
        family,
        agent_id: agent.id.clone(),
        access_hash: access.hash(),
        access_expires_at: now + ACCESS_MS,
        refresh_hash: refresh.hash(),
        refresh_expires_at: now + REFRESH_MS,
        created_at: now,
    };
    store::insert(tx, &row).await?;
    Ok(Session {
        agent,
        access_token: access.text,
        access_expires_at: Timestamp(row.access_expires_at),
        refresh_token: refresh.text,
        refresh_expires_at: Timestamp(row.refresh_expires_at),
        api_key,
    })
}

/// The session behind an access token.
pub(super) async fn find(app: &App, access_hash: &str) -> Result<Option<Credential>, ApiError> {
    let Some(row) = store::by_access(&app.db, access_hash).await? else { return Ok(None) };
    let caller = authenticate::caller(&row.agent_id, &row.handle, &row.wallet, &row.id, Scopes::all(), None)?;
    Ok(Some(Credential {
        caller,
        hash: row.access_hash,
        expires_at: Some(row.access_expires_at),
        revoked: row.revoked,
        ip_allow: Vec::new(),
    }))
}

/// Exchange a refresh token for a new pair of tokens.
#[utoipa::path(post, path = "/auth/refresh", tag = "identity", request_body = Refresh,
    responses((status = 200, body = Session), (status = "default", body = Problem)))]
async fn refresh(State(app): State<AppState>, body: StrictJson<Refresh>) -> Result<Json<Session>, ApiError> {
    let unknown = || ApiError::new(Code::Unauthenticated, "This is not one of our refresh tokens; sign in again.");
    let text = &body.value.refresh_token;
    if token::classify(text) != Some(Kind::Refresh) {
        return Err(unknown());
    }
    let now = app.clock.now_ms();
    let mut tx = app.db.write().await?;
    store::lock_agent(&mut tx, &token::hash(text)).await?;
    let held = store::by_refresh(&mut tx, &token::hash(text)).await?.ok_or_else(unknown)?;
    if held.revoked {
        return Err(ApiError::new(Code::KeyRevoked, "The session was revoked; sign in again."));
    }
    if held.refresh_expires_at <= now {
        return Err(ApiError::new(Code::KeyExpired, "The refresh token has expired; sign in again."));
    }
    if !store::replace(&mut tx, &held.id, now).await? {
        store::revoke_family(&mut tx, &held.family, now).await?;
        audit::append(&mut tx, now, &held.agent_id, "session.reuse", &held.family, "").await?;
        tx.commit().await?;
        app.credentials.forget();
        let detail = "This refresh token was used before, so every token of this sign-in was revoked; sign in again.";
        return Err(ApiError::new(Code::KeyRevoked, detail));
    }
    let agent = profile::by_id(&mut tx, &held.agent_id).await?;
    audit::append(&mut tx, now, &held.agent_id, "session.refresh", &held.family, "").await?;
    let session = issue(&app, &mut tx, agent, held.family, None).await?;
    tx.commit().await?;
    Ok(Json(session))
}

/// End this session. Called with an `admin` key it ends every session of the agent.
#[utoipa::path(post, path = "/auth/revoke", tag = "identity", security(("bearer" = [])), request_body = Nothing,
    responses((status = 204), (status = "default", body = Problem)))]
async fn revoke(State(app): State<AppState>, caller: Caller, _: StrictJson<Nothing>) -> Result<StatusCode, ApiError> {
    caller.require(Scope::Admin)?;
    let now = app.clock.now_ms();
    let mut tx = app.db.write().await?;
    profile::lock(&mut tx, &caller.agent_id).await?;
    if caller.is_session() {
        store::revoke_own_family(&mut tx, &caller.key_id, now).await?;
    } else {
        store::revoke_all(&mut tx, &caller.agent_id, now).await?;
    }
    audit::append(&mut tx, now, &caller.agent_id, "session.revoke", &caller.key_id, "").await?;
    tx.commit().await?;
    app.credentials.forget();
    Ok(StatusCode::NO_CONTENT)
}
