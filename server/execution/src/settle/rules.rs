//! How long settlement may take, which follows from how it is done and from what is configured. Pure.

use clawos_config::SettleConfig;

/// How often accounts that are not due yet are looked at for a pending exit (milliseconds).
pub(super) const EXIT_CHECK_MS: i64 = 15_000;
/// How long a licence is left alone after a problem that may pass (milliseconds).
pub(super) const RETRY_MS: i64 = 15_000;
/// How long a transaction may still land after it was signed (seconds): 150 blocks of 0.4 s, and some skipped slots.
const BLOCKHASH_SECS: u64 = 75;
/// How long it takes to record as many units as one batch may carry (seconds): two batches, since receipts cannot be
/// divided and a batch may be little more than half full. Each takes a few seconds, or more when a transaction is lost.
const FULL_BATCH_SECS: u64 = 30;

/// How long usage may take from its receipt until it is recorded, one retry included (seconds).
pub fn longest_settlement_secs(config: &SettleConfig) -> u64 {
    let pauses = (EXIT_CHECK_MS + RETRY_MS).unsigned_abs();
    config.settle_max_age_ms.saturating_add(pauses).div_ceil(1_000).saturating_add(BLOCKHASH_SECS)
}

/// Full batches of one licence that are surely recorded before its buyer can take the credit back, when the
/// marketplace's settle delay leaves `spare_secs` more than this server needs at least.
pub(crate) fn full_batches(config: &SettleConfig, spare_secs: u64) -> u64 {
    (longest_settlement_secs(config).saturating_add(spare_secs) / FULL_BATCH_SECS).max(1)
}
