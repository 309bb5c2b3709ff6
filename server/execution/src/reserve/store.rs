//! SQL of leases: granting under the account's row lock, capturing, releasing.

use clawos_base::Database;
use clawos_base::database::columns::{int, key_text, uint};
use sqlx::{AnyConnection, Row};

use super::Allowance;
use crate::account::Account;
use crate::settle::Halt;

/// A request for units.
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

/// The answer to a request for units.
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
    /// What the licence used could not be recorded: the chain has a batch of it that this database does not know.
    UnknownBatch,
    /// What the licence used cannot be recorded: what is stored of it was changed.
    Stopped,
    /// Another proxy recorded its usage.
    MeteredElsewhere,
}

/// Units of an account that are spoken for.
#[derive(Debug, Clone, Copy)]
struct Outstanding {
    /// Used, and not on chain at the slot of the request.
    used: u64,
    /// In the server's own lease, if it has one.
    own: Option<u64>,
    /// In the leases of others.
    others: u64,
}

/// Leases what the server lacks, and extends its lease, all under the account's row lock. Leases that lapsed are gone
/// from then on: what their servers still capture is not covered, however their clocks differ from this one's.
pub(super) async fn lease(
    db: &Database,
    request: &LeaseRequest<'_>,
    allowance: Allowance,
) -> Result<Lease, sqlx::Error> {
    let mut tx = db.write().await?;
    lock_account(&mut tx, request).await?;
    drop_lapsed(&mut tx, request).await?;
    let answer = answer_to(&mut tx, request, allowance).await?;
    let Lease::Granted { units, .. } = answer else {
        tx.rollback().await?;
        return Ok(answer);
    };
    sqlx::query(
        "INSERT INTO leases (licence, opened_slot, server, units, lapses_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (licence, opened_slot, server) DO UPDATE SET
             units = leases.units + excluded.units, lapses_at = excluded.lapses_at",
    )
    .bind(key_text(&request.account.licence))
    .bind(int(request.account.opened_slot))
    .bind(request.server)
    .bind(int(units))
    .bind(request.lapses_at)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(answer)
}

/// What [`lease`] would answer. Changes nothing.
pub(super) async fn could_lease(
    db: &Database,
    request: &LeaseRequest<'_>,
    allowance: Allowance,
) -> Result<Lease, sqlx::Error> {
    let mut connection = db.acquire().await?;
    answer_to(&mut connection, request, allowance).await
}

async fn answer_to(
    connection: &mut AnyConnection,
    request: &LeaseRequest<'_>,
    allowance: Allowance,
) -> Result<Lease, sqlx::Error> {
    if let Some(root) = allowance.moved
        && request.usage_seq > 0
        && !has_batch(connection, request, &root).await?
    {
        return Ok(Lease::MeteredElsewhere);
    }
    if let Some(refusal) = stopped(connection, request).await? {
        return Ok(refusal);
    }
    Ok(answer(request, allowance, outstanding(connection, request).await?))
}

/// Whether the licence's last batch, which leads to `root` on chain, is one of this database.
async fn has_batch(
    connection: &mut AnyConnection,
    request: &LeaseRequest<'_>,
    root: &[u8; 32],
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query(
        "SELECT 1 FROM batches
         WHERE licence = $1 AND opened_slot = $2 AND seq = $3 AND chain_root = $4 AND status <> 'dead'",
    )
    .bind(key_text(&request.account.licence))
    .bind(int(request.account.opened_slot))
    .bind(int(request.usage_seq))
    .bind(root.to_vec())
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Why nothing more is served that could never be charged, if the settler found that.
async fn stopped(connection: &mut AnyConnection, request: &LeaseRequest<'_>) -> Result<Option<Lease>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT stopped FROM usage_accounts WHERE licence = $1 AND opened_slot = $2 AND stopped <> 0
             AND (stopped <> $3 OR EXISTS (SELECT 1 FROM batches WHERE batches.licence = usage_accounts.licence
                                           AND batches.opened_slot = usage_accounts.opened_slot
                                           AND batches.status IN ('pending', 'submitted')))",
    )
    .bind(key_text(&request.account.licence))
    .bind(int(request.account.opened_slot))
    .bind(Halt::Withheld.code())
    .fetch_optional(connection)
    .await?;
    let Some(row) = found else { return Ok(None) };
    let unknown = row.try_get::<i64, _>(0)? == Halt::UnknownBatch.code();
    Ok(Some(if unknown { Lease::UnknownBatch } else { Lease::Stopped }))
}

