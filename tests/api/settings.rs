//! What an operator sets is what holds.

use std::process::Command;

use clawos_config::{Config, Durability};
use clawos_tests::app::{TestApp, TestDatabase, databases, server_program};
use clawos_tests::publication::Publication;
use serde_json::json;
use sqlx::Row;

use crate::publish::{publish, stored_artifacts};

/// How SQLite syncs: `PRAGMA synchronous` on a connection of the server's pool.
async fn synchronous(app: &TestApp) -> i64 {
    let row = sqlx::query("PRAGMA synchronous").fetch_one(&*app.state.db).await.expect("SQLite answers");
    row.try_get(0).expect("a number")
}

#[tokio::test]
async fn durability_decides_when_sqlite_syncs() {
    for (durability, expected) in [(Durability::Process, 1), (Durability::Disk, 2)] {
        let set = |config: &mut Config| config.data.durability = durability;
        let app = TestApp::with(&TestDatabase::Sqlite, set).await;
        // On every connection of the pool, not only on the first.
        let first = app.state.db.acquire().await.expect("a connection is free");
        assert_eq!(synchronous(&app).await, expected, "{durability:?}");
        drop(first);
        app.enrol("acme").await;
    }
}

#[tokio::test]
async fn postgres_syncs_as_it_is_set_up_itself() {
    for database in databases().await.into_iter().filter(|database| matches!(database, TestDatabase::Postgres(_))) {
        for durability in [Durability::Process, Durability::Disk] {
            let set = |config: &mut Config| {
                config.data.durability = durability;
                config.data.server_key = Some("5a".repeat(32));
            };
            let app = TestApp::with(&database, set).await;
            let row = sqlx::query("SHOW synchronous_commit").fetch_one(&*app.state.db).await.expect("it answers");
            assert_eq!(row.try_get::<String, _>(0).expect("a word"), "on", "{durability:?}");
        }
    }
}

#[tokio::test]
async fn a_manifest_may_ask_for_what_the_operator_allows() {
    for database in databases().await {
        let strict = |config: &mut Config| {
            config.sandbox.max_fuel = 1_000_000;
            config.sandbox.max_memory_mib = 16;
            config.sandbox.max_wall_ms = 1_000;
            config.sandbox.max_output_kib = 8;
        };
        let app = TestApp::with(&database, strict).await;
        let author = app.enrol("acme").await;
        let echo = Publication::echo("acme", "echo", "1.0.0");
        // Nothing said is the default, which is more than this.
        let refused = publish(&app, &author, &echo.clone().signed(&author.key)).await;
        let limits = ["fuel", "memory_mib", "wall_ms", "output_kib"].map(|name| format!("/manifest/limits/{name}"));
        assert_eq!(refused.pointers("manifest_invalid"), limits);
        assert!(refused.text().contains("at most 1000000"), "{}", refused.text());
        assert_eq!(stored_artifacts(&app), 0);

        let limits = "[limits]\nfuel = 1000000\nmemory_mib = 16\nwall_ms = 1000\noutput_kib = 8\n\n[[endpoints]]\nname";
        let modest = echo.edit("[[endpoints]]\nname", limits).signed(&author.key);
        publish(&app, &author, &modest).await.json(201);
        let body = json!({"endpoint": "echo", "payload": {"text": "hello"}});
        app.post_as(author.api_key(), "/skills/acme.echo/execute", &body).await.json(200);
    }
}

#[tokio::test]
async fn keys_start_with_the_caps_that_the_operator_set() {
    for database in databases().await {
        let set = |config: &mut Config| {
            config.limits.default_daily_cap_sol = 7;
            config.limits.default_daily_cap_usdc = 0;
        };
        let app = TestApp::with(&database, set).await;
        let agent = app.enrol("acme").await;
        let keys = app.get_as(agent.token(), "/agents/me/keys").await.json(200);
        assert_eq!(keys["items"][0]["daily_caps"], json!({"SOL": "7", "USDC": "0"}));
    }
}

#[test]
fn a_setting_out_of_its_range_is_refused_by_name() {
    for (flag, value) in [
        ("--max-fuel", "999"),
        ("--max-wall-ms", "30001"),
        ("--sandbox-slots", "0"),
        ("--compiled-cache-mib", "0"),
        ("--database-connections", "1"),
        ("--default-daily-cap-sol", "9223372036854775808"),
        ("--durability", "none"),
    ] {
        let refused = Command::new(server_program()).args(["serve", flag, value]).output().expect("it can be started");
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && words.contains(flag) && words.contains(value), "{words}");
    }
}
