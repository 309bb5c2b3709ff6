//! SQL of the audit log.

use clawos_api::Timestamp;
use clawos_api::audit::Entry;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

/// The next place in the actor's chain and the hash before it. The row stays locked until the transaction ends, so two
/// writers of one chain take turns.
pub(super) async fn next(connection: &mut AnyConnection, actor: &str) -> Result<(i64, String), sqlx::Error> {
    let row = sqlx::query(
        "INSERT INTO audit_heads (actor, n, hash) VALUES ($1, 1, '')
         ON CONFLICT (actor) DO UPDATE SET n = audit_heads.n + 1
         RETURNING n, hash",
    )
    .bind(actor)
    .fetch_one(connection)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

pub(super) async fn insert(connection: &mut AnyConnection, entry: &Entry) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit_log (actor, n, at, action, target, detail, request_id, prev_hash, hash, subject)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&entry.actor)
    .bind(entry.n)
    .bind(entry.at.0)
    .bind(&entry.action)
    .bind(&entry.target)
    .bind(&entry.detail)
    .bind(&entry.request_id)
    .bind(&entry.prev_hash)
    .bind(&entry.hash)
    .bind(subject(&entry.target))
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE audit_heads SET hash = $1 WHERE actor = $2")
        .bind(&entry.hash)
        .bind(&entry.actor)
        .execute(connection)
        .await?;
    Ok(())
}

/// Entries below `before`, newest first.
pub(super) async fn list(pool: &AnyPool, actor: &str, before: i64, limit: i64) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM audit_log WHERE actor = $1 AND n < $2 ORDER BY n DESC LIMIT $3")
        .bind(actor)
        .bind(before)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// Entries of an actor about one subject below `before`, newest first.
pub(super) async fn list_about(
    pool: &AnyPool,
    actor: &str,
    subject: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT * FROM audit_log WHERE actor = $1 AND subject = $2 AND n < $3 ORDER BY n DESC LIMIT $4")
            .bind(actor)
            .bind(subject)
            .bind(before)
            .bind(limit)
            .fetch_all(pool)
            .await?;
    rows.iter().map(read).collect()
}

/// What a target is a part of: `LICENCE` of `LICENCE@SLOT/3`, `publisher.skill` of `publisher.skill@1.0.0`.
fn subject(target: &str) -> &str {
    target.split_once('@').map_or(target, |(subject, _)| subject)
}

fn read(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        actor: row.try_get("actor")?,
        n: row.try_get("n")?,
        at: Timestamp(row.try_get("at")?),
        action: row.try_get("action")?,
        target: row.try_get("target")?,
        detail: row.try_get("detail")?,
        request_id: row.try_get("request_id")?,
        prev_hash: row.try_get("prev_hash")?,
        hash: row.try_get("hash")?,
    })
}
