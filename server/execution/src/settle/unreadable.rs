//! Rows that cannot be read, since somebody changed them: each stops its own licence and no other.

use clawos_base::database::columns::{key, uint};
use sqlx::any::AnyRow;

use super::halt::Halt;
use super::{RETRY_MS, SettleError, Settler, pending_store, show};
use crate::account::Account;
use crate::audit::{self, Action};

/// What is said of an account with such a row.
const UNREADABLE: &str = "a row of it, or of its open batch, holds a value that cannot be read";

/// The rows of an answer, whose first columns are an account's licence and opening.
#[derive(Debug)]
pub(super) struct Readable<T> {
    pub rows: Vec<T>,
    /// The accounts of rows that cannot be read, as far as these can be named.
    pub unreadable: Vec<Account>,
    /// The account of the last row that names one.
    pub last: Option<Account>,
    /// How many rows there were.
    pub found: usize,
}

impl<T> Readable<T> {
    /// Reads row by row.
    pub(super) fn of(rows: &[AnyRow], read: fn(&AnyRow) -> Result<T, sqlx::Error>) -> Readable<T> {
        let mut all =
            Readable { rows: Vec::with_capacity(rows.len()), unreadable: Vec::new(), last: None, found: rows.len() };
        for row in rows {
            let account = account(row).ok();
            all.last = account.or(all.last);
            match read(row) {
                Ok(one) => all.rows.push(one),
                Err(error) => {
                    let licence = account.map(|account| show(&account.licence));
                    tracing::error!(%error, licence, "{UNREADABLE}; it is left out");
                    all.unreadable.extend(account);
                }
            }
        }
        all
    }
}

fn account(row: &AnyRow) -> Result<Account, sqlx::Error> {
    Ok(Account { licence: key(row, 0)?, opened_slot: uint(row, 1)? })
}

impl Settler {
    /// Serves and settles nothing more of these accounts until their operator has looked at them; in the audit log once.
    pub(super) async fn stop_unreadable(&self, accounts: &[Account], halt: Halt, now: i64) -> Result<(), SettleError> {
        for account in accounts {
            let mut tx = self.db.write().await?;
            pending_store::postpone_account(&mut tx, account, now + RETRY_MS, UNREADABLE).await?;
            if pending_store::mark_stopped(&mut tx, account, halt).await? {
                audit::append(&mut tx, now, Action::Stopped, account, "", UNREADABLE).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}
