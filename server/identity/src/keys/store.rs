//! SQL of API keys.

use clawos_api::identity::DailyCaps;
use clawos_base::database::columns;
use clawos_interface::Key;
use ipnet::IpNet;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::network;
use crate::Scopes;

/// How old the noted last use may be before it is noted again (milliseconds); a write per call would cost too much.
const NOTE_USE_EVERY_MS: i64 = 60_000;

/// A key as stored.
pub(super) struct KeyRow {
    pub(super) id: String,
    pub(super) agent_id: String,
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) hint: String,
    pub(super) scopes: Scopes,
    /// Empty allows every address.
    pub(super) ip_allow: Vec<IpNet>,
    pub(super) daily_caps: DailyCaps,
    pub(super) created_at: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) last_used_at: Option<i64>,
    pub(super) revoked_at: Option<i64>,
    pub(super) replaces: Option<String>,
    pub(super) family: String,
    pub(super) made_by: Option<String>,
}

/// A key with its agent.
pub(super) struct Found {
    pub(super) key: KeyRow,
    pub(super) handle: String,
    pub(super) wallet: Key,
}

pub(super) async fn insert(connection: &mut AnyConnection, key: &KeyRow) -> Result<(), sqlx::Error> {
    let ip_allow: Vec<_> = key.ip_allow.iter().map(ToString::to_string).collect();
    sqlx::query(
        "INSERT INTO api_keys
           (id, agent_id, name, hash, hint, scopes, ip_allow, daily_cap_sol, daily_cap_usdc, created_at,
            expires_at, replaces, family, made_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(&key.id)
    .bind(&key.agent_id)
    .bind(&key.name)
    .bind(&key.hash)
    .bind(&key.hint)
    .bind(key.scopes.to_text())
    .bind(ip_allow.join(","))
    .bind(columns::int(key.daily_caps.sol))
    .bind(columns::int(key.daily_caps.usdc))
    .bind(key.created_at)
    .bind(key.expires_at)
    .bind(key.replaces.as_deref())
    .bind(&key.family)
    .bind(key.made_by.as_deref())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn by_hash(pool: &AnyPool, hash: &str) -> Result<Option<Found>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT a.wallet, a.handle, k.* FROM api_keys k JOIN agents a ON a.id = k.agent_id WHERE k.hash = $1",
    )
    .bind(hash)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Found { key: read(&row)?, handle: row.try_get("handle")?, wallet: columns::key(&row, 0)? }))
}

pub(super) async fn by_id(
    connection: &mut AnyConnection,
    agent_id: &str,
    id: &str,
) -> Result<Option<KeyRow>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM api_keys WHERE id = $1 AND agent_id = $2")
        .bind(id)
        .bind(agent_id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The agent's keys that are neither revoked nor expired.
pub(super) async fn list(pool: &AnyPool, agent_id: &str, now: i64) -> Result<Vec<KeyRow>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT * FROM api_keys WHERE agent_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
         ORDER BY created_at DESC, id DESC",
    )
    .bind(agent_id)
    .bind(now)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

/// How many keys [`list`] shows.
pub(super) async fn count(connection: &mut AnyConnection, agent_id: &str, now: i64) -> Result<i64, sqlx::Error> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM api_keys
         WHERE agent_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(agent_id)
    .bind(now)
    .fetch_one(connection)
    .await?;
    row.try_get(0)
}

pub(super) async fn note_use(pool: &AnyPool, key: &KeyRow, now: i64) -> Result<(), sqlx::Error> {
    if key.last_used_at.is_some_and(|at| now - at < NOTE_USE_EVERY_MS) {
        return Ok(());
    }
    sqlx::query("UPDATE api_keys SET last_used_at = $1 WHERE id = $2").bind(now).bind(&key.id).execute(pool).await?;
    Ok(())
}

/// Revokes the agent's key and all that descend from it.
pub(super) async fn revoke(
    connection: &mut AnyConnection,
    agent_id: &str,
    id: &str,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH RECURSIVE made (id) AS (
            SELECT id FROM api_keys WHERE id = $2 AND agent_id = $3 AND revoked_at IS NULL
            UNION SELECT k.id FROM api_keys k JOIN made m ON k.made_by = m.id)
         UPDATE api_keys SET revoked_at = $1 WHERE revoked_at IS NULL AND id IN (SELECT id FROM made)",
    )
    .bind(now)
    .bind(id)
    .bind(agent_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets a key and what it made end by `at` (Unix milliseconds).
pub(super) async fn expire(connection: &mut AnyConnection, id: &str, at: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH RECURSIVE made (id) AS (
            SELECT id FROM api_keys WHERE id = $2
            UNION SELECT k.id FROM api_keys k JOIN made m ON k.made_by = m.id)
         UPDATE api_keys SET expires_at = $1
         WHERE (expires_at IS NULL OR expires_at > $1) AND id IN (SELECT id FROM made)",
    )
    .bind(at)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<KeyRow, sqlx::Error> {
    let (scopes, ip_allow): (String, String) = (row.try_get("scopes")?, row.try_get("ip_allow")?);
    let cap = |name: &str| row.try_get::<i64, _>(name).map(|cap| u64::try_from(cap).unwrap_or(0));
    // An entry left out would shorten the list, and an empty one lets in every address.
    let ip_allow: Option<Vec<_>> = match ip_allow.as_str() {
        "" => Some(Vec::new()),
        list => list.split(',').map(network).collect(),
    };
    Ok(KeyRow {
        id: row.try_get("id")?,
        agent_id: row.try_get("agent_id")?,
        name: row.try_get("name")?,
        hash: row.try_get("hash")?,
        hint: row.try_get("hint")?,
        scopes: Scopes::from_text(&scopes),
        ip_allow: ip_allow.ok_or_else(|| sqlx::Error::Decode("an allowed address cannot be read".into()))?,
        daily_caps: DailyCaps { sol: cap("daily_cap_sol")?, usdc: cap("daily_cap_usdc")? },
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
        revoked_at: row.try_get("revoked_at")?,
        replaces: row.try_get("replaces")?,
        family: row.try_get("family")?,
        made_by: row.try_get("made_by")?,
    })
}
