//! SQL of what is in no batch yet: which accounts are due, and taking receipts out of it.

use clawos_base::database::columns::{int, key, key_text, uint};
use clawos_config::SettleConfig;
use clawos_interface::Key;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::halt::Halt;
use super::unreadable::Readable;
use crate::account::Account;

/// An account with receipts in no batch.
#[derive(Debug, Clone)]
pub(super) struct PendingAccount {
    pub account: Account,
    pub skill_account: Key,
    /// Whether it is time to settle it; if not, it is settled only when its licence is about to end.
    pub due: bool,
}

/// More units or base units than one account can have pending: what an account is counted with, at most, so that sums over
/// accounts stay in range.
const MAX_COUNTED: i64 = 1 << 53;

/// Pending receipts, no open batch, and no problem that is waited for at `$1`.
const READY: &str = "SELECT licence, opened_slot, skill_account FROM usage_accounts
     WHERE pending_count > 0 AND retry_at <= $1
       AND NOT EXISTS (SELECT 1 FROM batches WHERE batches.licence = usage_accounts.licence
                       AND batches.opened_slot = usage_accounts.opened_slot
                       AND batches.status IN ('pending', 'submitted'))";

/// Accounts that are due by count, amount or age, or because a paid batch can carry no more; those waiting longest first.
pub(super) async fn due(
    pool: &AnyPool,
    now: i64,
    config: &SettleConfig,
    limit: usize,
) -> Result<Readable<PendingAccount>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{READY} AND (pending_count >= $2 OR pending_amount >= $3
             OR (priced <> 0 AND batch_cap > 0 AND pending_units >= batch_cap)
             OR (priced <> 0 AND pending_since <= $4) OR (priced = 0 AND pending_since <= $5))
         ORDER BY pending_since LIMIT $6"
    )))
    .bind(now)
    .bind(int(config.settle_max_count))
    .bind(int(config.settle_max_amount))
    .bind(now.saturating_sub(int(config.settle_max_age_ms)))
    .bind(now.saturating_sub(int(config.anchor_max_age_ms)))
    .bind(rows_of(limit))
    .fetch_all(pool)
    .await?;
    Ok(Readable::of(&rows, |row| pending_account(row, true)))
}

/// Accounts with pending receipts after `after`, due or not, in the order of their keys: page by page, all of them.
pub(super) async fn page(
    pool: &AnyPool,
    now: i64,
    after: Option<Account>,
    limit: usize,
) -> Result<Readable<PendingAccount>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{READY} AND (licence > $2 OR (licence = $2 AND opened_slot > $3)) ORDER BY licence, opened_slot LIMIT $4"
    )))
    .bind(now)
    .bind(after.map(|account| key_text(&account.licence)).unwrap_or_default())
    .bind(after.map_or(0, |account| int(account.opened_slot)))
    .bind(rows_of(limit))
    .fetch_all(pool)
    .await?;
    Ok(Readable::of(&rows, |row| pending_account(row, false)))
}

fn rows_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn pending_account(row: &AnyRow, due: bool) -> Result<PendingAccount, sqlx::Error> {
    let account = Account { licence: key(row, 0)?, opened_slot: uint(row, 1)? };
    Ok(PendingAccount { account, skill_account: key(row, 2)?, due })
}

/// Locks an account against leasing, recording and batching by others.
pub(super) async fn lock(tx: &mut AnyConnection, account: &Account) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE usage_accounts SET retry_at = retry_at WHERE licence = $1 AND opened_slot = $2")
        .bind(key_text(&account.licence))
        .bind(int(account.opened_slot))
        .execute(tx)
        .await?;
    Ok(())
}

/// Leaves an account alone until `retry_at`, and says why.
pub(super) async fn postpone_account(
    tx: &mut AnyConnection,
    account: &Account,
    retry_at: i64,
    problem: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE usage_accounts SET retry_at = $1, problem = $2 WHERE licence = $3 AND opened_slot = $4")
        .bind(retry_at)
        .bind(problem)
        .bind(key_text(&account.licence))
        .bind(int(account.opened_slot))
        .execute(tx)
        .await?;
    Ok(())
}

