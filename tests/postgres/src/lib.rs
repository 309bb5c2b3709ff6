//! A PostgreSQL cluster of one's own for each test process: own folder, own port, gone afterwards.
//!
//! Nothing is installed. Where PostgreSQL is not there, its tests are skipped with a line that says so; with `CI=true`
//! they fail. A crate of its own, so that a domain's unit tests need not build the rest of the test helpers.

pub mod scratch;

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

/// Where Debian keeps the server's programs, one folder per major version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// How often to ask whether the cluster answers, 100 ms apart.
const ATTEMPTS: u32 = 300;

struct Cluster {
    port: u16,
    databases: AtomicU32,
}

/// The URL of a new, empty database; `None` where PostgreSQL is not installed.
///
/// # Panics
/// When the cluster does not start, and with `CI=true` when PostgreSQL is not installed.
pub async fn database() -> Option<String> {
    static CLUSTER: OnceCell<Option<Cluster>> = OnceCell::const_new();
    let cluster = CLUSTER.get_or_init(start).await.as_ref()?;
    let name = format!("test_{}", cluster.databases.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&url(cluster.port, "postgres")).await.expect("the cluster answers");
    let statement = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    connection.execute(statement).await.expect("a database can be made");
    Some(url(cluster.port, &name))
}

fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}")
}

/// The programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let version = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let newest = std::fs::read_dir(VERSIONS).ok()?.flatten().filter_map(version).max()?;
    let programs = Path::new(VERSIONS).join(newest.to_string()).join("bin");
    programs.join("initdb").exists().then_some(programs)
}

async fn start() -> Option<Cluster> {
    let Some(programs) = programs() else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI needs PostgreSQL: apt-get install postgresql");
        eprintln!("SKIPPED on Postgres: no server under {VERSIONS} (apt-get install postgresql)");
        return None;
    };
    let folder = scratch::new_folder("postgres");
    let user = postgres_user();
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).expect("root can give a folder away");
    }
    let data = folder.join("data");
    let made = as_user(Command::new(programs.join("initdb")), user)
        .args(["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
        .arg(&data)
        .output()
        .expect("initdb can be started");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let port = free_port();
    // Nothing here has to survive a power cut.
    let settings = ["fsync=off", "full_page_writes=off", "max_connections=300", "unix_socket_directories="];
    let mut arguments = vec!["-D".to_owned(), data.display().to_string(), "-p".to_owned(), port.to_string()];
    arguments.extend(["-h".to_owned(), "127.0.0.1".to_owned()]);
    arguments.extend(settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]));
    scratch::program(as_user(Command::new("sh"), user), &programs.join("postgres"), &arguments, &folder);
    wait_for(port, &folder.join("log")).await;
    Some(Cluster { port, databases: AtomicU32::new(0) })
}

async fn wait_for(port: u16, log: &PathBuf) {
    for _ in 0..ATTEMPTS {
        if PgConnection::connect(&url(port, "postgres")).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("PostgreSQL does not start: {}", std::fs::read_to_string(log).unwrap_or_default());
}

/// PostgreSQL refuses to run as root; then it runs as its own user.
fn postgres_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("Debian's package makes this user");
    let mut fields = line.split(':').skip(2).map(|id| id.parse().expect("ids are numbers"));
    Some((fields.next().expect("a user id"), fields.next().expect("a group id")))
}

fn as_user(mut command: Command, user: Option<(u32, u32)>) -> Command {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid).current_dir("/");
    }
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("a bound socket has an address").port()
}
