//! The program itself: start, one data folder for one server, an orderly end.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clawos_base::{Database, SystemClock};
use clawos_config::Config;
use clawos_server::Server;
use clawos_tests::app::{TestApp, TestDatabase, databases, server_program};
use rustix::process::{Pid, Signal, kill_process};

fn serve(data: &Path) -> Child {
    Command::new(server_program())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--operations-listen",
            "127.0.0.1:0",
            "--rpc-url",
            &clawos_tests::chain::shared().rpc_url(),
            "--data",
        ])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server's program starts")
}

/// The address it prints when it answers.
fn ready(server: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("listening on ").nth(1).unwrap_or_else(|| panic!("it said: {line}"));
    address.trim().trim_end_matches(')').to_owned()
}

fn wait(server: &mut Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = server.try_wait().unwrap() {
            return status;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "the server does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn two_servers_on_one_file_are_refused_and_a_signal_ends_the_first() {
    for signal in [Signal::TERM, Signal::INT] {
        let data = tempfile::tempdir().unwrap();
        let mut first = serve(data.path());
        ready(&mut first);
        let second = serve(data.path()).wait_with_output().unwrap();
        assert!(!second.status.success());
        let message = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(message.contains("another clawos-server is using"), "{message}");
        kill_process(Pid::from_child(&first), signal).unwrap();
        assert!(wait(&mut first).success());
        // The lock went with the process.
        let mut third = serve(data.path());
        ready(&mut third);
        third.kill().unwrap();
        wait(&mut third);
        let mut fourth = serve(data.path());
        ready(&mut fourth);
        fourth.kill().unwrap();
        wait(&mut fourth);
    }
}

#[tokio::test]
async fn the_same_is_refused_inside_one_process() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let config = Config::for_testing(app.folder());
    let Err(error) = Server::open(config, Arc::new(SystemClock)).await.map(drop) else { panic!("it started") };
    assert!(error.to_string().contains("another clawos-server is using"), "{error}");

    // From another data folder too.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut config = Config::for_testing(elsewhere.path());
    config.data.database_url = Some(format!("sqlite:{}", app.folder().join("clawos.db").display()));
    let Err(error) = Server::open(config, Arc::new(SystemClock)).await.map(drop) else { panic!("it started") };
    assert!(error.to_string().contains("another clawos-server is using"), "{error}");
}

#[tokio::test]
async fn a_server_with_another_key_than_its_databases_does_not_start() {
    for database in databases().await {
        let first = TestApp::start(&database).await;
        let elsewhere = tempfile::tempdir().unwrap();
        let mut config = Config::for_testing(elsewhere.path());
        match &database {
            TestDatabase::Postgres(url) => config.data.database_url = Some(url.clone()),
            // A copy, since the file itself is the first server's.
            TestDatabase::Sqlite => {
                first.state.db.close().await;
                std::fs::copy(first.folder().join("clawos.db"), elsewhere.path().join("clawos.db")).map(drop).unwrap();
            }
        }
        let Err(error) = Server::open(config.clone(), Arc::new(SystemClock)).await.map(drop) else {
            panic!("it started")
        };
        assert!(error.to_string().contains("copy server.key"), "{error}");
        std::fs::copy(first.folder().join("server.key"), elsewhere.path().join("server.key")).unwrap();
        Server::open(config, Arc::new(SystemClock)).await.map(drop).unwrap();
    }
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = |change: fn(&mut Config)| {
        let mut config = Config::for_testing(folder.path());
        change(&mut config);
        async move { Server::open(config, Arc::new(SystemClock)).await.map(drop).unwrap_err().to_string() }
    };
    let database = open(|config| config.data.database_url = Some("mysql://x/y".to_owned())).await;
    assert!(database.contains("sqlite: or postgres:"), "{database}");
    let key = open(|config| config.data.server_key = Some("abc".to_owned())).await;
    assert!(key.contains("64 hex digits"), "{key}");
    let secret = folder.path().join("server.key");
    let mode = std::fs::metadata(&secret).map(|file| file.permissions().mode() & 0o777);
    assert_eq!(mode.expect("it was made"), 0o600);
    std::fs::set_permissions(&secret, Permissions::from_mode(0o640)).unwrap();
    let exposed = open(|_| {}).await;
    assert!(exposed.contains("server.key can be read by others; run `chmod 600"), "{exposed}");
}

#[tokio::test]
async fn a_database_of_another_version_is_refused_with_what_to_do() {
    for database in databases().await {
        let first = TestApp::start(&database).await;
        sqlx::query("UPDATE _sqlx_migrations SET checksum = $1 WHERE version = 1")
            .bind(vec![0_u8; 48])
            .execute(&*first.state.db)
            .await
            .unwrap();
        let error = Database::open(&first.config.data).await.map(drop).unwrap_err();
        assert!(error.to_string().contains("made by another version"), "{error}");
    }
}
