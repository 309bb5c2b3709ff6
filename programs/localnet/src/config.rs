//! The settings of a localnet: what the command line takes and what a test passes.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Shortest slot accepted, in milliseconds: below it the clock's upkeep would outweigh the work.
pub const MIN_SLOT_MS: u64 = 10;
/// Longest slot accepted, in milliseconds.
pub const MAX_SLOT_MS: u64 = 60_000;

/// Longest finality lag, in slots: a blockhash read as finalized must be good for some slots yet.
pub const MAX_FINALIZE_SLOTS: u64 = 100;
/// Most transactions that may be dropped, in percent: sending again must help.
pub const MAX_DROP_PERCENT: u8 = 90;

/// What a cluster does to its clients: finality lags, sent transactions get lost, others pay priority fees, and what is old
/// is forgotten. Without `cluster` the other fields count for nothing, and what is answered is final.
#[derive(Clone, Debug, clap::Args)]
pub struct ClusterConfig {
    /// Behave like a cluster: finality lags, sent transactions get lost, old statuses are forgotten.
    #[arg(long)]
    pub cluster: bool,
    /// Slots until a transaction is confirmed (with --cluster).
    #[arg(long, value_name = "SLOTS", requires = "cluster", default_value_t = 2)]
    pub confirm_slots: u64,
    /// Slots until a transaction is finalized, at most 100 (with --cluster).
    #[arg(long, value_name = "SLOTS", requires = "cluster", default_value_t = 32)]
    pub finalize_slots: u64,
    /// Percentage of sent transactions that are accepted and never run, at most 90 (with --cluster).
    #[arg(long, value_name = "PERCENT", requires = "cluster", default_value_t = 10)]
    pub drop_percent: u8,
    /// Which of them: the same seed drops the same ones of a sequence (with --cluster).
    #[arg(long, value_name = "SEED", requires = "cluster", default_value_t = 0)]
    pub drop_seed: u64,
    /// Price per compute unit that others pay, in micro-lamports (with --cluster).
    #[arg(long, value_name = "MICRO-LAMPORTS", requires = "cluster", default_value_t = 1_000)]
    pub unit_price: u64,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self { cluster: false, confirm_slots: 2, finalize_slots: 32, drop_percent: 10, drop_seed: 0, unit_price: 1_000 }
    }
}

impl ClusterConfig {
    fn check(&self) -> Result<()> {
        if self.finalize_slots > MAX_FINALIZE_SLOTS || self.confirm_slots > self.finalize_slots {
            return Err(Error::Config(format!(
                "--confirm-slots {} and --finalize-slots {} are not in order and at most {MAX_FINALIZE_SLOTS}",
                self.confirm_slots, self.finalize_slots
            )));
        }
        if self.drop_percent > MAX_DROP_PERCENT {
            return Err(Error::Config(format!("--drop-percent {} is above {MAX_DROP_PERCENT}", self.drop_percent)));
        }
        Ok(())
    }
}

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
    /// How far it behaves like a cluster.
    #[command(flatten)]
    pub cluster: ClusterConfig,
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
            cluster: ClusterConfig::default(),
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
        self.cluster.check()?;
        if self.port == u16::MAX {
            return Err(Error::Config("--port 65535 leaves no port for the websocket: choose one up to 65534".into()));
        }
        Ok(())
    }
}
