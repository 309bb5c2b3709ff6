//! How fast callers may go and how much they may send.

/// Rate limits and time limits of HTTP.
#[derive(Clone, Debug, clap::Args)]
pub struct LimitsConfig {
    /// Requests a minute of one API key or session; 0 turns the limit off.
    #[arg(long, env = "CLAWOS_RATE_PER_MINUTE", default_value_t = 6_000)]
    pub rate_per_minute: u32,
    /// Requests a minute of one address without credentials; 0 turns the limit off.
    #[arg(long, env = "CLAWOS_ANONYMOUS_RATE_PER_MINUTE", default_value_t = 600)]
    pub anonymous_rate_per_minute: u32,
    /// Daily spending cap that a new API key gets when none is asked for (USDC base units, 10^-6 USDC).
    #[arg(long, env = "CLAWOS_DEFAULT_DAILY_CAP", default_value_t = 10_000_000)]
    pub default_daily_cap: u64,
}
