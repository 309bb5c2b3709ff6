//! SQL of idempotency keys.

use sqlx::{AnyConnection, AnyPool, Row};

use super::Claim;

/// An earlier request with the same key.
pub(super) struct Earlier {
    pub(super) fingerprint: String,
    pub(super) answer: Option<Vec<u8>>,
}

/// How long a claim lasts (Unix milliseconds).
#[derive(Clone, Copy)]
pub(super) struct Lasting {
    /// What lapsed by now counts no more.
    pub(super) now: i64,
    /// The claim counts as dead from then on.
    pub(super) claimed_until: i64,
    /// The key is free from then on.
    pub(super) expires_at: i64,
}

/// Takes the key when it is new, expired, or held by a dead claim for the same request. One statement, so two requests
/// cannot both succeed.
pub(super) async fn claim(
    pool: &AnyPool,
    claim: &Claim,
    server: &str,
    fingerprint: &str,
    lasting: Lasting,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO idempotency (agent_id, route, key_hash, fingerprint, claim, claimed_until, answer, expires_at, server)
         VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $9)
         ON CONFLICT (agent_id, route, key_hash) DO UPDATE
         SET fingerprint = $4, claim = $5, claimed_until = $6, answer = NULL, expires_at = $7, server = $9
         WHERE idempotency.expires_at <= $8
            OR (idempotency.answer IS NULL AND idempotency.claimed_until <= $8 AND idempotency.fingerprint = $4)",
    )
    .bind(&claim.agent_id)
    .bind(claim.route)
    .bind(&claim.key_hash)
    .bind(fingerprint)
    .bind(&claim.token)
    .bind(lasting.claimed_until)
    .bind(lasting.expires_at)
    .bind(lasting.now)
    .bind(server)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn find(pool: &AnyPool, claim: &Claim) -> Result<Option<Earlier>, sqlx::Error> {
    let row =
        sqlx::query("SELECT fingerprint, answer FROM idempotency WHERE agent_id = $1 AND route = $2 AND key_hash = $3")
            .bind(&claim.agent_id)
            .bind(claim.route)
            .bind(&claim.key_hash)
            .fetch_optional(pool)
            .await?;
    row.map(|row| Ok(Earlier { fingerprint: row.try_get(0)?, answer: row.try_get(1)? })).transpose()
}

pub(super) async fn complete(
    connection: &mut AnyConnection,
    claim: &Claim,
    answer: &[u8],
    expires_at: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE idempotency SET answer = $1, expires_at = $2
         WHERE agent_id = $3 AND route = $4 AND key_hash = $5 AND claim = $6",
    )
    .bind(answer)
    .bind(expires_at)
    .bind(&claim.agent_id)
    .bind(claim.route)
    .bind(&claim.key_hash)
    .bind(&claim.token)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn abandon(pool: &AnyPool, claim: &Claim) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM idempotency
         WHERE agent_id = $1 AND route = $2 AND key_hash = $3 AND claim = $4 AND answer IS NULL",
    )
    .bind(&claim.agent_id)
    .bind(claim.route)
    .bind(&claim.key_hash)
    .bind(&claim.token)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn forget_expired(pool: &AnyPool, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM idempotency WHERE expires_at <= $1").bind(now).execute(pool).await?;
    Ok(())
}

/// Drops the claims of one server, or of all.
pub(super) async fn drop_claims(pool: &AnyPool, server: Option<&str>) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM idempotency WHERE answer IS NULL AND ($1 = '' OR server = $1)")
        .bind(server.unwrap_or(""))
        .execute(pool)
        .await?;
    Ok(())
}
