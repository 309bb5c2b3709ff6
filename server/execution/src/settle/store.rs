//! SQL of settlement: who settles, the batches and what became of them.

use clawos_api::execution::BatchStatus;
use clawos_base::database::columns::{hash, int, key, key_text, optional_uint, uint};
use clawos_interface::Key;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::batch::{Batch, BatchContents};
use super::contents::Candidate;
use super::past::Anchored;
use super::unreadable::Readable;
use super::{SettleError, pending_store};
use crate::account::Account;

/// Receipts that one statement moves into a batch. Its text has a parameter (`$2`, `$3`, …) for each id; the ids are bound.
const MOVED_AT_ONCE: usize = 256;

/// Makes this server the one that settles until `until`, unless another is.
pub(super) async fn hold(pool: &AnyPool, server: &str, now: i64, until: i64) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO settler_leases (id, server, until) VALUES (1, $1, $2)
         ON CONFLICT (id) DO UPDATE SET server = excluded.server, until = excluded.until
         WHERE settler_leases.server = $1 OR settler_leases.until <= $3",
    )
    .bind(server)
    .bind(until)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets another server settle where `server` held it, or whoever did.
pub(crate) async fn release_hold(pool: &AnyPool, server: Option<&str>) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM settler_leases WHERE $1 = '' OR server = $1")
        .bind(server.unwrap_or(""))
        .execute(pool)
        .await?;
    Ok(())
}

/// Stores a batch and moves its receipts, which are pending, into it.
pub(super) async fn add_batch(
    tx: &mut AnyConnection,
    account: &Account,
    batch: &Anchored,
    receipts: &[Candidate],
    now: i64,
) -> Result<(), SettleError> {
    let (licence, opened) = (key_text(&account.licence), int(account.opened_slot));
    let Anchored { contents, sealed_newest } = batch;
    sqlx::query(
        "INSERT INTO batches (licence, opened_slot, seq, prev_root, count, units, amount, tree_root, anchored_root,
             chain_root, sealed_newest, status, formed_at, retry_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'pending', $12, 0)",
    )
    .bind(&licence)
    .bind(opened)
    .bind(int(contents.seq))
    .bind(contents.prev_root.to_vec())
    .bind(int(contents.count))
    .bind(int(contents.units))
    .bind(int(contents.amount))
    .bind(contents.tree_root.to_vec())
    .bind(contents.anchored_root.to_vec())
    .bind(contents.chain_root.to_vec())
    .bind(sealed_newest.as_slice())
    .bind(now)
    .execute(&mut *tx)
    .await?;
    let mut moved = 0;
    for some in receipts.chunks(MOVED_AT_ONCE) {
        let places: Vec<String> = (2..some.len() + 2).map(|place| format!("${place}")).collect();
        let mut query = sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE receipts SET settlement = 'batched', batch_seq = $1 WHERE settlement = 'pending' AND id IN ({})",
            places.join(", ")
        )))
        .bind(int(contents.seq));
        for receipt in some {
            query = query.bind(&receipt.id);
        }
        moved += query.execute(&mut *tx).await?.rows_affected();
    }
    if moved != contents.count {
        return Err(SettleError::Overtaken);
    }
    Ok(pending_store::recount(tx, account, None).await?)
}

const BATCH: &str = "SELECT b.licence, b.opened_slot, b.seq, b.prev_root, b.count, b.units, b.amount, b.tree_root, \
     b.anchored_root, b.chain_root, b.status, b.tx, b.last_valid_height, b.slot, b.problem, u.skill_account, u.buyer, u.seller \
     FROM batches b JOIN usage_accounts u ON u.licence = b.licence AND u.opened_slot = b.opened_slot ";

/// One batch of an account, by its number.
const AT: &str = "WHERE b.licence = $1 AND b.opened_slot = $2 AND b.seq = $3";

/// Batches that are not settled yet and may be worked on now.
pub(super) async fn open_batches(pool: &AnyPool, now: i64, limit: usize) -> Result<Readable<Batch>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{BATCH} WHERE b.status IN ('pending', 'submitted') AND b.retry_at <= $1 ORDER BY b.formed_at LIMIT $2"
    )))
    .bind(now)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    Ok(Readable::of(&rows, batch))
}

/// Batch `seq` of an account, as a transaction sees it.
pub(super) async fn batch_at(
    tx: &mut AnyConnection,
    account: &Account,
    seq: u64,
) -> Result<Option<Batch>, sqlx::Error> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{BATCH} {AT}")))
        .bind(key_text(&account.licence))
        .bind(int(account.opened_slot))
        .bind(int(seq))
        .fetch_optional(tx)
        .await?;
    row.as_ref().map(batch).transpose()
}

/// One batch.
pub(crate) async fn find_batch(pool: &AnyPool, account: &Account, seq: u64) -> Result<Option<Batch>, sqlx::Error> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{BATCH} {AT}")))
        .bind(key_text(&account.licence))
        .bind(int(account.opened_slot))
        .bind(int(seq))
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(batch).transpose()
}

/// The batches of an account after number `after`, in order.
pub(crate) async fn batches_of(
    pool: &AnyPool,
    account: &Account,
    after: u64,
    limit: u32,
) -> Result<Vec<Batch>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{BATCH} WHERE b.licence = $1 AND b.opened_slot = $2 AND b.seq > $3 ORDER BY b.seq LIMIT $4"
    )))
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .bind(int(after))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(batch).collect()
}

