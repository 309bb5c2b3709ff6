//! SQL of leases: granting under the account's row lock, capturing, releasing.

use sqlx::{AnyConnection, Row};

use super::{Account, Allowance};
use crate::database::Database;
use crate::execution::columns::{int, key_text, uint};

/// A wish for units.
#[derive(Debug)]
pub(super) struct LeaseRequest<'a> {
    pub account: Account,
    pub server: &'a str,
    /// The chain's last batch number at the slot the allowance was read at.
    pub usage_seq: u64,
    /// Unix milliseconds.
    pub now: i64,
    /// Unix milliseconds.
    pub lapses_at: i64,
    /// Fewer than this are of no use.
    pub at_least: u64,
    /// More than this are not wanted.
    pub at_most: u64,
    /// Of what is left, take one part in this many.
    pub share: u64,
}

/// The answer to a wish for units.
#[derive(Debug)]
pub(super) enum Lease {
    /// So many more units are the server's.
    Granted(u64),
    /// Fewer than `at_least` are available.
    Refused {
        /// Units available.
        available: u64,
        /// The licence has them; they can be had once more of its usage is recorded.
        later: bool,
    },
}

/// Leases units and extends the server's lease, all under the account's row lock.
pub(super) async fn lease(
    db: &Database,
    request: &LeaseRequest<'_>,
    allowance: Allowance,
) -> Result<Lease, sqlx::Error> {
    let mut tx = db.write().await?;
    let licence = key_text(&request.account.licence);
    let opened = int(request.account.opened_slot);
    let pending = lock_account(&mut tx, &licence, opened).await?;
    let batched = sqlx::query(
        "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM batches
         WHERE licence = $1 AND opened_slot = $2 AND seq > $3 AND status <> 'dead'",
    )
    .bind(&licence)
    .bind(opened)
    .bind(int(request.usage_seq))
    .fetch_one(&mut *tx)
    .await?;
    let leased = sqlx::query(
        "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM leases
         WHERE licence = $1 AND opened_slot = $2 AND lapses_at > $3",
    )
    .bind(&licence)
    .bind(opened)
    .bind(request.now)
    .fetch_one(&mut *tx)
    .await?;
    let outstanding = [pending, uint(&batched, 0)?, uint(&leased, 0)?].into_iter().fold(0, u64::saturating_add);
    let Some(available) = allowance.available(outstanding).filter(|units| *units >= request.at_least) else {
        tx.rollback().await?;
        let available = allowance.available(outstanding).unwrap_or(0);
        return Ok(Lease::Refused { available, later: allowance.covers(outstanding, request.at_least) });
    };
    let granted = (available / request.share).clamp(request.at_least, request.at_most.max(request.at_least));
    sqlx::query(
        "INSERT INTO leases (licence, opened_slot, server, units, lapses_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (licence, opened_slot, server) DO UPDATE SET
             units = CASE WHEN leases.lapses_at > $6 THEN leases.units + excluded.units ELSE excluded.units END,
             lapses_at = excluded.lapses_at",
    )
    .bind(&licence)
    .bind(opened)
    .bind(request.server)
    .bind(int(granted))
    .bind(request.lapses_at)
    .bind(request.now)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Lease::Granted(granted))
}

/// Locks the account's row, when it has one, and returns its units that are in no batch yet. An account without a row
/// has used nothing; two servers that lease from it at once are ordered by the row made here.
async fn lock_account(tx: &mut AnyConnection, licence: &str, opened: i64) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "INSERT INTO usage_accounts (licence, opened_slot, skill_account, buyer, seller, priced,
             pending_units, pending_count, pending_amount, pending_since, batch_cap, retry_at)
         VALUES ($1, $2, '', '', '', 0, 0, 0, 0, 0, 0, 0)
         ON CONFLICT (licence, opened_slot) DO UPDATE SET pending_units = usage_accounts.pending_units",
    )
    .bind(licence)
    .bind(opened)
    .execute(&mut *tx)
    .await?;
    let row = sqlx::query("SELECT pending_units FROM usage_accounts WHERE licence = $1 AND opened_slot = $2")
        .bind(licence)
        .bind(opened)
        .fetch_one(&mut *tx)
        .await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
}

/// Takes `units` that calls used out of the server's lease; false when the lease lapsed and does not cover them.
pub(crate) async fn capture(
    tx: &mut AnyConnection,
    account: &Account,
    server: &str,
    units: u64,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE leases SET units = units - $1
         WHERE licence = $2 AND opened_slot = $3 AND server = $4 AND units >= $1 AND lapses_at > $5",
    )
    .bind(int(units))
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .bind(server)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends the leases of one server, or of all: on a database that only one server uses, those of dead processes.
pub(crate) async fn release_leases(db: &Database, server: Option<&str>) -> Result<(), sqlx::Error> {
    let mut tx = db.write().await?;
    match server {
        Some(server) => sqlx::query("DELETE FROM leases WHERE server = $1").bind(server).execute(&mut *tx).await?,
        None => sqlx::query("DELETE FROM leases").execute(&mut *tx).await?,
    };
    tx.commit().await
}
