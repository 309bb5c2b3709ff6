//! The statements that belong to no domain: connection settings, the health probe, and the seal of the server key.

use sqlx::{AnyConnection, AnyPool, Executor, Row};

/// WAL so that readers never wait; NORMAL survives the death of any process, FULL also loss of power.
pub(super) async fn configure_sqlite(connection: &mut AnyConnection, full_sync: bool) -> Result<(), sqlx::Error> {
    connection.execute("PRAGMA busy_timeout = 10000").await?;
    connection.execute("PRAGMA journal_mode = WAL").await?;
    let sync = if full_sync { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
    connection.execute(sync).await?;
    connection.execute("PRAGMA foreign_keys = ON").await?;
    Ok(())
}

/// How long a session may hold locks without doing anything (milliseconds) before Postgres ends it: what a server that
/// was frozen or cut off holds is free again then. No transaction here waits for anything else for
/// long: one names a file that was written before.
const IDLE_IN_TRANSACTION_MS: u32 = 5_000;
/// How long a statement waits for a lock (milliseconds): long enough to outlast such a session.
const LOCK_MS: u32 = 8_000;
/// How long a statement may take (milliseconds): long enough for that wait.
const STATEMENT_MS: u32 = 10_000;

/// One server's trouble must not become that of all who share the database.
pub(super) async fn configure_postgres(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let settings = [
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MS),
        ("lock_timeout", LOCK_MS),
        ("statement_timeout", STATEMENT_MS),
    ];
    for (name, ms) in settings {
        connection.execute(sqlx::AssertSqlSafe(format!("SET {name} = {ms}"))).await?;
    }
    Ok(())
}

/// The cheapest question there is.
pub(super) async fn ping(pool: &AnyPool) -> Result<(), sqlx::Error> {
    pool.execute("SELECT 1").await.map(drop)
}

/// What the first server sealed, which is `own` when this is it.
pub(super) async fn server_key_seal(pool: &AnyPool, own: Vec<u8>) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query("INSERT INTO server_keys (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING")
        .bind(own)
        .execute(pool)
        .await?;
    sqlx::query("SELECT sealed FROM server_keys WHERE id = 1").fetch_one(pool).await?.try_get(0)
}
