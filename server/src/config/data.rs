//! Where the server keeps its data, and the key it encrypts answers with.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::storage::secret_file;

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
    /// Connections in the pool, at most.
    #[arg(long, env = "CLAWOS_DATABASE_CONNECTIONS", default_value_t = 10)]
    pub database_connections: u32,
    /// What an answered call survives.
    #[arg(long, env = "CLAWOS_DURABILITY", value_enum, default_value_t = Durability::Process)]
    pub durability: Durability,
    /// 64 hex digits: the key that stored answers are encrypted with. Several servers on one database must share it.
    /// Default: `server.key` in the data folder, made on the first start.
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

/// The server key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerKeyError {
    /// The file cannot be read or made.
    #[error("cannot read or make {path}: {source}")]
    Io {
        /// The key file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a key.
    #[error("{from} must hold 64 hex digits; make one with `openssl rand -hex 32`")]
    Malformed {
        /// Where the bad value came from.
        from: String,
    },
}

impl DataConfig {
    /// The database URL, with the default filled in.
    pub fn database_url(&self) -> String {
        match &self.database_url {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", self.data.join("clawos.db").display()),
        }
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

    /// The key for stored answers: from the configuration, else from `server.key`, which is made (0600) when absent.
    pub fn load_server_key(&self) -> Result<[u8; 32], ServerKeyError> {
        if let Some(text) = &self.server_key {
            return parse(text).ok_or_else(|| ServerKeyError::Malformed { from: "CLAWOS_SERVER_KEY".to_owned() });
        }
        let path = self.data.join("server.key");
        let io = |source| ServerKeyError::Io { path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(text) => parse(&text).ok_or_else(|| ServerKeyError::Malformed { from: path.display().to_string() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0_u8; 32];
                getrandom::fill(&mut key).map_err(|error| io(error.into()))?;
                secret_file::create(&path, hex::encode(key).as_bytes()).map_err(io)?;
                Ok(key)
            }
            Err(error) => Err(io(error)),
        }
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    hex::decode(text.trim()).ok()?.try_into().ok()
}
