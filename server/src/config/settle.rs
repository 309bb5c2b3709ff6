//! When receipts are anchored and usage is settled.

/// How often accounts that are not due yet are looked at for a pending exit (milliseconds).
pub(crate) const EXIT_CHECK_MS: i64 = 15_000;
/// How long a licence is left alone after a problem that may pass (milliseconds).
pub(crate) const RETRY_MS: i64 = 15_000;
/// How long a transaction may still land after it was signed (seconds): 150 blocks of 0.4 s, and some skipped slots.
const BLOCKHASH_SECS: u64 = 75;
/// How long it takes to record as many units as one batch may carry (seconds): two batches, since receipts cannot be
/// divided and a batch may be little more than half full. Each takes a few seconds, or more when a transaction is lost.
const FULL_BATCH_SECS: u64 = 30;

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

impl SettleConfig {
    /// How long usage may take from its receipt until it is recorded, one retry included (seconds).
    pub(crate) fn longest_secs(&self) -> u64 {
        let pauses = (EXIT_CHECK_MS + RETRY_MS).unsigned_abs();
        self.settle_max_age_ms.saturating_add(pauses).div_ceil(1_000).saturating_add(BLOCKHASH_SECS)
    }

    /// Full batches of one licence that are surely recorded before its buyer can take the credit back, when the
    /// marketplace's settle delay leaves `spare_secs` more than this server needs at least.
    pub(crate) fn full_batches(&self, spare_secs: u64) -> u64 {
        (self.longest_secs().saturating_add(spare_secs) / FULL_BATCH_SECS).max(1)
    }
}