/// Serves no more of an account until its operator has looked at it; false where that was so.
pub(super) async fn mark_stopped(tx: &mut AnyConnection, account: &Account, halt: Halt) -> Result<bool, sqlx::Error> {
    set_stopped(tx, account, halt.code()).await
}

/// Serves an account again; what stopped it is no more.
pub(super) async fn clear_stopped(tx: &mut AnyConnection, account: &Account) -> Result<(), sqlx::Error> {
    set_stopped(tx, account, 0).await.map(drop)
}

/// Whether it was something else before.
async fn set_stopped(tx: &mut AnyConnection, account: &Account, code: i64) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query("UPDATE usage_accounts SET stopped = $1 WHERE licence = $2 AND opened_slot = $3 AND stopped <> $1")
            .bind(code)
            .bind(key_text(&account.licence))
            .bind(int(account.opened_slot))
            .execute(tx)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes all of an account's receipts that are in no batch out of what is settled: they are waived.
pub(super) async fn waive_all(tx: &mut AnyConnection, account: &Account, problem: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE receipts SET settlement = 'waived'
         WHERE licence = $1 AND opened_slot = $2 AND settlement = 'pending'",
    )
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .execute(&mut *tx)
    .await?;
    recount(tx, account, Some(problem)).await?;
    Ok(done.rows_affected())
}

/// Takes a receipt that is in no batch out of what is settled: `settlement` is `waived` or `set_aside`. The account is to
/// be counted again. Whether it still was in no batch.
pub(super) async fn take_out(tx: &mut AnyConnection, id: &str, settlement: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE receipts SET settlement = $1 WHERE id = $2 AND settlement = 'pending'")
        .bind(settlement)
        .bind(id)
        .execute(tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts anew what an account, which is locked, has in no batch, and notes what went wrong with it. Rows that say
/// impossible numbers, which are set aside when it is their turn, count as far as [`MAX_COUNTED`].
pub(super) async fn recount(
    tx: &mut AnyConnection,
    account: &Account,
    problem: Option<&str>,
) -> Result<(), sqlx::Error> {
    let (licence, opened) = (key_text(&account.licence), int(account.opened_slot));
    // In two halves, since a database fails where a sum of the whole does not fit.
    let row = sqlx::query(
        "SELECT COUNT(*), MIN(since),
             CAST(COALESCE(SUM(units / 4294967296), 0) AS BIGINT), CAST(COALESCE(SUM(units % 4294967296), 0) AS BIGINT),
             CAST(COALESCE(SUM(amount / 4294967296), 0) AS BIGINT), CAST(COALESCE(SUM(amount % 4294967296), 0) AS BIGINT)
         FROM (SELECT CAST(units AS BIGINT) AS units, CAST(amount AS BIGINT) AS amount, CAST(issued_at AS BIGINT) AS since
               FROM receipts WHERE licence = $1 AND opened_slot = $2 AND settlement = 'pending') AS numbers",
    )
    .bind(&licence)
    .bind(opened)
    .fetch_one(&mut *tx)
    .await?;
    let (count, since): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let sum = |upper: usize| {
        let sum =
            i128::from(row.try_get::<i64, _>(upper)?) * 4_294_967_296 + i128::from(row.try_get::<i64, _>(upper + 1)?);
        Ok::<i64, sqlx::Error>(i64::try_from(sum.max(0)).unwrap_or(MAX_COUNTED).min(MAX_COUNTED))
    };
    sqlx::query(
        "UPDATE usage_accounts SET problem = $1, pending_units = $2, pending_count = $3, pending_amount = $4,
             pending_since = COALESCE($5, pending_since)
         WHERE licence = $6 AND opened_slot = $7",
    )
    .bind(problem)
    .bind(sum(2)?)
    .bind(count)
    .bind(sum(4)?)
    .bind(since)
    .bind(&licence)
    .bind(opened)
    .execute(tx)
    .await?;
    Ok(())
}