fn answer(request: &LeaseRequest<'_>, allowance: Allowance, outstanding: Outstanding) -> Lease {
    let Outstanding { used, own, others } = outstanding;
    let held = own.unwrap_or(0);
    let free = request.free.min(held);
    let missing = request.needed.saturating_sub(free);
    let all = used.saturating_add(held).saturating_add(others);
    match allowance.available(all) {
        // Only the time.
        Some(_) if missing == 0 => Lease::Granted { units: 0, kept: own.is_some() },
        Some(available) if available >= missing => {
            let most = request.at_most.saturating_sub(held).max(missing);
            Lease::Granted { units: (available / request.share).clamp(missing, most), kept: own.is_some() }
        }
        _ if allowance.covers(all.saturating_sub(free), request.needed) => Lease::Unrecorded,
        _ if allowance.covers(used.saturating_add(held - free), request.needed) => Lease::SetAside,
        available => Lease::Exhausted { available: available.unwrap_or(0).saturating_add(free) },
    }
}

async fn outstanding(connection: &mut AnyConnection, request: &LeaseRequest<'_>) -> Result<Outstanding, sqlx::Error> {
    let (licence, opened) = (key_text(&request.account.licence), int(request.account.opened_slot));
    let used = sqlx::query(
        "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM (
             SELECT units FROM batches WHERE licence = $1 AND opened_slot = $2 AND seq > $3 AND status <> 'dead'
             UNION ALL
             SELECT pending_units FROM usage_accounts WHERE licence = $1 AND opened_slot = $2
         ) AS used",
    )
    .bind(&licence)
    .bind(opened)
    .bind(int(request.usage_seq))
    .fetch_one(&mut *connection)
    .await?;
    let leases =
        sqlx::query("SELECT server, units FROM leases WHERE licence = $1 AND opened_slot = $2 AND lapses_at > $3")
            .bind(&licence)
            .bind(opened)
            .bind(request.now)
            .fetch_all(connection)
            .await?;
    let mut found = Outstanding { used: uint(&used, 0)?, own: None, others: 0 };
    for row in &leases {
        let units = uint(row, 1)?;
        if row.try_get::<String, _>(0)? == request.server {
            found.own = Some(units);
        } else {
            found.others = found.others.saturating_add(units);
        }
    }
    Ok(found)
}

async fn drop_lapsed(tx: &mut AnyConnection, request: &LeaseRequest<'_>) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM leases WHERE licence = $1 AND opened_slot = $2 AND lapses_at <= $3")
        .bind(key_text(&request.account.licence))
        .bind(int(request.account.opened_slot))
        .bind(request.now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Locks the account's row. An account without a row has used nothing; two servers that lease from it at once are
/// ordered by the row made here.
async fn lock_account(tx: &mut AnyConnection, request: &LeaseRequest<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO usage_accounts (licence, opened_slot, skill_account, buyer, seller, priced, currency,
             pending_units, pending_count, pending_amount, pending_since, batch_cap, retry_at)
         VALUES ($1, $2, '', '', '', 0, '', 0, 0, 0, 0, 0, 0)
         ON CONFLICT (licence, opened_slot) DO UPDATE SET pending_units = usage_accounts.pending_units",
    )
    .bind(key_text(&request.account.licence))
    .bind(int(request.account.opened_slot))
    .execute(tx)
    .await?;
    Ok(())
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

/// Ends the leases of one server, or of all.
pub(crate) async fn release_leases(db: &Database, server: Option<&str>) -> Result<(), sqlx::Error> {
    let mut tx = db.write().await?;
    match server {
        Some(server) => sqlx::query("DELETE FROM leases WHERE server = $1").bind(server).execute(&mut *tx).await?,
        None => sqlx::query("DELETE FROM leases").execute(&mut *tx).await?,
    };
    tx.commit().await
}
