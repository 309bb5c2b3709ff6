//! API keys: scopes, expiry, address list, daily cap; made, listed, rotated with overlap, revoked.
//!
//! A key made or replaced by a key is of its family. A family spends as one key, and whoever revokes a key revokes what it
//! made: a key cannot get itself more money or a longer life.

mod maker;
mod store;
mod types;

use super::authenticate::{self, Credential};
use super::profile::{Agent, Role};
use super::scope::{Scope, Scopes};
use super::token::{Kind, Secret};
use crate::app::{App, AppState};
use crate::audit;
use crate::error::{ApiError, Code, Problem};
use crate::http::idempotency::{CLAIM, Claim, fingerprint};
use crate::http::{Caller, IdempotencyKey, Page, Path, Problems, StrictJson, Timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ipnet::IpNet;
use maker::{check_not_freer, print_of};
use serde::Serialize;
use sqlx::AnyConnection;
use store::KeyRow;
use types::{ApiKey, CreateKey, NewKey, Rotate, cap_from, network};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Keys an agent may have at a time; more is a leak of keys, not a use of them.
const MAX_KEYS: i64 = 100;
/// How long the old key lives on after a rotation, unless told otherwise (seconds).
const DEFAULT_OVERLAP_SECS: u64 = 24 * 3600;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke)).routes(routes!(rotate))
}

/// The key that enrolment gives.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FirstKey {
    /// `key_…`
    id: String,
    /// `claw_sk_…`; shown only here.
    key: String,
    scopes: Vec<Scope>,
    expires_at: Option<Timestamp>,
}

impl KeyRow {
    fn new(app: &App, agent_id: &str, name: &str, scopes: Scopes) -> (KeyRow, Secret) {
        let secret = Secret::new(Kind::ApiKey);
        let id = clawos_receipts::new_id("key");
        let row = KeyRow {
            family: id.clone(),
            made_by: None,
            id,
            agent_id: agent_id.to_owned(),
            name: name.to_owned(),
            hash: secret.hash(),
            hint: secret.hint(Kind::ApiKey),
            scopes: scopes.to_text(),
            ip_allow: String::new(),
            daily_cap: i64::try_from(app.config.limits.default_daily_cap).unwrap_or(i64::MAX),
            created_at: app.clock.now_ms(),
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
            replaces: None,
        };
        (row, secret)
    }

    /// Takes over what its maker is bound to and the wish leaves open.
    fn inherit(&mut self, maker: &KeyRow) {
        self.family.clone_from(&maker.family);
        self.made_by = Some(maker.id.clone());
        self.daily_cap = self.daily_cap.min(maker.daily_cap);
        self.expires_at = self.expires_at.or(maker.expires_at);
        if self.ip_allow.is_empty() {
            self.ip_allow.clone_from(&maker.ip_allow);
        }
    }

    fn is_live(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }

    fn networks(&self) -> Vec<IpNet> {
        self.ip_allow.split(',').filter_map(network).collect()
    }
}

/// The first key of a new agent: everything it may need, but not the management of keys.
pub(super) async fn issue_first(app: &App, tx: &mut AnyConnection, agent: &Agent) -> Result<FirstKey, ApiError> {
    let mut scopes = vec![Scope::Invoke, Scope::Read];
    if agent.roles.contains(&Role::Author) {
        scopes.push(Scope::Publish);
    }
    let scopes: Scopes = scopes.into_iter().collect();
    let (row, secret) = KeyRow::new(app, &agent.id, "first key", scopes);
    store::insert(tx, &row).await?;
    audit::append(tx, row.created_at, &agent.id, "key.create", &row.id, &row.scopes).await?;
    Ok(FirstKey { id: row.id, key: secret.text, scopes: scopes.list(), expires_at: None })
}

