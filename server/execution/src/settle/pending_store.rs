//! SQL of what is in no batch yet: which accounts are due, their receipts, and waiving receipts.

use clawos_base::database::columns::{hash, int, key, key_text, uint};
use clawos_config::SettleConfig;
use clawos_interface::Key;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::contents::{Candidate, MAX_BATCH};
use crate::account::Account;

/// An account with receipts in no batch.
#[derive(Debug, Clone)]
pub(super) struct PendingAccount {
    pub account: Account,
    pub skill_account: Key,
    /// Whether it is time to settle it; if not, it is settled only when its licence is about to end.
    pub due: bool,
}

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

/// The account's receipts that are in no batch, oldest first.
pub(super) async fn candidates(tx: &mut AnyConnection, account: &Account) -> Result<Vec<Candidate>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, leaf, units, amount, issued_at FROM receipts
         WHERE licence = $1 AND opened_slot = $2 AND settlement = 'pending' ORDER BY issued_at, id LIMIT $3",
    )
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .bind(i64::try_from(MAX_BATCH + 1).unwrap_or(i64::MAX))
    .fetch_all(tx)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Candidate {
                id: row.try_get(0)?,
                leaf: hash(row, 1)?,
                units: uint(row, 2)?,
                amount: uint(row, 3)?,
                issued_at: row.try_get(4)?,
            })
        })
        .collect()
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

/// Waives the receipts of an account that is gone from the chain.
pub(super) async fn waive_account(tx: &mut AnyConnection, account: &Account, problem: &str) -> Result<(), sqlx::Error> {
    let (licence, opened) = (key_text(&account.licence), int(account.opened_slot));
    sqlx::query(
        "UPDATE receipts SET settlement = 'waived'
         WHERE licence = $1 AND opened_slot = $2 AND settlement = 'pending'",
    )
    .bind(&licence)
    .bind(opened)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE usage_accounts SET pending_units = 0, pending_count = 0, pending_amount = 0, problem = $1
         WHERE licence = $2 AND opened_slot = $3",
    )
    .bind(problem)
    .bind(&licence)
    .bind(opened)
    .execute(tx)
    .await?;
    Ok(())
}

/// Waives some of an account's pending receipts.
pub(super) async fn waive(
    tx: &mut AnyConnection,
    account: &Account,
    receipts: &[Candidate],
    problem: &str,
) -> Result<(), sqlx::Error> {
    for receipt in receipts {
        sqlx::query("UPDATE receipts SET settlement = 'waived' WHERE id = $1 AND settlement = 'pending'")
            .bind(&receipt.id)
            .execute(&mut *tx)
            .await?;
    }
    let sum = |of: fn(&Candidate) -> u64| int(receipts.iter().map(of).fold(0, u64::saturating_add));
    sqlx::query(
        "UPDATE usage_accounts SET pending_units = pending_units - $1, pending_count = pending_count - $2,
             pending_amount = pending_amount - $3, problem = $4
         WHERE licence = $5 AND opened_slot = $6",
    )
    .bind(sum(|receipt| receipt.units))
    .bind(rows_of(receipts.len()))
    .bind(sum(|receipt| receipt.amount))
    .bind(problem)
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .execute(tx)
    .await?;
    Ok(())
}
