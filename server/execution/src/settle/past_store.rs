//! SQL of batches that are on chain, to compare them with what is to be billed.

use clawos_base::database::columns::{hash, int, key_text, uint};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::batch::BatchContents;
use super::contents::MAX_BATCH;
use super::past::Anchored;
use crate::account::Account;

/// Batch `seq` of an account; none either when its row cannot be read, which is not what was anchored then.
pub(super) async fn anchored(pool: &AnyPool, account: &Account, seq: u64) -> Result<Option<Anchored>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT prev_root, count, units, amount, tree_root, anchored_root, chain_root, sealed_newest FROM batches
         WHERE licence = $1 AND opened_slot = $2 AND seq = $3",
    )
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .bind(int(seq))
    .fetch_optional(pool)
    .await?;
    let read = |row: AnyRow| {
        let contents = BatchContents {
            seq,
            prev_root: hash(&row, 0)?,
            count: uint(&row, 1)?,
            units: uint(&row, 2)?,
            amount: uint(&row, 3)?,
            tree_root: hash(&row, 4)?,
            anchored_root: hash(&row, 5)?,
            chain_root: hash(&row, 6)?,
        };
        Ok::<_, sqlx::Error>(Anchored { contents, sealed_newest: row.try_get(7)? })
    };
    Ok(row.and_then(|row| read(row).ok()))
}

/// The bodies of a batch's receipts; one more than a batch takes, at most.
pub(super) async fn bodies(pool: &AnyPool, account: &Account, seq: u64) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT body FROM receipts WHERE licence = $1 AND opened_slot = $2 AND settlement = 'batched' AND batch_seq = $3
         ORDER BY id LIMIT {}",
        MAX_BATCH + 1
    )))
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .bind(int(seq))
    .fetch_all(pool)
    .await
}
