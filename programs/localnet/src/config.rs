//! The settings of a localnet: what the command line takes and what a test passes.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Shortest slot accepted, in milliseconds: below it the clock's upkeep would outweigh the work.
pub const MIN_SLOT_MS: u64 = 10;
/// Longest slot accepted, in milliseconds.
pub const MAX_SLOT_MS: u64 = 60_000;

/// Settings of one localnet.
#[derive(Clone, Debug, clap::Parser)]
#[command(
    name = "clawos-localnet",
    version,
    about = "A Solana JSON-RPC endpoint for development, with the ClawOS program and a USDC mint",
    long_about = "A Solana JSON-RPC endpoint for development: one process, no consensus, no security. \
                  It runs the ClawOS program's real binary, hands out SOL and USDC for the asking, \
                  and keeps its ledger in a folder. Websocket on the next port."
)]
pub struct LocalnetConfig {
    /// Folder of the ledger and the keys; created when absent.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Port of JSON-RPC over HTTP; the websocket is on the next one. 0 takes a free pair.
    #[arg(long, default_value_t = 8899)]
    pub port: u16,
    /// Loopback address to listen on.
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// A program file (.so) to run instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Length of a slot in milliseconds (10 to 60,000).
    #[arg(long, value_name = "MS", default_value_t = 400)]
    pub slot_ms: u64,
    /// Wait for the disk after each transaction: survives a power cut, not only a kill.
    #[arg(long)]
    pub fsync: bool,
    /// Stop when the parent process, which must have this process id, ends.
    #[arg(long, hide = true, value_name = "PID")]
    pub exit_with_parent: Option<i32>,
}

impl LocalnetConfig {
    /// The defaults for a folder: port 8899, the built-in program, 400 ms slots.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            port: 8899,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            program: None,
            slot_ms: 400,
            fsync: false,
            exit_with_parent: None,
        }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Config`] names the setting and its range.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.bind.is_loopback() {
            return Err(Error::Config(format!(
                "--bind {} is not a loopback address: localnet is for development, has no security and listens on this machine only (127.0.0.1 or ::1)",
                self.bind
            )));
        }
        if !(MIN_SLOT_MS..=MAX_SLOT_MS).contains(&self.slot_ms) {
            return Err(Error::Config(format!("--slot-ms {} is outside {MIN_SLOT_MS}..={MAX_SLOT_MS}", self.slot_ms)));
        }
        if self.port == u16::MAX {
            return Err(Error::Config("--port 65535 leaves no port for the websocket: choose one up to 65534".into()));
        }
        Ok(())
    }
}
