//! The statements that belong to no domain: connection settings and the health probe.

use sqlx::{AnyConnection, AnyPool, Executor};

/// WAL so that readers never wait; NORMAL survives the death of any process, FULL also loss of power.
pub(super) async fn configure_sqlite(connection: &mut AnyConnection, full_sync: bool) -> Result<(), sqlx::Error> {
    connection.execute("PRAGMA busy_timeout = 10000").await?;
    connection.execute("PRAGMA journal_mode = WAL").await?;
    let sync = if full_sync { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
    connection.execute(sync).await?;
    connection.execute("PRAGMA foreign_keys = ON").await?;
    Ok(())
}

/// The cheapest question there is.
pub(super) async fn ping(pool: &AnyPool) -> Result<(), sqlx::Error> {
    pool.execute("SELECT 1").await.map(drop)
}
