//! The database behind every store: SQLite or Postgres through sqlx's `Any` driver.
//!
//! Portable SQL only: columns are `TEXT`, `BIGINT`, `BYTEA`, `DOUBLE PRECISION`; flags are 0/1; times are Unix
//! milliseconds; parameters are `$1`. Sums of `BIGINT` must be cast back (`CAST(SUM(x) AS BIGINT)`: Postgres makes them
//! `NUMERIC`, which `Any` cannot read). Bind `String`/`&str`, never `Arc<str>` (the SQLite side of `Any` panics on it).

pub mod columns;
mod failure;
mod lock;
mod migrations;
mod server_key;
mod store;

pub use failure::{commit, is_disk_full, is_outcome_unknown, is_unavailable, is_unique_violation};
pub use lock::{DataLock, LockError};

use std::ops::Deref;
use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

use clawos_config::{DataConfig, Durability};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::MigrateError;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction};

/// How long a request waits for a connection, a free one or a new one, before its caller is told to come again.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One file, one server.
    Sqlite,
    /// One database, several servers.
    Postgres,
}

/// The pool. It derefs to [`AnyPool`] for reads and single statements; use [`Database::write`] for transactions.
#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    kind: Kind,
}

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The URL names no database this server speaks.
    #[error("the database URL must start with sqlite: or postgres: (CLAWOS_DATABASE_URL)")]
    UnknownScheme,
    /// It cannot be opened.
    #[error("cannot open the database: {0}")]
    Open(#[from] sqlx::Error),
    /// Another version of this server made it.
    #[error(
        "this database was made by another version of clawos-server, and until 1.0 formats change without a way over: give \
         this one an empty --data folder and database, or go back to that version"
    )]
    OtherVersion,
    /// A migration failed.
    #[error("cannot bring the database up to date: {0}")]
    Migrate(#[source] MigrateError),
    /// Answers that the other servers of this database stored could not be opened here.
    #[error(
        "this database belongs to another server key; copy server.key from the data folder of the server that made it, or \
         give all of them the same CLAWOS_SERVER_KEY. If that key is lost, run DELETE FROM server_keys on the database: \
         answers stored with it are then lost too"
    )]
    ServerKey,
}

impl From<MigrateError> for DatabaseError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_) => DatabaseError::OtherVersion,
            other => DatabaseError::Migrate(other),
        }
    }
}

impl Database {
    /// Opens the database and applies the migrations that are missing.
    pub async fn open(config: &DataConfig) -> Result<Database, DatabaseError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let url = config.database_url();
        let (kind, url) = if url.starts_with("sqlite:") {
            (Kind::Sqlite, if url.contains('?') { url } else { format!("{url}?mode=rwc") })
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            (Kind::Postgres, url)
        } else {
            return Err(DatabaseError::UnknownScheme);
        };
        let options = AnyConnectOptions::from_str(&url)?;
        // On a connection of its own: a migration may take as long as it needs.
        let mut connection = AnyConnection::connect_with(&options).await?;
        migrations::migrator().run(&mut connection).await?;
        connection.close().await?;
        let full_sync = config.durability == Durability::Disk;
        let pool = AnyPoolOptions::new()
            .max_connections(config.database_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    match kind {
                        Kind::Sqlite => store::configure_sqlite(connection, full_sync).await,
                        Kind::Postgres => store::configure_postgres(connection).await,
                    }
                })
            })
            .after_release(|connection, _| Box::pin(is_clean(connection)))
            .connect_with(options)
            .await?;
        Ok(Database { pool, kind })
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whose leavings are those of processes that are gone when `server` starts: its own, by name, since its data folder is
    /// locked; on SQLite everybody's (`None`), since no other process has the file.
    pub fn gone<'a>(&self, server: &'a str) -> Option<&'a str> {
        match self.kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(server),
        }
    }

    /// A transaction that will write. On SQLite it takes the write lock at once, so that it can never fail later
    /// because another writer came between its reads and its writes. A transaction whose outcome its caller is told ends
    /// with [`commit`].
    pub async fn write(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self.kind {
            Kind::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Kind::Postgres => self.pool.begin().await,
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        store::ping(&self.pool).await
    }
}

/// Whether a connection may be used again. One whose transaction the database ended by itself (SQLite does when the disk is
/// full) cannot be rolled back any more: sqlx believes the transaction open, and would begin no other.
async fn is_clean(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    // A transaction that was dropped is being rolled back; this waits for it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

impl Deref for Database {
    type Target = AnyPool;

    fn deref(&self) -> &AnyPool {
        &self.pool
    }
}
