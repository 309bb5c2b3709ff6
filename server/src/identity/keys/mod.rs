//! API keys: scopes, expiry, address list, daily cap; made, listed, rotated with overlap, revoked.

mod store;

use super::authenticate::{self, Credential};
use super::profile::{Agent, Role};
use super::scope::{Scope, Scopes};
use super::token::{Kind, Secret};
use crate::app::{App, AppState};
use crate::audit;
use crate::error::{ApiError, Code, Problem};
use crate::execution::carry_spending;
use crate::http::idempotency::{CLAIM, fingerprint};
use crate::http::{Caller, IdempotencyKey, Input, Page, Path, Problems, StrictJson, Timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use store::KeyRow;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Keys an agent may have at a time; more is a leak of keys, not a use of them.
const MAX_KEYS: i64 = 100;
/// Entries in a key's address list.
const MAX_ADDRESSES: usize = 32;
/// How long the old key lives on after a rotation, unless told otherwise (seconds).
const DEFAULT_OVERLAP_SECS: u64 = 24 * 3600;
/// The longest overlap (seconds).
const MAX_OVERLAP_SECS: u64 = 30 * 24 * 3600;

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

/// A key's settings.
#[derive(Debug, Serialize, ToSchema)]
struct ApiKey {
    /// `key_…`
    id: String,
    name: String,
    /// Its prefix and last four characters.
    hint: String,
    scopes: Vec<Scope>,
    /// Addresses and networks it may be used from; empty means any.
    ip_allow: Vec<String>,
    /// What it may spend a day: USDC base units as a decimal string.
    daily_cap: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    /// To the minute.
    last_used_at: Option<Timestamp>,
}

/// A new key, with its secret.
#[derive(Debug, Serialize, ToSchema)]
struct NewKey {
    /// `claw_sk_…`; shown only here.
    key: String,
    #[serde(flatten)]
    settings: ApiKey,
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateKey {
    /// 1 to 64 characters, for you to tell your keys apart.
    name: String,
    /// At most the caller's own.
    scopes: Vec<Scope>,
    expires_at: Option<Timestamp>,
    /// Addresses (`192.0.2.7`) and networks (`192.0.2.0/24`); at most 32.
    #[serde(default)]
    ip_allow: Vec<String>,
    /// USDC base units a day, as a decimal string.
    daily_cap: Option<String>,
}

impl Input for CreateKey {
    fn check(&self, problems: &mut Problems) {
        problems.text("/name", &self.name, 1..=64);
        if self.scopes.is_empty() || self.scopes.len() > 4 {
            problems.add("/scopes", "must name one to four scopes: publish, invoke, read, admin");
        }
        if self.ip_allow.len() > MAX_ADDRESSES {
            problems.add("/ip_allow", format!("may have at most {MAX_ADDRESSES} entries"));
        }
        for (index, entry) in self.ip_allow.iter().enumerate() {
            if network(entry).is_none() {
                problems.add(format!("/ip_allow/{index}"), "must be an address or a network such as 192.0.2.0/24");
            }
        }
        if self.daily_cap.as_deref().is_some_and(|cap| cap_from(cap).is_none()) {
            problems.add("/daily_cap", "must be a decimal string of USDC base units, at most 9223372036854775807");
        }
    }
}

/// How to rotate a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rotate {
    /// Seconds that the old key lives on: 0 to 2592000, 86400 by default.
    overlap_secs: Option<u64>,
}

impl Input for Rotate {
    fn check(&self, problems: &mut Problems) {
        if self.overlap_secs.is_some_and(|secs| secs > MAX_OVERLAP_SECS) {
            problems.add("/overlap_secs", format!("must be 0 to {MAX_OVERLAP_SECS}"));
        }
    }
}

fn network(text: &str) -> Option<IpNet> {
    if text.len() > 64 {
        return None;
    }
    text.parse::<IpNet>().ok().or_else(|| text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address)))
}

fn cap_from(text: &str) -> Option<i64> {
    clawos_receipts::text::from_decimal(text).ok().and_then(|cap| i64::try_from(cap).ok())
}

impl KeyRow {
    fn new(app: &App, agent_id: &str, name: &str, scopes: Scopes) -> (KeyRow, Secret) {
        let secret = Secret::new(Kind::ApiKey);
        let row = KeyRow {
            id: clawos_receipts::new_id("key"),
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
        self.daily_cap = self.daily_cap.min(maker.daily_cap);
        self.expires_at = self.expires_at.or(maker.expires_at);
        if self.ip_allow.is_empty() {
            self.ip_allow.clone_from(&maker.ip_allow);
        }
    }

    fn networks(&self) -> Vec<IpNet> {
        self.ip_allow.split(',').filter_map(network).collect()
    }
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        ApiKey {
            scopes: Scopes::from_text(&row.scopes).list(),
            ip_allow: row.networks().iter().map(ToString::to_string).collect(),
            id: row.id,
            name: row.name,
            hint: row.hint,
            daily_cap: row.daily_cap.to_string(),
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            last_used_at: row.last_used_at.map(Timestamp),
        }
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
        caller,
        ip_allow: row.networks(),
        hash: row.hash.clone(),
        expires_at: row.expires_at,
        revoked: row.revoked_at.is_some(),
    }))
}

