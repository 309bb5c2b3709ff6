//! What the tests of this domain run on: SQLite and, where it is installed, PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_base::Database;
use clawos_config::Config;

/// A configuration with an empty database of each kind, and the folders they need.
pub(crate) async fn databases() -> Vec<(Config, Database, tempfile::TempDir)> {
    let mut found = Vec::new();
    for url in [None, clawos_test_postgres::database().await] {
        if url.is_none() && !found.is_empty() {
            break;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::for_testing(folder.path());
        config.data.database_url = url;
        let db = Database::open(&config.data).await.unwrap();
        found.push((config, db, folder));
    }
    found
}
