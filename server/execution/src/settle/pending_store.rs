//! SQL of what is in no batch yet: which accounts are due, and taking receipts out of it.

use clawos_base::database::columns::{int, key, key_text, uint};
use clawos_config::SettleConfig;
use clawos_interface::Key;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use crate::account::Account;

/// An account with receipts in no batch.
#[derive(Debug, Clone)]
pub(super) struct PendingAccount {
    pub account: Account,
    pub skill_account: Key,
    /// What went wrong with it last.
    pub problem: Option<String>,
    /// Whether it is time to settle it; if not, it is settled only when its licence is about to end.
    pub due: bool,
}

/// Pending receipts, no open batch, and no problem that is waited for at `$1`.
const READY: &str = "SELECT licence, opened_slot, skill_account, problem FROM usage_accounts
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
) -> Result<Vec<PendingAccount>, sqlx::Error> {
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
    rows.iter().map(|row| pending_account(row, true)).collect()
}

/// Accounts with pending receipts after `after`, due or not, in the order of their keys: page by page, all of them.
pub(super) async fn page(
    pool: &AnyPool,
    now: i64,
    after: Option<Account>,
    limit: usize,
) -> Result<Vec<PendingAccount>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{READY} AND (licence > $2 OR (licence = $2 AND opened_slot > $3)) ORDER BY licence, opened_slot LIMIT $4"
    )))
    .bind(now)
    .bind(after.map(|account| key_text(&account.licence)).unwrap_or_default())
    .bind(after.map_or(0, |account| int(account.opened_slot)))
    .bind(rows_of(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| pending_account(row, false)).collect()
}

fn rows_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn pending_account(row: &AnyRow, due: bool) -> Result<PendingAccount, sqlx::Error> {
    let account = Account { licence: key(row, 0)?, opened_slot: uint(row, 1)? };
    Ok(PendingAccount { account, skill_account: key(row, 2)?, problem: row.try_get(3)?, due })
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

/// Counts anew what an account, which is locked, has in no batch, and notes what went wrong with it.
pub(super) async fn recount(
    tx: &mut AnyConnection,
    account: &Account,
    problem: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE usage_accounts SET problem = $1, (pending_units, pending_count, pending_amount, pending_since) =
             (SELECT CAST(COALESCE(SUM(r.units), 0) AS BIGINT), COUNT(*), CAST(COALESCE(SUM(r.amount), 0) AS BIGINT),
                  COALESCE(MIN(r.issued_at), usage_accounts.pending_since)
              FROM receipts r WHERE r.licence = $2 AND r.opened_slot = $3 AND r.settlement = 'pending')
         WHERE licence = $2 AND opened_slot = $3",
    )
    .bind(problem)
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .execute(tx)
    .await?;
    Ok(())
}