/// The key behind a secret. Notes its use, at most once a minute.
pub(super) async fn find(app: &App, hash: &str) -> Result<Option<Credential>, ApiError> {
    let Some(found) = store::by_hash(&app.db, hash).await? else { return Ok(None) };
    store::note_use(&app.db, &found.key, app.clock.now_ms()).await?;
    let row = &found.key;
    let scopes = Scopes::from_text(&row.scopes);
    let cap = u64::try_from(row.daily_cap).unwrap_or(0);
    let caller = authenticate::caller(&row.agent_id, &found.handle, &found.wallet, &row.id, scopes, Some(cap))?;
    Ok(Some(Credential {
        caller: Caller { family: row.family.as_str().into(), ..caller },
        ip_allow: row.networks(),
        hash: row.hash.clone(),
        expires_at: row.expires_at,
        revoked: row.revoked_at.is_some(),
    }))
}

/// The caller's keys that are neither revoked nor expired.
#[utoipa::path(get, path = "/agents/me/keys", tag = "identity", security(("bearer" = [])),
    responses((status = 200, body = Page<ApiKey>), (status = "default", body = Problem)))]
async fn list(State(app): State<AppState>, caller: Caller) -> Result<Json<Page<ApiKey>>, ApiError> {
    caller.require(Scope::Admin)?;
    let rows = store::list(&app.db, &caller.agent_id, app.clock.now_ms()).await?;
    Ok(Json(Page { items: rows.into_iter().map(ApiKey::from).collect(), next_cursor: None }))
}

/// Make a key. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/agents/me/keys", tag = "identity", security(("bearer" = [])), request_body = CreateKey,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = NewKey), (status = "default", body = Problem)))]
async fn create(
    State(app): State<AppState>,
    caller: Caller,
    idempotency: IdempotencyKey,
    body: StrictJson<CreateKey>,
) -> Result<Response, ApiError> {
    caller.require(Scope::Admin)?;
    let print = fingerprint(&[print_of(&caller), &body.raw]);
    let work = |claim| make(&app, &caller, body.value, claim);
    app.idempotency.once(&caller, "POST /agents/me/keys", &idempotency, print, CLAIM, work).await
}

async fn make(app: &App, caller: &Caller, wish: CreateKey, claim: Option<Claim>) -> Result<Response, ApiError> {
    let scopes: Scopes = wish.scopes.iter().copied().collect();
    if !caller.scopes.includes(scopes) {
        return Err(ApiError::new(Code::ScopeMissing, "A key cannot make a key that may do more than itself."));
    }
    let (mut row, secret) = KeyRow::new(app, &caller.agent_id, &wish.name, scopes);
    if wish.expires_at.is_some_and(|at| at.0 <= row.created_at) {
        let mut problems = Problems::default();
        problems.add("/expires_at", "must be in the future");
        problems.into_result()?;
    }
    row.expires_at = wish.expires_at.map(|at| at.0);
    row.ip_allow = wish.ip_allow.join(",");
    let mut tx = app.db.write().await?;
    let maker = maker::locked(&mut tx, caller, row.created_at).await?;
    if let Some(maker) = &maker {
        row.inherit(maker);
    }
    row.daily_cap = wish.daily_cap.as_deref().and_then(cap_from).unwrap_or(row.daily_cap);
    check_not_freer(&row, maker.as_ref())?;
    check_room(&mut tx, &caller.agent_id, row.created_at).await?;
    store::insert(&mut tx, &row).await?;
    let detail = format!("{} by {}", row.scopes, caller.key_id);
    audit::append(&mut tx, row.created_at, &caller.agent_id, "key.create", &row.id, &detail).await?;
    let made = NewKey { key: secret.text, settings: row.into() };
    let answer = app.idempotency.answer_in(claim, &mut tx, StatusCode::CREATED, &made).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Refuses one key more than [`MAX_KEYS`].
async fn check_room(tx: &mut AnyConnection, agent_id: &str, now: i64) -> Result<(), ApiError> {
    if store::count(tx, agent_id, now).await? >= MAX_KEYS {
        let detail = format!("An agent may have {MAX_KEYS} keys; revoke one first.");
        return Err(ApiError::new(Code::ValidationFailed, detail));
    }
    Ok(())
}

/// Revoke a key at once, and every key that it made.
#[utoipa::path(delete, path = "/agents/me/keys/{key}", tag = "identity", security(("bearer" = [])),
    params(("key" = String, Path, description = "`key_…`")),
    responses((status = 204), (status = "default", body = Problem)))]
