//! SQL of stored receipts as settlement reads them, to check them: those in no batch, and those of one.

use clawos_base::database::columns::{int, key_text};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::contents::MAX_BATCH;
use super::signed_body::{Columns, StoredReceipt};
use crate::account::Account;

const STORED: &str = "SELECT id, buyer, seller, skill, units, amount, issued_at, leaf, body, evidence FROM receipts
     WHERE licence = $1 AND opened_slot = $2 AND ";

/// The account's receipts that are in no batch, oldest first; one more than a batch takes, at most.
pub(super) async fn pending(pool: &AnyPool, account: &Account) -> Result<Vec<StoredReceipt>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{STORED} settlement = 'pending' ORDER BY issued_at, id LIMIT {}",
        MAX_BATCH + 1
    )))
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .fetch_all(pool)
    .await?;
    rows.iter().map(stored).collect()
}

/// The receipts of the account's batch `seq`; one more than a batch takes, at most.
pub(super) async fn batched(pool: &AnyPool, account: &Account, seq: u64) -> Result<Vec<StoredReceipt>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{STORED} settlement = 'batched' AND batch_seq = $3 ORDER BY id LIMIT {}",
        MAX_BATCH + 1
    )))
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .bind(int(seq))
    .fetch_all(pool)
    .await?;
    rows.iter().map(stored).collect()
}

fn stored(row: &AnyRow) -> Result<StoredReceipt, sqlx::Error> {
    let columns = Columns {
        id: row.try_get(0)?,
        buyer: row.try_get(1)?,
        seller: row.try_get(2)?,
        skill: row.try_get(3)?,
        units: row.try_get(4)?,
        amount: row.try_get(5)?,
        issued_at: row.try_get(6)?,
        leaf: row.try_get(7)?,
    };
    Ok(StoredReceipt { columns, body: row.try_get(8)?, evidence: row.try_get(9)? })
}
