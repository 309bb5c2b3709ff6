//! SQL of stored receipts: reading one, listing, the leaves of a batch.

use clawos_api::execution::Settlement;
use clawos_base::Cursor;
use clawos_base::database::columns::{hash, int, key, key_text, optional_uint};
use clawos_interface::Key;
use clawos_receipts::{Evidence, Hash, Receipt, SignedReceipt};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use crate::account::Account;

/// A receipt as stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub signed: SignedReceipt,
    pub settlement: Settlement,
    /// Where it was batched.
    pub batch: Option<BatchRef>,
}

/// Names a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchRef {
    pub account: Account,
    pub seq: u64,
}

/// The receipt with this id.
pub(super) async fn find(pool: &AnyPool, id: &str) -> Result<Option<Stored>, sqlx::Error> {
    let row =
        sqlx::query("SELECT body, evidence, settlement, licence, opened_slot, batch_seq FROM receipts WHERE id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await?;
    row.map(|row| Ok(Stored { signed: signed(&row)?, settlement: settlement(&row, 2)?, batch: batch(&row, 3)? }))
        .transpose()
}

/// Where the receipt with this id and leaf hash stands; none for another leaf.
pub(super) async fn find_leaf(
    pool: &AnyPool,
    id: &str,
    leaf: &Hash,
) -> Result<Option<(Settlement, Option<BatchRef>)>, sqlx::Error> {
    let row =
        sqlx::query("SELECT settlement, licence, opened_slot, batch_seq FROM receipts WHERE id = $1 AND leaf = $2")
            .bind(id)
            .bind(leaf.to_vec())
            .fetch_optional(pool)
            .await?;
    row.map(|row| Ok((settlement(&row, 0)?, batch(&row, 1)?))).transpose()
}

/// Whether the wallet bought or sells what the licence was used for.
pub(super) async fn is_party(pool: &AnyPool, licence: &Key, wallet: &Key) -> Result<bool, sqlx::Error> {
    let found = sqlx::query("SELECT 1 FROM usage_accounts WHERE licence = $1 AND (buyer = $2 OR seller = $2) LIMIT 1")
        .bind(key_text(licence))
        .bind(key_text(wallet))
        .fetch_optional(pool)
        .await?;
    Ok(found.is_some())
}

fn settlement(row: &AnyRow, column: usize) -> Result<Settlement, sqlx::Error> {
    let name: String = row.try_get(column)?;
    Settlement::from_name(&name).ok_or_else(|| sqlx::Error::Decode(format!("unknown settlement {name}").into()))
}

/// Licence, opening and number of a batch, in three columns from `first` on.
fn batch(row: &AnyRow, first: usize) -> Result<Option<BatchRef>, sqlx::Error> {
    Ok(match (optional_uint(row, first + 1)?, optional_uint(row, first + 2)?) {
        (Some(opened_slot), Some(seq)) => {
            Some(BatchRef { account: Account { licence: key(row, first)?, opened_slot }, seq })
        }
        _ => None,
    })
}

fn signed(row: &AnyRow) -> Result<SignedReceipt, sqlx::Error> {
    let json = |error: serde_json::Error| sqlx::Error::Decode(error.into());
    let receipt: Receipt = serde_json::from_str(&row.try_get::<String, _>(0)?).map_err(json)?;
    let evidence: Evidence = serde_json::from_str(&row.try_get::<String, _>(1)?).map_err(json)?;
    Ok(SignedReceipt { receipt, evidence })
}

/// Which receipts to list.
#[derive(Debug)]
pub(super) struct Filter {
    /// The reader's wallet: buyer or seller.
    pub wallet: Key,
    /// Unix milliseconds, inclusive.
    pub from: i64,
    /// Unix milliseconds, exclusive.
    pub to: i64,
    /// `publisher.name`; empty for any.
    pub skill: String,
    /// The last one seen.
    pub after: Cursor,
    /// Rows, at most.
    pub limit: u32,
}

/// A wallet's receipts, newest first.
pub(super) async fn list(pool: &AnyPool, filter: &Filter) -> Result<Vec<SignedReceipt>, sqlx::Error> {
    // Two indexed branches; a receipt whose buyer is also its seller comes from the first.
    let rows = sqlx::query(
        "SELECT body, evidence FROM (
             SELECT id, issued_at, body, evidence FROM receipts
             WHERE buyer = $1 AND issued_at >= $2 AND issued_at < $3 AND ($4 = '' OR skill = $4)
               AND (issued_at < $5 OR (issued_at = $5 AND id < $6))
             UNION ALL
             SELECT id, issued_at, body, evidence FROM receipts
             WHERE seller = $1 AND buyer <> $1 AND issued_at >= $2 AND issued_at < $3 AND ($4 = '' OR skill = $4)
               AND (issued_at < $5 OR (issued_at = $5 AND id < $6))
         ) AS mine
         ORDER BY issued_at DESC, id DESC LIMIT $7",
    )
    .bind(key_text(&filter.wallet))
    .bind(filter.from)
    .bind(filter.to)
    .bind(&filter.skill)
    .bind(filter.after.number)
    .bind(&filter.after.id)
    .bind(i64::from(filter.limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(signed).collect()
}

/// The receipts of a batch, in the order of its tree.
pub(super) async fn batched(pool: &AnyPool, batch: &BatchRef) -> Result<Vec<Receipt>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT body FROM receipts
         WHERE licence = $1 AND opened_slot = $2 AND settlement = 'batched' AND batch_seq = $3 ORDER BY id",
    )
    .bind(key_text(&batch.account.licence))
    .bind(int(batch.account.opened_slot))
    .bind(int(batch.seq))
    .fetch_all(pool)
    .await?;
    let json = |error: serde_json::Error| sqlx::Error::Decode(error.into());
    rows.iter().map(|row| serde_json::from_str(&row.try_get::<String, _>(0)?).map_err(json)).collect()
}

/// Ids and leaf hashes of a batch, in the order of its tree.
pub(super) async fn leaves(pool: &AnyPool, batch: &BatchRef) -> Result<Vec<(String, Hash)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, leaf FROM receipts
         WHERE licence = $1 AND opened_slot = $2 AND settlement = 'batched' AND batch_seq = $3 ORDER BY id",
    )
    .bind(key_text(&batch.account.licence))
    .bind(int(batch.account.opened_slot))
    .bind(int(batch.seq))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, hash(row, 1)?))).collect()
}
