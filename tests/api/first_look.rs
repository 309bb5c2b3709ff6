//! What a server looks at before it serves: its keys, its network, its artifacts.

use std::path::Path;
use std::sync::Arc;

use clawos_base::SystemClock;
use clawos_config::Config;
use clawos_server::Server;
use clawos_tests::app::{TestApp, TestDatabase, databases};
use clawos_tests::chain;
use clawos_tests::publication::Publication;

use crate::publish::publish;

/// A server on the shared chain with its data in `folder`.
fn config(folder: &Path) -> Config {
    let mut config = Config::for_testing(folder);
    config.chain.rpc_url = chain::shared().rpc_url();
    config
}

/// Why it does not start.
async fn refusal(config: Config) -> String {
    match Server::open(config, Arc::new(SystemClock)).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_meter_key_that_is_gone_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    drop(Server::open(config(folder.path()), Arc::new(SystemClock)).await.unwrap());
    let meter = folder.path().join("meter.json");
    let kept = std::fs::read(&meter).expect("it is made on the first start with a local chain");
    std::fs::remove_file(&meter).unwrap();
    let words = refusal(config(folder.path())).await;
    assert!(words.contains("meter.json is gone") && words.contains("--meter-key"), "{words}");
    assert!(!meter.exists());
    // The file under another name is as good.
    let elsewhere = folder.path().join("kept.json");
    std::fs::write(&elsewhere, kept).unwrap();
    std::fs::set_permissions(&elsewhere, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut named = config(folder.path());
    named.chain.meter_key = Some(elsewhere);
    drop(Server::open(named, Arc::new(SystemClock)).await.unwrap());
}

#[tokio::test]
async fn no_meter_key_is_made_for_a_network_that_others_use() {
    let folder = tempfile::tempdir().unwrap();
    let mut public = config(folder.path());
    public.chain.rpc_url = "https://rpc.invalid/?api-key=secret".to_owned();
    let words = refusal(public).await;
    assert!(words.contains("there is no meter key") && words.contains("solana-keygen new"), "{words}");
    assert!(!folder.path().join("meter.json").exists() && !words.contains("secret"));
}

#[tokio::test]
async fn a_database_of_another_network_is_refused() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let statement = "UPDATE networks SET genesis = 'GH7ome3EiwEr7tu9JuTh2dpYWBJK3z69Xm1ZE3MEE6JC'";
        sqlx::Executor::execute(&*app.state.db, statement).await.unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let mut again = config(elsewhere.path());
        match &database {
            TestDatabase::Postgres(url) => again.data.database_url = Some(url.clone()),
            // A copy, since the file itself is the first server's.
            TestDatabase::Sqlite => {
                app.state.db.close().await;
                std::fs::copy(app.folder().join("clawos.db"), elsewhere.path().join("clawos.db")).map(drop).unwrap();
            }
        }
        std::fs::copy(app.folder().join("server.key"), elsewhere.path().join("server.key")).unwrap();
        let words = refusal(again).await;
        assert!(words.contains("this database belongs to GH7ome3EiwEr7tu9"), "{words}");
    }
}

#[tokio::test]
async fn a_folder_without_the_databases_modules_is_refused() {
    for database in databases().await {
        let shared = |config: &mut Config| config.data.server_key = Some("5a".repeat(32));
        let app = TestApp::with(&database, shared).await;
        let author = app.enrol("acme").await;
        publish(&app, &author, &Publication::echo("acme", "echo", "1.0.0").signed(&author.key)).await.json(201);
        let elsewhere = tempfile::tempdir().unwrap();
        let mut second = config(elsewhere.path());
        shared(&mut second);
        match &database {
            TestDatabase::Postgres(url) => second.data.database_url = Some(url.clone()),
            TestDatabase::Sqlite => {
                app.state.db.close().await;
                std::fs::copy(app.folder().join("clawos.db"), elsewhere.path().join("clawos.db")).map(drop).unwrap();
            }
        }
        let words = refusal(second.clone()).await;
        assert!(words.contains("acme.echo@1.0.0") && words.contains("--artifacts"), "{words}");
        second.data.artifacts = Some(app.folder().join("artifacts"));
        drop(Server::open(second, Arc::new(SystemClock)).await.unwrap());
    }
}
