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
    /// Units the call may use.
    pub needed: u64,
    /// Units of the server's lease that no call was promised.
    pub free: u64,
    /// More than this the server does not want to hold.
    pub at_most: u64,
    /// Of what is left, take one part in this many.
    pub share: u64,
}

/// The answer to a wish for units.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lease {
    /// The lease lasts longer, and has so many more units.
    Granted {
        /// Units.
        units: u64,
        /// Whether those the server held before are still in it.
        kept: bool,
    },
    /// The licence does not have them.
    Exhausted {
        /// Units available.
        available: u64,
    },
    /// The licence has them, in leases.
    SetAside,
    /// The licence has them, once more of its usage is recorded.
    Unrecorded,
}

/// Leases what the server lacks, and extends its lease, all under the account's row lock. Leases that lapsed are gone
/// from then on: what their servers still capture is not covered, however their clocks differ from this one's.
pub(super) async fn lease(
    db: &Database,
    request: &LeaseRequest<'_>,
    allowance: Allowance,
) -> Result<Lease, sqlx::Error> {
    let mut tx = db.write().await?;
    let licence = key_text(&request.account.licence);
    let opened = int(request.account.opened_slot);
    let used = used(&mut tx, request, &licence, opened).await?;
    let (own, others) = leases(&mut tx, request, &licence, opened).await?;
    let free = own.map_or(0, |own| request.free.min(own));
    let held = own.unwrap_or(0);
    let missing = request.needed.saturating_sub(free);
    let outstanding = used.saturating_add(held).saturating_add(others);
    let Some(available) = allowance.available(outstanding).filter(|units| *units >= missing) else {
        tx.rollback().await?;
        let spent = used.saturating_add(held - free);
        return Ok(if allowance.covers(outstanding, missing) {
            Lease::Unrecorded
        } else if allowance.covers(spent, request.needed) {
            Lease::SetAside
        } else {
            Lease::Exhausted { available: allowance.available(outstanding).unwrap_or(0).saturating_add(free) }
        });
    };
    let units = if missing == 0 {
        0
    } else {
        (available / request.share).clamp(missing, request.at_most.saturating_sub(held).max(missing))
    };
    sqlx::query(
        "INSERT INTO leases (licence, opened_slot, server, units, lapses_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (licence, opened_slot, server) DO UPDATE SET
             units = leases.units + excluded.units, lapses_at = excluded.lapses_at",
    )
    .bind(&licence)
    .bind(opened)
    .bind(request.server)
    .bind(int(units))
    .bind(request.lapses_at)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Lease::Granted { units, kept: own.is_some() })
}

/// Locks the account and returns its units that are used and not on chain at the slot of the request.
async fn used(
    tx: &mut AnyConnection,
    request: &LeaseRequest<'_>,
    licence: &str,
    opened: i64,
) -> Result<u64, sqlx::Error> {
    let pending = lock_account(&mut *tx, licence, opened).await?;
    let batched = sqlx::query(
        "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM batches
         WHERE licence = $1 AND opened_slot = $2 AND seq > $3 AND status <> 'dead'",
    )
    .bind(licence)
    .bind(opened)
    .bind(int(request.usage_seq))
    .fetch_one(tx)
    .await?;
    Ok(pending.saturating_add(uint(&batched, 0)?))
}

/// Removes the account's lapsed leases and returns the units of the server's own, if it has one, and of all others.
async fn leases(
    tx: &mut AnyConnection,
    request: &LeaseRequest<'_>,
    licence: &str,
    opened: i64,
) -> Result<(Option<u64>, u64), sqlx::Error> {
    sqlx::query("DELETE FROM leases WHERE licence = $1 AND opened_slot = $2 AND lapses_at <= $3")
        .bind(licence)
        .bind(opened)
        .bind(request.now)
        .execute(&mut *tx)
        .await?;
    let rows = sqlx::query("SELECT server, units FROM leases WHERE licence = $1 AND opened_slot = $2")
        .bind(licence)
        .bind(opened)
        .fetch_all(tx)
        .await?;
    let (mut own, mut others) = (None, 0_u64);
    for row in &rows {
        let units = uint(row, 1)?;
        if row.try_get::<String, _>(0)? == request.server {
            own = Some(units);
        } else {
            others = others.saturating_add(units);
        }
    }
    Ok((own, others))
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

/// Takes `units` that calls used out of the server's lease; false when another server took them over after it lapsed.
pub(crate) async fn capture(
    tx: &mut AnyConnection,
    account: &Account,
    server: &str,
    units: u64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE leases SET units = units - $1
         WHERE licence = $2 AND opened_slot = $3 AND server = $4 AND units >= $1",
    )
    .bind(int(units))
    .bind(key_text(&account.licence))
    .bind(int(account.opened_slot))
    .bind(server)
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
