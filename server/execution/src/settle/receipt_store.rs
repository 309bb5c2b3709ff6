//! SQL of stored receipts as settlement reads them, to check them: those in no batch, and those of one.
//!
//! SQLite keeps a value of any type in any column, so a row may hold what cannot be read. Such a row is told apart and spoils
//! no other.

use clawos_base::database::columns::{int, key_text};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, AssertSqlSafe, Row};

use super::contents::MAX_BATCH;
use super::signed_body::{Columns, StoredReceipt};
use crate::account::Account;

const COLUMNS: &str = "id, buyer, seller, skill, units, amount, issued_at, leaf, body, evidence";

/// Receipts of an account as they are stored.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub receipts: Vec<StoredReceipt>,
    /// Ids of rows that hold a value of another type than their column's.
    pub unreadable: Vec<String>,
}

/// The account's receipts that are in no batch, oldest first; one more than a batch takes, at most.
pub(super) async fn pending(pool: &AnyPool, account: &Account) -> Result<Rows, sqlx::Error> {
    read(pool, account, "settlement = 'pending' AND issued_at >= $3 ORDER BY issued_at, id", i64::MIN).await
}

/// The receipts of the account's batch `seq`; one more than a batch takes, at most.
pub(super) async fn batched(pool: &AnyPool, account: &Account, seq: u64) -> Result<Rows, sqlx::Error> {
    read(pool, account, "settlement = 'batched' AND batch_seq = $3 ORDER BY id", int(seq)).await
}

/// Reads the account's receipts for which `condition` holds, in which `bound` is `$3`.
async fn read(pool: &AnyPool, account: &Account, condition: &str, bound: i64) -> Result<Rows, sqlx::Error> {
    let select = |columns: &str| {
        format!(
            "SELECT {columns} FROM receipts WHERE licence = $1 AND opened_slot = $2 AND {condition} LIMIT {}",
            MAX_BATCH + 1
        )
    };
    let (licence, opened) = (key_text(&account.licence), int(account.opened_slot));
    let all = AssertSqlSafe(select(COLUMNS));
    let found = sqlx::query(all).bind(&licence).bind(opened).bind(bound).fetch_all(pool).await;
    let mut rows = Rows::default();
    match found {
        Ok(found) => found.iter().for_each(|row| rows.add(row)),
        // Text that is not UTF-8 spoils the answer as a whole.
        Err(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => {
            let ids = AssertSqlSafe(select("id"));
            let ids = sqlx::query(ids).bind(&licence).bind(opened).bind(bound).fetch_all(pool).await?;
            for id in ids.iter().filter_map(|row| row.try_get::<String, _>(0).ok()) {
                rows.add_one(pool, id).await?;
            }
        }
        Err(error) => return Err(error),
    }
    Ok(rows)
}

impl Rows {
    fn add(&mut self, row: &AnyRow) {
        match (stored(row), row.try_get(0)) {
            (Ok(receipt), _) => self.receipts.push(receipt),
            (Err(_), Ok(id)) => self.unreadable.push(id),
            (Err(_), Err(error)) => tracing::error!(%error, "a stored receipt without a readable id bills nothing"),
        }
    }

    async fn add_one(&mut self, pool: &AnyPool, id: String) -> Result<(), sqlx::Error> {
        let one = AssertSqlSafe(format!("SELECT {COLUMNS} FROM receipts WHERE id = $1"));
        match sqlx::query(one).bind(&id).fetch_optional(pool).await {
            Ok(row) => row.iter().for_each(|row| self.add(row)),
            Err(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => self.unreadable.push(id),
            Err(error) => return Err(error),
        }
        Ok(())
    }
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
