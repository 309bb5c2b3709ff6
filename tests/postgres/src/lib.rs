//! A PostgreSQL cluster of one's own for each test process: own folder, own port, gone afterwards.
//!
//! Nothing is installed. Where PostgreSQL is not there, its tests are skipped as [`skip`] says; with `CI=true`
//! they fail. A crate of its own, so that a domain's unit tests need not build the rest of the test helpers.

pub mod scratch;

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clawos_test_skips::skip;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

/// Where Debian keeps the server's programs, one folder per major version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// How often to ask whether the cluster answers, or is gone.
const ATTEMPTS: u32 = 300;
/// Time between two of them.
const PAUSE: Duration = Duration::from_millis(100);

/// A running cluster.
struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    user: Option<(u32, u32)>,
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
    Some(cluster.new_database().await)
}

/// A cluster that one test has for itself, with one database, and may kill.
pub struct OwnCluster {
    cluster: Cluster,
    /// The URL of the database.
    pub url: String,
}

impl OwnCluster {
    /// Starts it; `None` where PostgreSQL is not installed.
    ///
    /// # Panics
    /// As [`database`].
    pub async fn start() -> Option<OwnCluster> {
        let cluster = start().await?;
        let url = cluster.new_database().await;
        Some(OwnCluster { cluster, url })
    }

    /// Kills it (`kill -9`), and waits until it is gone.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn kill(&self) {
        let pid = std::fs::read_to_string(self.cluster.data().join("postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::KILL).expect("it runs");
        for _ in 0..ATTEMPTS {
            if test_kill_process(pid).is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("a killed PostgreSQL goes on");
    }

    /// Starts it again on its data.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn run(&self) {
        self.cluster.run().await;
    }
}

impl Cluster {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    async fn new_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&url(self.port, "postgres")).await.expect("the cluster answers");
        let statement = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(statement).await.expect("a database can be made");
        url(self.port, &name)
    }

    /// Starts the server and waits until it answers. After a kill its first processes may end at once, since children of
    /// the killed one still hold the memory they shared.
    async fn run(&self) {
        // Nothing here has to survive a power cut.
        let settings = ["fsync=off", "full_page_writes=off", "max_connections=300", "unix_socket_directories="];
        let mut arguments = vec!["-D".to_owned(), self.data().display().to_string()];
        arguments.extend(["-p".to_owned(), self.port.to_string(), "-h".to_owned(), "127.0.0.1".to_owned()]);
        arguments.extend(settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]));
        let program = self.programs.join("postgres");
        for attempt in 0..ATTEMPTS {
            if attempt % 50 == 0 {
                scratch::program(as_user(Command::new("sh"), self.user), &program, &arguments, &self.folder);
            }
            if PgConnection::connect(&url(self.port, "postgres")).await.is_ok() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }
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
        skip("what runs on PostgreSQL", &format!("no server under {VERSIONS}: scripts/setup test"));
        return None;
    };
    let folder = scratch::new_folder("postgres");
    let user = postgres_user();
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).expect("root can give a folder away");
    }
    let cluster = Cluster { programs, folder, user, port: free_port(), databases: AtomicU32::new(0) };
    let made = as_user(Command::new(cluster.programs.join("initdb")), user)
        .args(["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
        .arg(cluster.data())
        .output()
        .expect("initdb can be started");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    cluster.run().await;
    Some(cluster)
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
