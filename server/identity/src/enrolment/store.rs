//! SQL of challenges.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

/// What a challenge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Register,
    SignIn,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::Register => "register",
            Purpose::SignIn => "sign_in",
        }
    }
}

/// A challenge as stored.
#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) id: String,
    pub(super) purpose: Purpose,
    pub(super) origin: String,
    pub(super) genesis: String,
    pub(super) handle: String,
    pub(super) wallet: String,
    pub(super) nonce: String,
    pub(super) description: String,
    pub(super) roles: String,
    pub(super) expires_at: i64,
    pub(super) used: bool,
}

pub(super) async fn insert(pool: &AnyPool, challenge: &Challenge) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO challenges
           (id, purpose, origin, genesis, handle, wallet, nonce, description, roles, expires_at, used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL)",
    )
    .bind(&challenge.id)
    .bind(challenge.purpose.as_str())
    .bind(&challenge.origin)
    .bind(&challenge.genesis)
    .bind(&challenge.handle)
    .bind(&challenge.wallet)
    .bind(&challenge.nonce)
    .bind(&challenge.description)
    .bind(&challenge.roles)
    .bind(challenge.expires_at)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn find(pool: &AnyPool, id: &str) -> Result<Option<Challenge>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT id, purpose, origin, genesis, handle, wallet, nonce, description, roles, expires_at, used_at
         FROM challenges WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<Challenge, sqlx::Error> {
    let purpose: String = row.try_get("purpose")?;
    let used_at: Option<i64> = row.try_get("used_at")?;
    Ok(Challenge {
        id: row.try_get("id")?,
        purpose: if purpose == Purpose::Register.as_str() { Purpose::Register } else { Purpose::SignIn },
        origin: row.try_get("origin")?,
        genesis: row.try_get("genesis")?,
        handle: row.try_get("handle")?,
        wallet: row.try_get("wallet")?,
        nonce: row.try_get("nonce")?,
        description: row.try_get("description")?,
        roles: row.try_get("roles")?,
        expires_at: row.try_get("expires_at")?,
        used: used_at.is_some(),
    })
}

/// True for the one caller that marks it used.
pub(super) async fn use_up(connection: &mut AnyConnection, id: &str, now: i64) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE challenges SET used_at = $1 WHERE id = $2 AND used_at IS NULL")
        .bind(now)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn forget_expired(pool: &AnyPool, now: i64) -> Result<(), sqlx::Error> {
    // Kept an hour longer, so that a late answer hears "expired" and not "unknown".
    let before = now - 3_600_000;
    sqlx::query("DELETE FROM challenges WHERE expires_at < $1").bind(before).execute(pool).await?;
    Ok(())
}
