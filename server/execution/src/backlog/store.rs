//! SQL of what is not settled.

use std::collections::BTreeMap;

use clawos_base::database::columns::{optional_uint, uint};
use clawos_interface::Currency;
use sqlx::{AnyPool, Row};

use crate::settle::Halt;

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
                    CASE WHEN stopped = $1 THEN 1 ELSE 0 END AS unknown
             FROM usage_accounts WHERE pending_count > 0
             UNION ALL
             SELECT count, units, CASE WHEN amount > 0 THEN formed_at END, 0
             FROM batches WHERE status IN ('pending', 'submitted')
         ) AS unsettled",
    )
    .bind(Halt::UnknownBatch.code())
    .fetch_one(pool)
    .await?;
    Ok(Counted {
        receipts: uint(&row, 0)?,
        units: uint(&row, 1)?,
        oldest: optional_uint(&row, 2)?,
        unknown_licences: uint(&row, 3)?,
    })
}

/// The amounts over all accounts, in base units of each currency; 0 where there is none.
pub(super) async fn amounts(pool: &AnyPool) -> Result<BTreeMap<Currency, u64>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT currency, CAST(SUM(amount) AS BIGINT) FROM (
             SELECT currency, pending_amount AS amount FROM usage_accounts WHERE pending_count > 0
             UNION ALL
             SELECT u.currency, b.amount FROM batches b
             JOIN usage_accounts u ON u.licence = b.licence AND u.opened_slot = b.opened_slot
             WHERE b.status IN ('pending', 'submitted')
         ) AS unsettled GROUP BY currency",
    )
    .fetch_all(pool)
    .await?;
    let mut amounts: BTreeMap<Currency, u64> = Currency::ALL.iter().map(|currency| (*currency, 0)).collect();
    for row in &rows {
        // Without a price there is no amount either.
        if let Some(currency) = Currency::from_name(row.try_get(0)?) {
            amounts.insert(currency, uint(row, 1)?);
        }
    }
    Ok(amounts)
}
