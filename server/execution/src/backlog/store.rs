//! SQL of what is not settled.

use clawos_base::database::columns::{optional_uint, uint};
use sqlx::AnyPool;

use crate::settle::UNKNOWN_BATCH;

/// Sums over all accounts.
pub(super) struct Counted {
    pub receipts: u64,
    pub units: u64,
    /// When the oldest charge was issued, or its batch formed (Unix milliseconds).
    pub oldest: Option<u64>,
    pub unknown_licences: u64,
}

pub(super) async fn count(pool: &AnyPool) -> Result<Counted, sqlx::Error> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(receipts), 0) AS BIGINT), CAST(COALESCE(SUM(units), 0) AS BIGINT), MIN(since),
                CAST(COALESCE(SUM(unknown), 0) AS BIGINT)
         FROM (
             SELECT pending_count AS receipts, pending_units AS units,
                    CASE WHEN priced <> 0 THEN pending_since END AS since,
                    CASE WHEN problem = $1 THEN 1 ELSE 0 END AS unknown
             FROM usage_accounts WHERE pending_count > 0
             UNION ALL
             SELECT count, units, CASE WHEN amount > 0 THEN formed_at END, 0
             FROM batches WHERE status IN ('pending', 'submitted')
         ) AS unsettled",
    )
    .bind(UNKNOWN_BATCH)
    .fetch_one(pool)
    .await?;
    Ok(Counted {
        receipts: uint(&row, 0)?,
        units: uint(&row, 1)?,
        oldest: optional_uint(&row, 2)?,
        unknown_licences: uint(&row, 3)?,
    })
}
