//! SQL of a group: its receipts, the usage they add to accounts and take out of leases, and what API keys spent.

use std::collections::BTreeMap;

use clawos_base::database::columns::{int, key_text};
use clawos_interface::Currency;
use clawos_receipts::{Receipt, SignedReceipt};
use sqlx::{AnyConnection, AssertSqlSafe};

use super::Charge;
use crate::account::Account;
use crate::audit::{self, Action};
use crate::reserve;
use crate::spending::{self, Spend};

/// Rows of one INSERT, when there are that many; the rest go one by one, so that only two statements are prepared.
const ROWS: usize = 16;
/// Columns of a receipt's row.
const COLUMNS: usize = 14;

/// A receipt with what it adds.
#[derive(Debug)]
pub(super) struct NewReceipt<'a> {
    pub signed: &'a SignedReceipt,
    /// The usage to settle.
    pub charge: Option<Charge>,
    /// What the API key spent.
    pub spend: Option<Spend>,
    /// Nobody will be charged for it.
    pub waived: bool,
}

/// What an account's receipts of one group add to what is to be settled.
#[derive(Debug, Clone, Copy, Default)]
struct Added {
    units: i64,
    count: i64,
    amount: i64,
    leased_units: u64,
}

/// Writes a group of receipts and everything that follows from it.
pub(super) async fn record(
    tx: &mut AnyConnection,
    mut rows: Vec<NewReceipt<'_>>,
    server: &str,
    now: i64,
) -> Result<(), sqlx::Error> {
    let lapsed = add_usage(tx, &mut rows, server, now).await?;
    let settlements: Vec<&'static str> = rows.iter().map(NewReceipt::settlement).collect();
    let mut written = 0;
    while rows.len() - written >= ROWS {
        insert(tx, &rows[written..written + ROWS], &settlements[written..]).await?;
        written += ROWS;
    }
    for at in written..rows.len() {
        insert(tx, &rows[at..=at], &settlements[at..]).await?;
    }
    for spend in merged(rows.iter().filter(|row| !row.waived).filter_map(|row| row.spend.as_ref())) {
        spending::record(tx, &spend).await?;
    }
    // After the locks of all accounts: see `audit`.
    for (account, units) in lapsed {
        let detail = format!("{units} units: the lease they came from lapsed before their calls ended");
        audit::append(tx, now, Action::Waived, &account, "", &detail).await?;
    }
    Ok(())
}

/// What the group spent, one for each row it changes, in one order for all servers, so that their transactions never wait
/// for each other in a circle.
fn merged<'a>(spends: impl Iterator<Item = &'a Spend>) -> Vec<Spend> {
    let mut merged: BTreeMap<(&str, i64, &str), Spend> = BTreeMap::new();
    for spend in spends {
        merged
            .entry((&spend.api_key, spend.day, spend.currency.as_str()))
            .and_modify(|sum| sum.amount = sum.amount.saturating_add(spend.amount))
            .or_insert_with(|| spend.clone());
    }
    merged.into_values().collect()
}

impl NewReceipt<'_> {
    fn pending(&self) -> Option<&Charge> {
        self.charge.as_ref().filter(|_| self.signed.receipt.units > 0 && !self.waived)
    }

    fn settlement(&self) -> &'static str {
        match (&self.charge, self.signed.receipt.units) {
            (None, _) | (_, 0) => "none",
            _ if self.waived => "waived",
            _ => "pending",
        }
    }
}

/// Adds the group's usage to its accounts and takes it out of this server's leases. Usage that a lapsed lease no longer
/// covers is waived: the accounts and units.
async fn add_usage(
    tx: &mut AnyConnection,
    rows: &mut [NewReceipt<'_>],
    server: &str,
    now: i64,
) -> Result<Vec<(Account, i64)>, sqlx::Error> {
    let mut lapsed = Vec::new();
    // Ordered by account, for the same reason as above.
    let mut accounts: BTreeMap<Account, (Added, usize)> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let Some(charge) = row.pending() else { continue };
        let (added, first) = accounts.entry(charge.account).or_insert((Added::default(), index));
        added.add(&row.signed.receipt, charge.leased);
        *first = (*first).min(index);
    }
    for (account, (added, first)) in accounts {
        let Some(charge) = rows[first].charge else { continue };
        let receipt = &rows[first].signed.receipt;
        change_pending(tx, &charge, receipt, added, now).await?;
        let covered = added.leased_units == 0 || reserve::capture(tx, &account, server, added.leased_units).await?;
        if covered {
            continue;
        }
        let mut lost = Added::default();
        for row in rows.iter_mut() {
            if row.pending().is_some_and(|charge| charge.account == account && charge.leased) {
                lost.add(&row.signed.receipt, true);
                row.waived = true;
            }
        }
        tracing::warn!(
            licence = key_text(&account.licence),
            units = lost.units,
            "a lease lapsed before its calls ended"
        );
        metrics::counter!("clawos_waived_units_total").increment(lost.leased_units);
        change_pending(tx, &charge, &rows[first].signed.receipt, lost.negated(), now).await?;
        lapsed.push((account, lost.units));
    }
    Ok(lapsed)
}

