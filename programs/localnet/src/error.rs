//! Errors of opening, serving and recording a localnet.

use std::net::SocketAddr;
use std::path::PathBuf;

use solana_transaction::TransactionError;

/// Everything that can go wrong outside of a single RPC request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the data folder could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Another process serves this folder.
    #[error(
        "{data} is in use by another localnet (process {pid}): stop that one, or give this one a folder of its own with --data"
    )]
    Locked {
        /// The data folder that is locked.
        data: PathBuf,
        /// What the lock file says about its owner.
        pid: String,
    },
    /// The ledger has readable records behind an unreadable one, so it is not just a torn tail.
    #[error(
        "{path} is damaged at byte {offset}: records follow that would be lost. Restore the file from a backup, or delete the data folder to start over"
    )]
    Damaged {
        /// The journal or snapshot.
        path: PathBuf,
        /// Where the unreadable record starts.
        offset: u64,
    },
    /// The ledger was written by another version of this program.
    #[error("{path}: {problem}. Delete the data folder to start over")]
    Unreadable {
        /// The journal or snapshot.
        path: PathBuf,
        /// What does not match, such as its format version.
        problem: String,
    },
    /// A file in `keys/` is not a Solana keypair.
    #[error("{path}: not a Solana keypair file (a JSON array of 64 numbers): {problem}")]
    Key {
        /// Path of the key file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The program's bytes cannot be loaded.
    #[error("the program cannot be loaded: {0}. Give a Solana program (.so) with --program")]
    Program(String),
    /// A transaction of the first start failed.
    #[error("the genesis transaction `{what}` failed: {error}\n{logs}")]
    Genesis {
        /// What the transaction does, such as `create the treasury's USDC account`.
        what: &'static str,
        /// The runtime's error.
        error: TransactionError,
        /// The program's log, one entry per line.
        logs: String,
    },
    /// A setting is outside its range.
    #[error("{0}")]
    Config(String),
    /// Another process listens on the port.
    #[error("port {port} is in use: choose another with --port ({address}: {source})")]
    PortInUse {
        /// The port that is in use.
        port: u16,
        /// Address and port that were tried.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// A listener failed for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Address and port that were tried.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// For `map_err`: the file a system error belongs to.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// A result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;