/// The opening of a licence at `opened_slot`, or else the newest with batches, or else the newest that was used here.
pub(crate) async fn find_account(
    pool: &AnyPool,
    licence: &Key,
    opened_slot: Option<u64>,
) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT opened_slot FROM usage_accounts u WHERE licence = $1 AND ($2 < 0 OR opened_slot = $2)
         ORDER BY CASE WHEN EXISTS (SELECT 1 FROM batches b WHERE b.licence = u.licence
                                    AND b.opened_slot = u.opened_slot) THEN 1 ELSE 0 END DESC, opened_slot DESC LIMIT 1",
    )
    .bind(key_text(licence))
    .bind(opened_slot.map_or(-1, int))
    .fetch_optional(pool)
    .await?;
    row.map(|row| Ok(Account { licence: *licence, opened_slot: uint(&row, 0)? })).transpose()
}

/// What becomes of a batch.
#[derive(Debug, Clone)]
pub(super) enum Change<'a> {
    /// It is about to be sent in this transaction.
    Submitted { tx: &'a str, last_valid_height: u64 },
    /// It landed, in that slot at the latest.
    Confirmed { slot: u64 },
    /// It did not land; try again from `retry_at`. With a problem it goes alone from then on.
    Pending { problem: Option<&'a str>, retry_at: i64 },
    /// It can never land.
    Dead { problem: &'a str },
}

/// Writes what becomes of a batch.
///
/// # Errors
/// [`SettleError::Overtaken`] when something else became of it since it was read: another server may have taken over.
pub(super) async fn change(tx: &mut AnyConnection, batch: &Batch, change: &Change<'_>) -> Result<(), SettleError> {
    let (status, signature, height, slot, problem, retry_at) = match change {
        Change::Submitted { tx, last_valid_height } => {
            ("submitted", Some(*tx), Some(int(*last_valid_height)), None, batch.problem.as_deref(), 0)
        }
        Change::Confirmed { slot } => ("confirmed", batch.transaction.as_deref(), None, Some(int(*slot)), None, 0),
        Change::Pending { problem, retry_at } => {
            ("pending", None, None, None, problem.or(batch.problem.as_deref()), *retry_at)
        }
        Change::Dead { problem } => ("dead", None, None, None, Some(*problem), 0),
    };
    let done = sqlx::query(
        "UPDATE batches SET status = $1, tx = $2, last_valid_height = $3, slot = $4, problem = $5, retry_at = $6
         WHERE licence = $7 AND opened_slot = $8 AND seq = $9 AND status = $10 AND COALESCE(tx, '') = $11",
    )
    .bind(status)
    .bind(signature)
    .bind(height)
    .bind(slot)
    .bind(problem)
    .bind(retry_at)
    .bind(key_text(&batch.account.licence))
    .bind(int(batch.account.opened_slot))
    .bind(int(batch.contents.seq))
    .bind(batch.status.as_str())
    .bind(batch.transaction.as_deref().unwrap_or(""))
    .execute(tx)
    .await?;
    if done.rows_affected() != 1 {
        return Err(SettleError::Overtaken);
    }
    Ok(())
}

/// Removes a batch that is certainly not on chain; its receipts become `settlement`: `waived`, or `pending` again.
pub(super) async fn remove_batch(tx: &mut AnyConnection, batch: &Batch, settlement: &str) -> Result<(), SettleError> {
    let (licence, opened, seq) =
        (key_text(&batch.account.licence), int(batch.account.opened_slot), int(batch.contents.seq));
    pending_store::lock(tx, &batch.account).await?;
    let removed = sqlx::query(
        "DELETE FROM batches WHERE licence = $1 AND opened_slot = $2 AND seq = $3 AND status IN ('pending', 'dead')",
    )
    .bind(&licence)
    .bind(opened)
    .bind(seq)
    .execute(&mut *tx)
    .await?;
    if removed.rows_affected() != 1 {
        return Err(SettleError::Overtaken);
    }
    sqlx::query(
        "UPDATE receipts SET settlement = $1, batch_seq = NULL
         WHERE licence = $2 AND opened_slot = $3 AND batch_seq = $4",
    )
    .bind(settlement)
    .bind(&licence)
    .bind(opened)
    .bind(seq)
    .execute(&mut *tx)
    .await?;
    Ok(pending_store::recount(tx, &batch.account, None).await?)
}

fn batch(row: &AnyRow) -> Result<Batch, sqlx::Error> {
    let status: String = row.try_get(10)?;
    Ok(Batch {
        account: Account { licence: key(row, 0)?, opened_slot: uint(row, 1)? },
        contents: BatchContents {
            seq: uint(row, 2)?,
            prev_root: hash(row, 3)?,
            count: uint(row, 4)?,
            units: uint(row, 5)?,
            amount: uint(row, 6)?,
            tree_root: hash(row, 7)?,
            anchored_root: hash(row, 8)?,
            chain_root: hash(row, 9)?,
        },
        status: BatchStatus::from_name(&status)
            .ok_or_else(|| sqlx::Error::Decode(format!("unknown batch status {status}").into()))?,
        transaction: row.try_get(11)?,
        last_valid_height: optional_uint(row, 12)?,
        slot: optional_uint(row, 13)?,
        problem: row.try_get(14)?,
        skill_account: key(row, 15)?,
        buyer: key(row, 16)?,
        seller: key(row, 17)?,
    })
}
