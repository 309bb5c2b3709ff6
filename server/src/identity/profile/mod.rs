//! What an agent shows of itself.

mod store;

use super::Scope;
use super::enrolment::DESCRIPTION_LEN;
use crate::app::{App, AppState};
use crate::audit;
use crate::error::{ApiError, Code, Problem};
use crate::http::{Caller, Input, Path, Problems, StrictJson, Timestamp};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
pub(super) use store::insert;
pub(crate) use store::lock;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(me, update)).routes(routes!(show))
}

/// What an agent does here. It is a label, not a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Publishes skills.
    Author,
    /// Buys and calls them.
    Buyer,
}

impl Role {
    pub(super) const ALL: [Role; 2] = [Role::Author, Role::Buyer];

    fn as_str(self) -> &'static str {
        match self {
            Role::Author => "author",
            Role::Buyer => "buyer",
        }
    }
}

/// An agent, as anyone may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Agent {
    /// `agt_…`
    pub id: String,
    /// Its unique, immutable name.
    pub name: String,
    /// Its wallet, base58.
    pub wallet: String,
    /// What it says of itself.
    pub description: String,
    /// What it does here.
    pub roles: Vec<Role>,
    /// When it enrolled.
    pub created_at: Timestamp,
}

impl Agent {
    pub(super) fn new(handle: &str, wallet: &str, description: &str, roles: &str, now: i64) -> Agent {
        Agent {
            id: clawos_receipts::new_id("agt"),
            name: handle.to_owned(),
            wallet: wallet.to_owned(),
            description: description.to_owned(),
            roles: roles_from_text(roles),
            created_at: Timestamp(now),
        }
    }
}

pub(super) fn roles_text(roles: &[Role]) -> String {
    Role::ALL.into_iter().filter(|role| roles.contains(role)).map(Role::as_str).collect::<Vec<_>>().join(",")
}

fn roles_from_text(text: &str) -> Vec<Role> {
    Role::ALL.into_iter().filter(|role| text.split(',').any(|name| name == role.as_str())).collect()
}

pub(super) fn check_roles(pointer: &str, roles: &[Role], problems: &mut Problems) {
    if roles.is_empty() || roles.len() > Role::ALL.len() {
        problems.add(pointer, "must name one or two roles: author, buyer");
    }
}

/// The agent with this handle.
pub(super) async fn by_handle(app: &App, handle: &str) -> Result<Option<Agent>, ApiError> {
    Ok(store::by_handle(&app.db, handle).await?)
}

/// The agent with this wallet.
pub(super) async fn by_wallet(app: &App, wallet: &str) -> Result<Option<Agent>, ApiError> {
    Ok(store::by_wallet(&app.db, wallet).await?)
}

/// The agent with this id; it must exist.
pub(super) async fn by_id(connection: &mut AnyConnection, id: &str) -> Result<Agent, ApiError> {
    let found = store::by_id(connection, id).await?;
    found.ok_or_else(|| ApiError::internal(format!("no agent {id}")))
}

/// What may be changed of a profile; a member left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    /// At most 500 characters.
    description: Option<String>,
    /// `author`, `buyer` or both.
    roles: Option<Vec<Role>>,
}

impl Input for Update {
    fn check(&self, problems: &mut Problems) {
        if let Some(description) = &self.description {
            problems.text("/description", description, DESCRIPTION_LEN);
        }
        if let Some(roles) = &self.roles {
            check_roles("/roles", roles, problems);
        }
    }
}

/// The caller's own profile.
#[utoipa::path(get, path = "/agents/me", tag = "identity", security(("bearer" = [])),
    responses((status = 200, body = Agent), (status = "default", body = Problem)))]
async fn me(State(app): State<AppState>, caller: Caller) -> Result<Json<Agent>, ApiError> {
    caller.require(Scope::Read)?;
    let mut connection = app.db.acquire().await?;
    Ok(Json(by_id(&mut connection, &caller.agent_id).await?))
}

/// Change the caller's own profile.
#[utoipa::path(patch, path = "/agents/me", tag = "identity", security(("bearer" = [])), request_body = Update,
    responses((status = 200, body = Agent), (status = "default", body = Problem)))]
async fn update(
    State(app): State<AppState>,
    caller: Caller,
    body: StrictJson<Update>,
) -> Result<Json<Agent>, ApiError> {
    caller.require(Scope::Admin)?;
    let now = app.clock.now_ms();
    let mut tx = app.db.write().await?;
    let mut agent = by_id(&mut tx, &caller.agent_id).await?;
    agent.description = body.value.description.unwrap_or(agent.description);
    agent.roles = body.value.roles.unwrap_or(agent.roles);
    store::update(&mut tx, &agent, now).await?;
    audit::append(&mut tx, now, &caller.agent_id, "agent.update", &agent.id, &roles_text(&agent.roles)).await?;
    tx.commit().await?;
    Ok(Json(agent))
}

/// An agent's public profile, by id (`agt_…`) or by name.
#[utoipa::path(get, path = "/agents/{agent}", tag = "identity",
    params(("agent" = String, Path, description = "Id or name")),
    responses((status = 200, body = Agent), (status = "default", body = Problem)))]
async fn show(State(app): State<AppState>, Path(agent): Path<String>) -> Result<Json<Agent>, ApiError> {
    let found = if clawos_receipts::id::is_id("agt", &agent) {
        store::by_id(&mut *app.db.acquire().await?, &agent).await?
    } else {
        store::by_handle(&app.db, &agent).await?
    };
    found.map(Json).ok_or_else(|| ApiError::new(Code::NotFound, "There is no such agent."))
}
