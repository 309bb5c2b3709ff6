//! The numbered migrations, embedded. Rules for writing one: `migrations/README.md`.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "identity", include_str!("../../../../migrations/0001_identity.sql")),
    (2, "registry", include_str!("../../../../migrations/0002_registry.sql")),
    (3, "execution", include_str!("../../../../migrations/0003_execution.sql")),
    (4, "http", include_str!("../../../../migrations/0004_http.sql")),
    (5, "server_key", include_str!("../../../../migrations/0005_server_key.sql")),
];

pub(super) fn migrator() -> Migrator {
    let migration = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn every_file_of_the_folder_is_listed_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = names.filter(|name| name.ends_with(".sql")).collect();
        files.sort();
        let listed: Vec<_> = MIGRATIONS.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(listed, files);
    }
}
