//! When receipts are anchored and usage is settled.

/// Batch limits: a batch is sent when it reaches the first of them.
#[derive(Clone, Debug, clap::Args)]
pub struct SettleConfig {
    /// Oldest unsettled charge, in milliseconds, before its licence is settled.
    #[arg(long, env = "CLAWOS_SETTLE_MAX_AGE_MS", default_value_t = 60_000)]
    pub settle_max_age_ms: u64,
    /// Unsettled receipts of one licence before it is settled.
    #[arg(long, env = "CLAWOS_SETTLE_MAX_COUNT", default_value_t = 1_000)]
    pub settle_max_count: u64,
    /// Unsettled amount of one licence (USDC base units) before it is settled.
    #[arg(long, env = "CLAWOS_SETTLE_MAX_AMOUNT", default_value_t = 5_000_000)]
    pub settle_max_amount: u64,
    /// Oldest unanchored receipt without a charge, in milliseconds, before it is anchored all the same.
    #[arg(long, env = "CLAWOS_ANCHOR_MAX_AGE_MS", default_value_t = 86_400_000)]
    pub anchor_max_age_ms: u64,
}