impl Added {
    fn add(&mut self, receipt: &Receipt, leased: bool) {
        self.units = self.units.saturating_add(int(receipt.units));
        self.count += 1;
        self.amount = self.amount.saturating_add(int(receipt.amount));
        self.leased_units += if leased { receipt.units } else { 0 };
    }

    fn negated(self) -> Added {
        Added { units: -self.units, count: -self.count, amount: -self.amount, ..self }
    }
}

async fn change_pending(
    tx: &mut AnyConnection,
    charge: &Charge,
    receipt: &Receipt,
    added: Added,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO usage_accounts (licence, opened_slot, skill_account, buyer, seller, priced, currency,
             pending_units, pending_count, pending_amount, pending_since, batch_cap, retry_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
         ON CONFLICT (licence, opened_slot) DO UPDATE SET
             skill_account = excluded.skill_account, buyer = excluded.buyer, seller = excluded.seller,
             priced = excluded.priced, currency = excluded.currency, batch_cap = excluded.batch_cap,
             pending_since = CASE WHEN usage_accounts.pending_count = 0 THEN excluded.pending_since
                                  ELSE usage_accounts.pending_since END,
             pending_units = usage_accounts.pending_units + excluded.pending_units,
             pending_count = usage_accounts.pending_count + excluded.pending_count,
             pending_amount = usage_accounts.pending_amount + excluded.pending_amount",
    )
    .bind(key_text(&charge.account.licence))
    .bind(int(charge.account.opened_slot))
    .bind(key_text(&charge.skill_account))
    .bind(key_text(&receipt.buyer))
    .bind(key_text(&receipt.seller))
    .bind(i64::from(receipt.unit_price > 0))
    .bind(receipt.currency.map_or("", Currency::as_str))
    .bind(added.units)
    .bind(added.count)
    .bind(added.amount)
    .bind(now)
    .bind(int(charge.batch_cap))
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert(
    tx: &mut AnyConnection,
    rows: &[NewReceipt<'_>],
    settlements: &[&'static str],
) -> Result<(), sqlx::Error> {
    let mut query = sqlx::query(AssertSqlSafe(insert_statement(rows.len())));
    for (row, settlement) in rows.iter().zip(settlements) {
        let receipt = &row.signed.receipt;
        let json = |error: serde_json::Error| sqlx::Error::Encode(error.into());
        query = query
            .bind(&receipt.id)
            .bind(key_text(&receipt.buyer))
            .bind(key_text(&receipt.seller))
            .bind(&receipt.skill)
            .bind(receipt.licence.as_ref().map(key_text))
            .bind(row.charge.map(|charge| int(charge.account.opened_slot)))
            .bind(int(receipt.units))
            .bind(int(receipt.amount))
            .bind(int(receipt.issued_at))
            .bind(*settlement)
            .bind(Option::<i64>::None)
            .bind(receipt.leaf_hash().to_vec())
            .bind(serde_json::to_string(receipt).map_err(json)?)
            .bind(serde_json::to_string(&row.signed.evidence).map_err(json)?);
    }
    query.execute(tx).await?;
    Ok(())
}

/// `INSERT` of so many rows. Only counted placeholders go into it, no data.
fn insert_statement(rows: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO receipts (id, buyer, seller, skill, licence, opened_slot, units, amount, issued_at, settlement, \
         batch_seq, leaf, body, evidence) VALUES {}",
        rows.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn around_midnight_every_group_changes_the_rows_of_keys_in_the_same_order_and_each_once() {
        let spend =
            |api_key: &str, day, amount| Spend { api_key: api_key.into(), day, currency: Currency::Usdc, amount };
        let group = [spend("b", 1, 1), spend("a", 2, 2), spend("a", 1, 3), spend("b", 1, 4), spend("a", 2, 5)];
        let expected = [spend("a", 1, 3), spend("a", 2, 7), spend("b", 1, 5)];
        assert_eq!(merged(group.iter()), expected);
        assert_eq!(merged(group.iter().rev()), expected);
    }

    #[test]
    fn placeholders_are_numbered_through_all_rows() {
        let statement = insert_statement(2);
        assert!(statement.ends_with("$14), ($15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)"));
    }
}
