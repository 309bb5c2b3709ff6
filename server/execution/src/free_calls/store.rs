//! SQL of free calls.

use clawos_base::Database;
use clawos_base::database::columns::{int, key_text, uint};
use clawos_interface::Key;
use sqlx::AnyPool;

use super::FreeCall;

/// Free calls that a wallet used.
pub(super) async fn used(pool: &AnyPool, skill: &str, wallet: &Key) -> Result<u64, sqlx::Error> {
    let row = sqlx::query("SELECT used FROM free_calls WHERE skill = $1 AND wallet = $2")
        .bind(skill)
        .bind(key_text(wallet))
        .fetch_optional(pool)
        .await?;
    row.map_or(Ok(0), |row| uint(&row, 0))
}

/// Free calls of a skill that were used on `day`: its publisher's (`own`), or all others'.
pub(super) async fn used_on(pool: &AnyPool, skill: &str, day: i64, own: bool) -> Result<u64, sqlx::Error> {
    let row = sqlx::query("SELECT used FROM free_call_days WHERE skill = $1 AND day = $2 AND own = $3")
        .bind(skill)
        .bind(day)
        .bind(i64::from(own))
        .fetch_optional(pool)
        .await?;
    row.map_or(Ok(0), |row| uint(&row, 0))
}

/// Takes one call from both counts, or from neither.
pub(super) async fn take(db: &Database, call: &FreeCall, per_wallet: u64, per_day: u64) -> Result<bool, sqlx::Error> {
    let mut tx = db.write().await?;
    let of_wallet = sqlx::query(
        "INSERT INTO free_calls (skill, wallet, used) VALUES ($1, $2, 1)
         ON CONFLICT (skill, wallet) DO UPDATE SET used = free_calls.used + 1 WHERE free_calls.used < $3",
    )
    .bind(&call.skill)
    .bind(key_text(&call.wallet))
    .bind(int(per_wallet))
    .execute(&mut *tx)
    .await?;
    let of_day = sqlx::query(
        "INSERT INTO free_call_days (skill, day, own, used) VALUES ($1, $2, $3, 1)
         ON CONFLICT (skill, day, own) DO UPDATE SET used = free_call_days.used + 1 WHERE free_call_days.used < $4",
    )
    .bind(&call.skill)
    .bind(call.day)
    .bind(i64::from(call.own))
    .bind(int(per_day))
    .execute(&mut *tx)
    .await?;
    let taken = of_wallet.rows_affected() == 1 && of_day.rows_affected() == 1;
    if taken {
        tx.commit().await?
    } else {
        tx.rollback().await?
    }
    Ok(taken)
}

/// Gives one call back to both counts.
pub(super) async fn give_back(db: &Database, call: &FreeCall) -> Result<(), sqlx::Error> {
    let mut tx = db.write().await?;
    sqlx::query("UPDATE free_calls SET used = used - 1 WHERE skill = $1 AND wallet = $2 AND used > 0")
        .bind(&call.skill)
        .bind(key_text(&call.wallet))
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE free_call_days SET used = used - 1 WHERE skill = $1 AND day = $2 AND own = $3 AND used > 0")
        .bind(&call.skill)
        .bind(call.day)
        .bind(i64::from(call.own))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
