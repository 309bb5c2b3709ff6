//! SQL of sessions.

use clawos_base::database::columns;
use sqlx::{AnyConnection, AnyPool, Row};

use crate::authenticate::Credential;
use crate::{Caller, Scopes};

pub(super) struct NewSession {
    pub(super) id: String,
    pub(super) family: String,
    pub(super) agent_id: String,
    pub(super) access_hash: String,
    pub(super) access_expires_at: i64,
    pub(super) refresh_hash: String,
    pub(super) refresh_expires_at: i64,
    pub(super) created_at: i64,
}

/// A session found by its refresh token.
pub(super) struct ByRefresh {
    pub(super) id: String,
    pub(super) family: String,
    pub(super) agent_id: String,
    pub(super) refresh_expires_at: i64,
    pub(super) revoked: bool,
}

pub(super) async fn insert(connection: &mut AnyConnection, session: &NewSession) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO sessions
           (id, family, agent_id, access_hash, access_expires_at, refresh_hash, refresh_expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&session.id)
    .bind(&session.family)
    .bind(&session.agent_id)
    .bind(&session.access_hash)
    .bind(session.access_expires_at)
    .bind(&session.refresh_hash)
    .bind(session.refresh_expires_at)
    .bind(session.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The session with this access token, as a credential that may do everything.
pub(super) async fn by_access(pool: &AnyPool, hash: &str) -> Result<Option<Credential>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT a.wallet, a.handle, s.id, s.agent_id, s.access_hash, s.access_expires_at,
                s.revoked_at, s.replaced_at
         FROM sessions s JOIN agents a ON a.id = s.agent_id WHERE s.access_hash = $1",
    )
    .bind(hash)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id: String = row.try_get("id")?;
    let (revoked_at, replaced_at): (Option<i64>, Option<i64>) =
        (row.try_get("revoked_at")?, row.try_get("replaced_at")?);
    let caller = Caller {
        agent_id: row.try_get::<String, _>("agent_id")?.into(),
        handle: row.try_get::<String, _>("handle")?.into(),
        wallet: columns::key(&row, 0)?,
        key_id: id.as_str().into(),
        scopes: Scopes::all(),
        expires_at: Some(row.try_get("access_expires_at")?),
        daily_caps: None,
        family: id.into(),
    };
    Ok(Some(Credential {
        caller,
        hash: row.try_get("access_hash")?,
        revoked: revoked_at.is_some() || replaced_at.is_some(),
        ip_allow: Vec::new(),
    }))
}

/// When the refresh token of this session ends (Unix milliseconds), if there is such a session.
pub(crate) async fn refresh_expires_at(connection: &mut AnyConnection, id: &str) -> Result<Option<i64>, sqlx::Error> {
    let row = sqlx::query("SELECT refresh_expires_at FROM sessions WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.try_get("refresh_expires_at")).transpose()
}

/// Whether the session is there, and neither revoked nor replaced.
pub(crate) async fn is_live(connection: &mut AnyConnection, id: &str) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("SELECT id FROM sessions WHERE id = $1 AND revoked_at IS NULL AND replaced_at IS NULL")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Locks the agent behind a refresh token until the transaction ends: a revocation comes before its refresh or after it.
pub(super) async fn lock_agent(connection: &mut AnyConnection, refresh_hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE agents SET updated_at = updated_at
         WHERE id = (SELECT agent_id FROM sessions WHERE refresh_hash = $1)",
    )
    .bind(refresh_hash)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn by_refresh(connection: &mut AnyConnection, hash: &str) -> Result<Option<ByRefresh>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT id, family, agent_id, refresh_expires_at, revoked_at FROM sessions WHERE refresh_hash = $1",
    )
    .bind(hash)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let revoked_at: Option<i64> = row.try_get("revoked_at")?;
    Ok(Some(ByRefresh {
        id: row.try_get("id")?,
        family: row.try_get("family")?,
        agent_id: row.try_get("agent_id")?,
        refresh_expires_at: row.try_get("refresh_expires_at")?,
        revoked: revoked_at.is_some(),
    }))
}

/// Marks the refresh token used; true for the one caller that gets to.
pub(super) async fn replace(connection: &mut AnyConnection, id: &str, now: i64) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE sessions SET replaced_at = $1 WHERE id = $2 AND replaced_at IS NULL AND revoked_at IS NULL",
    )
    .bind(now)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn revoke_family(connection: &mut AnyConnection, family: &str, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE sessions SET revoked_at = $1 WHERE family = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(family)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn revoke_own_family(connection: &mut AnyConnection, id: &str, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE sessions SET revoked_at = $1
         WHERE revoked_at IS NULL AND family = (SELECT family FROM sessions WHERE id = $2)",
    )
    .bind(now)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn revoke_all(connection: &mut AnyConnection, agent_id: &str, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE sessions SET revoked_at = $1 WHERE agent_id = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(agent_id)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn forget_expired(pool: &AnyPool, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM sessions WHERE refresh_expires_at < $1").bind(now).execute(pool).await?;
    Ok(())
}