/// The caller's keys that are not revoked.
#[utoipa::path(get, path = "/agents/me/keys", tag = "identity", security(("bearer" = [])),
    responses((status = 200, body = Page<ApiKey>), (status = "default", body = Problem)))]
async fn list(State(app): State<AppState>, caller: Caller) -> Result<Json<Page<ApiKey>>, ApiError> {
    caller.require(Scope::Admin)?;
    let rows = store::list(&app.db, &caller.agent_id).await?;
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
    let print = fingerprint(&[&body.raw]);
    let work = make(&app, &caller, body.value);
    app.idempotency.once(&caller, "POST /agents/me/keys", &idempotency, print, CLAIM, work).await
}

async fn make(app: &App, caller: &Caller, wish: CreateKey) -> Result<Response, ApiError> {
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
    let maker = store::by_id(&mut tx, &caller.agent_id, &caller.key_id).await?;
    if let Some(maker) = &maker {
        row.inherit(maker);
    }
    row.daily_cap = wish.daily_cap.as_deref().and_then(cap_from).unwrap_or(row.daily_cap);
    check_not_freer(&row, maker.as_ref())?;
    check_room(&mut tx, &caller.agent_id).await?;
    store::insert(&mut tx, &row).await?;
    audit::append(&mut tx, row.created_at, &caller.agent_id, "key.create", &row.id, &row.scopes).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(NewKey { key: secret.text, settings: row.into() })).into_response())
}

/// Refuses a key that may spend more, live longer or be used from elsewhere than `maker`, the API key that asks for it.
fn check_not_freer(key: &KeyRow, maker: Option<&KeyRow>) -> Result<(), ApiError> {
    let Some(maker) = maker else { return Ok(()) };
    let outlives = maker.expires_at.is_some_and(|end| key.expires_at.is_none_or(|at| at > end));
    let (wanted, allowed) = (key.networks(), maker.networks());
    let inside = |net: &IpNet| allowed.iter().any(|maker| maker.contains(net));
    let elsewhere = !allowed.is_empty() && (wanted.is_empty() || !wanted.iter().all(inside));
    let problem = match (key.daily_cap > maker.daily_cap, outlives, elsewhere) {
        (true, _, _) => "may spend more a day",
        (_, true, _) => "lives longer",
        (_, _, true) => "may be used from other addresses",
        _ => return Ok(()),
    };
    let detail = format!("A key cannot make or rotate a key that {problem} than itself; use a session.");
    Err(ApiError::new(Code::ScopeMissing, detail))
}

/// Refuses one key more than [`MAX_KEYS`].
async fn check_room(tx: &mut AnyConnection, agent_id: &str) -> Result<(), ApiError> {
    if store::count(tx, agent_id).await? >= MAX_KEYS {
        let detail = format!("An agent may have {MAX_KEYS} keys; revoke one first.");
        return Err(ApiError::new(Code::ValidationFailed, detail));
    }
    Ok(())
}

/// Revoke a key at once.
#[utoipa::path(delete, path = "/agents/me/keys/{key}", tag = "identity", security(("bearer" = [])),
    params(("key" = String, Path, description = "`key_…`")),
    responses((status = 204), (status = "default", body = Problem)))]
async fn revoke(State(app): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.require(Scope::Admin)?;
    let now = app.clock.now_ms();
    let mut tx = app.db.write().await?;
    if !store::revoke(&mut tx, &caller.agent_id, &id, now).await? {
        return Err(unknown());
    }
    audit::append(&mut tx, now, &caller.agent_id, "key.revoke", &id, "").await?;
    tx.commit().await?;
    app.credentials.forget();
    Ok(StatusCode::NO_CONTENT)
}

/// Replace a key by a new one with the same settings; the old one lives on for the overlap.
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
    let print = fingerprint(&[id.as_bytes(), &body.raw]);
    let overlap = body.value.overlap_secs.unwrap_or(DEFAULT_OVERLAP_SECS);
    let work = replace(&app, &caller, &id, overlap);
    app.idempotency.once(&caller, "POST /agents/me/keys/{key}/rotate", &idempotency, print, CLAIM, work).await
}

async fn replace(app: &App, caller: &Caller, id: &str, overlap_secs: u64) -> Result<Response, ApiError> {
    let mut tx = app.db.write().await?;
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
    let maker = store::by_id(&mut tx, &caller.agent_id, &caller.key_id).await?;
    check_not_freer(&old, maker.as_ref())?;
    check_room(&mut tx, &caller.agent_id).await?;
    row.ip_allow = old.ip_allow;
    row.daily_cap = old.daily_cap;
    row.expires_at = old.expires_at;
    row.replaces = Some(old.id);
    carry_spending(&mut tx, id, &row.id, now).await?;
    let ends = now.saturating_add(i64::try_from(overlap_secs).unwrap_or(i64::MAX).saturating_mul(1000));
    store::expire(&mut tx, id, old.expires_at.map_or(ends, |at| at.min(ends))).await?;
    store::insert(&mut tx, &row).await?;
    audit::append(&mut tx, now, &caller.agent_id, "key.rotate", id, &row.id).await?;
    tx.commit().await?;
    app.credentials.forget();
    Ok((StatusCode::CREATED, Json(NewKey { key: secret.text, settings: row.into() })).into_response())
}

fn unknown() -> ApiError {
    ApiError::new(Code::NotFound, "You have no such key, or it is revoked.")
}
