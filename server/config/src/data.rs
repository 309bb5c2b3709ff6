//! Where the server keeps its data.

use std::fmt;
use std::path::PathBuf;

/// What an answered call survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Durability {
    /// Kill -9 of any process (SQLite: WAL, synchronous NORMAL).
    Process,
    /// Loss of power (SQLite: synchronous FULL; Postgres' own).
    Disk,
}

/// Folder, database and secrets.
#[derive(Clone, clap::Args)]
pub struct DataConfig {
    /// Folder for the database, artifacts and keys; made when absent.
    #[arg(long, env = "CLAWOS_DATA", default_value = "clawos-data")]
    pub data: PathBuf,
    /// `sqlite:PATH` or `postgres://…`. Default: `clawos.db` in the data folder.
    #[arg(long, env = "CLAWOS_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Folder of the published modules. Several servers on one database must share it. Default: `artifacts` in the data
    /// folder.
    #[arg(long, env = "CLAWOS_ARTIFACTS")]
    pub artifacts: Option<PathBuf>,
    /// Connections in the pool, at most (2 to 1,000).
    #[arg(long, env = "CLAWOS_DATABASE_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub database_connections: u32,
    /// What an answered call survives.
    #[arg(long, env = "CLAWOS_DURABILITY", value_enum, default_value_t = Durability::Process)]
    pub durability: Durability,
    /// 64 hex digits: the key that stored answers are encrypted with. Several servers on one database must share it.
    /// Default: `server.key` in the data folder (mode 0600), made on the first start.
    #[arg(long, env = "CLAWOS_SERVER_KEY", hide_env_values = true)]
    pub server_key: Option<String>,
}

impl fmt::Debug for DataConfig {
    /// Without the URL, which may hold a password, and without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, durability, .. } = self;
        f.debug_struct("DataConfig").field("data", data).field("durability", durability).finish_non_exhaustive()
    }
}

impl DataConfig {
    /// The database URL, with the default filled in.
    pub fn database_url(&self) -> String {
        match &self.database_url {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", self.data.join("clawos.db").display()),
        }
    }

    /// The database without user and password: for logs.
    pub fn database_shown(&self) -> String {
        let url = self.database_url();
        if url.starts_with("sqlite:") {
            return url;
        }
        let Ok(url) = url::Url::parse(&url) else { return "no URL".to_owned() };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
    }

    /// Where the published modules are.
    pub fn artifacts(&self) -> PathBuf {
        self.artifacts.clone().unwrap_or_else(|| self.data.join("artifacts"))
    }

    /// The SQLite file, when it is one; `None` for Postgres and for a database in memory.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let url = self.database_url();
        let path = url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default();
        (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
    }
}
