//! What is served and not settled yet, for those who watch the server.

mod store;

use std::collections::BTreeMap;

use clawos_interface::Currency;

use crate::Execution;

/// Usage that is not settled, of all licences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Receipts that a licence has to pay, or that have to be anchored, and that are not.
    pub receipts: u64,
    /// Their units.
    pub units: u64,
    /// What they cost, in base units of each currency; every currency has an entry.
    pub amounts: BTreeMap<Currency, u64>,
    /// How long the oldest charge waits (milliseconds); 0 when none does.
    pub oldest_ms: u64,
    /// Licences whose usage cannot be settled, since the chain has a batch that this database does not know.
    pub unknown_licences: u64,
}

impl Execution {
    /// What is not settled now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(&self) -> Result<Backlog, sqlx::Error> {
        let counted = store::count(&self.ports.db).await?;
        let oldest_ms = counted.oldest.map_or(0, |oldest| self.now_ms().saturating_sub(oldest));
        Ok(Backlog {
            receipts: counted.receipts,
            units: counted.units,
            amounts: store::amounts(&self.ports.db).await?,
            oldest_ms,
            unknown_licences: counted.unknown_licences,
        })
    }
}
