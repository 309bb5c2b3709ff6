//! Configuration: one small clap + environment struct per concern. The only place of the server that reads the environment;
//! every domain takes the structs it needs.

mod chain;
mod data;
mod limits;
mod listen;
mod sandbox;
mod settle;

pub use chain::ChainConfig;
pub use data::{DataConfig, Durability};
pub use limits::LimitsConfig;
pub use listen::ListenConfig;
pub use sandbox::SandboxConfig;
pub use settle::SettleConfig;

use std::net::Ipv4Addr;
use std::path::Path;

use clap::Parser;

/// Everything `clawos-server serve` can be told, by flag or by environment.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Where it listens and what it calls itself.
    #[command(flatten)]
    pub listen: ListenConfig,
    /// Where its data is.
    #[command(flatten)]
    pub data: DataConfig,
    /// Which chain it reads and which keys it signs with.
    #[command(flatten)]
    pub chain: ChainConfig,
    /// When usage is anchored and settled.
    #[command(flatten)]
    pub settle: SettleConfig,
    /// How fast a caller may go.
    #[command(flatten)]
    pub limits: LimitsConfig,
    /// How modules run.
    #[command(flatten)]
    pub sandbox: SandboxConfig,
    /// A failpoint at which the process ends (`clawos_base::failpoint`): for tests of what survives.
    #[arg(long, value_name = "NAME", hide = true)]
    pub end_at: Option<String>,
}

/// An address of this machine at which nobody listens: the port of a service that is long out of use.
const NOBODY: &str = "http://127.0.0.1:9";

/// The defaults of every flag, parsed the way the command line is.
#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    config: Config,
}

impl Config {
    /// The defaults, with all data under `data`, no chain, and limits that a test does not run into. A database that the
    /// environment names is not a test's to write to, nor is a chain at the usual port a test's to belong to.
    pub fn for_testing(data: &Path) -> Config {
        let mut config = Defaults::parse_from(["clawos-server"]).config;
        config.data.data = data.to_path_buf();
        config.data.database_url = None;
        config.chain.rpc_url = NOBODY.to_owned();
        config.listen.listen = (Ipv4Addr::LOCALHOST, 0).into();
        config.listen.operations_listen = (Ipv4Addr::LOCALHOST, 0).into();
        config.limits.rate_per_minute = 1_000_000;
        config.limits.anonymous_rate_per_minute = 1_000_000;
        config
    }
}