async fn revoke(State(app): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.require(Scope::Admin)?;
    let now = app.clock.now_ms();
    let mut tx = app.db.write().await?;
    maker::locked(&mut tx, &caller, now).await?;
    if !store::revoke(&mut tx, &caller.agent_id, &id, now).await? {
        return Err(unknown());
    }
    audit::append(&mut tx, now, &caller.agent_id, "key.revoke", &id, &format!("by {}", caller.key_id)).await?;
    tx.commit().await?;
    app.credentials.forget();
    Ok(StatusCode::NO_CONTENT)
}

/// Replace a key by a new one with the same settings; the old one, and what it made, lives on for the overlap.
#[utoipa::path(post, path = "/agents/me/keys/{key}/rotate", tag = "identity", security(("bearer" = [])),
    params(("key" = String, Path, description = "`key_…`"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Rotate, responses((status = 201, body = NewKey), (status = "default", body = Problem)))]
async fn rotate(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    idempotency: IdempotencyKey,
    body: StrictJson<Rotate>,
) -> Result<Response, ApiError> {
    caller.require(Scope::Admin)?;
    let print = fingerprint(&[print_of(&caller), id.as_bytes(), &body.raw]);
    let overlap = body.value.overlap_secs.unwrap_or(DEFAULT_OVERLAP_SECS);
    let work = |claim| replace(&app, &caller, &id, overlap, claim);
    app.idempotency.once(&caller, "POST /agents/me/keys/{key}/rotate", &idempotency, print, CLAIM, work).await
}

async fn replace(
    app: &App,
    caller: &Caller,
    id: &str,
    overlap_secs: u64,
    claim: Option<Claim>,
) -> Result<Response, ApiError> {
    let mut tx = app.db.write().await?;
    let maker = maker::locked(&mut tx, caller, app.clock.now_ms()).await?;
    let old = store::by_id(&mut tx, &caller.agent_id, id).await?.filter(|key| key.revoked_at.is_none());
    let old = old.ok_or_else(unknown)?;
    let scopes = Scopes::from_text(&old.scopes);
    if !caller.scopes.includes(scopes) {
        return Err(ApiError::new(Code::ScopeMissing, "A key cannot rotate a key that may do more than itself."));
    }
    let (mut row, secret) = KeyRow::new(app, &caller.agent_id, &old.name, scopes);
    let now = row.created_at;
    if old.expires_at.is_some_and(|at| at <= now) {
        return Err(ApiError::new(Code::KeyExpired, "The key has expired; make a new one."));
    }
    check_not_freer(&old, maker.as_ref())?;
    check_room(&mut tx, &caller.agent_id, now).await?;
    row.ip_allow = old.ip_allow;
    row.daily_cap = old.daily_cap;
    row.expires_at = old.expires_at;
    row.replaces = Some(old.id);
    row.family = old.family;
    row.made_by = maker.map(|maker| maker.id).or(old.made_by);
    let ends = now.saturating_add(i64::try_from(overlap_secs).unwrap_or(i64::MAX).saturating_mul(1000));
    store::expire(&mut tx, id, ends).await?;
    store::insert(&mut tx, &row).await?;
    audit::append(&mut tx, now, &caller.agent_id, "key.rotate", id, &format!("{} by {}", row.id, caller.key_id))
        .await?;
    let made = NewKey { key: secret.text, settings: row.into() };
    let answer = app.idempotency.answer_in(claim, &mut tx, StatusCode::CREATED, &made).await?;
    tx.commit().await?;
    app.credentials.forget();
    Ok(answer)
}

fn unknown() -> ApiError {
    ApiError::new(Code::NotFound, "You have no such key, or it is revoked.")
}
