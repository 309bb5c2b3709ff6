//! How modules run.

use std::path::PathBuf;

/// Pool size and compiler of the WASM sandbox.
#[derive(Clone, Debug, clap::Args)]
pub struct SandboxConfig {
    /// Calls that run at the same time, at most; above it callers get 503 with `Retry-After`.
    #[arg(long, env = "CLAWOS_SANDBOX_SLOTS", default_value_t = 64)]
    pub sandbox_slots: u32,
    /// The program that compiles modules, called with `compile`. Default: this program.
    #[arg(long, env = "CLAWOS_COMPILER", hide = true)]
    pub compiler: Option<PathBuf>,
}
