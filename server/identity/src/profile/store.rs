//! SQL of agents.

use clawos_api::Timestamp;
use clawos_api::identity::Agent;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::{roles_from_text, roles_text};

pub(crate) async fn insert(connection: &mut AnyConnection, agent: &Agent) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO agents (id, handle, wallet, description, roles, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(&agent.id)
    .bind(&agent.name)
    .bind(&agent.wallet)
    .bind(&agent.description)
    .bind(roles_text(&agent.roles))
    .bind(agent.created_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn update(connection: &mut AnyConnection, agent: &Agent, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE agents SET description = $1, roles = $2, updated_at = $3 WHERE id = $4")
        .bind(&agent.description)
        .bind(roles_text(&agent.roles))
        .bind(now)
        .bind(&agent.id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Locks the agent until the transaction ends, so that changes of what belongs to it take turns.
///
/// # Errors
/// When the database fails.
pub async fn lock(connection: &mut AnyConnection, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE agents SET updated_at = updated_at WHERE id = $1").bind(id).execute(connection).await?;
    Ok(())
}

pub(super) async fn by_id(connection: &mut AnyConnection, id: &str) -> Result<Option<Agent>, sqlx::Error> {
    let row = sqlx::query("SELECT id, handle, wallet, description, roles, created_at FROM agents WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn by_handle(pool: &AnyPool, handle: &str) -> Result<Option<Agent>, sqlx::Error> {
    let row = sqlx::query("SELECT id, handle, wallet, description, roles, created_at FROM agents WHERE handle = $1")
        .bind(handle)
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn by_wallet(pool: &AnyPool, wallet: &str) -> Result<Option<Agent>, sqlx::Error> {
    let row = sqlx::query("SELECT id, handle, wallet, description, roles, created_at FROM agents WHERE wallet = $1")
        .bind(wallet)
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<Agent, sqlx::Error> {
    let roles: String = row.try_get("roles")?;
    Ok(Agent {
        id: row.try_get("id")?,
        name: row.try_get("handle")?,
        wallet: row.try_get("wallet")?,
        description: row.try_get("description")?,
        roles: roles_from_text(&roles),
        created_at: Timestamp(row.try_get("created_at")?),
    })
}
