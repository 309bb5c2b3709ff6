//! How fast callers may go and how much they may send.

/// Rate limits, and what keys may spend and skills may give away.
#[derive(Clone, Debug, clap::Args)]
pub struct LimitsConfig {
    /// Requests a minute of one API key or session; 0 turns the limit off.
    #[arg(long, env = "CLAWOS_RATE_PER_MINUTE", default_value_t = 6_000)]
    pub rate_per_minute: u32,
    /// Requests a minute of one address without credentials; 0 turns the limit off.
    #[arg(long, env = "CLAWOS_ANONYMOUS_RATE_PER_MINUTE", default_value_t = 600)]
    pub anonymous_rate_per_minute: u32,
    /// What a new API key may spend a day in SOL when no cap is asked for (lamports, at most 2^63 - 1).
    #[arg(long, env = "CLAWOS_DEFAULT_DAILY_CAP_SOL", default_value_t = 50_000_000, value_parser = amount())]
    pub default_daily_cap_sol: u64,
    /// What a new API key may spend a day in USDC when no cap is asked for (10^-6 USDC, at most 2^63 - 1).
    #[arg(long, env = "CLAWOS_DEFAULT_DAILY_CAP_USDC", default_value_t = 10_000_000, value_parser = amount())]
    pub default_daily_cap_usdc: u64,
    /// Free calls of one skill a UTC day that its price list offers to others, and as many that its publisher makes.
    #[arg(long, env = "CLAWOS_FREE_CALLS_PER_DAY", default_value_t = 10_000)]
    pub free_calls_per_day: u64,
}

/// An amount that a database can hold.
fn amount() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(..=i64::MAX.unsigned_abs())
}
