//! What settlement gave up, or formed again, of a licence's usage: the audit log's entries, for buyer and seller.

use clawos_api::Page;
use clawos_api::audit::{Entry, ListQuery};
use clawos_base::audit;
use clawos_identity::{Caller, Scope};
use clawos_interface::Key;
use clawos_receipts::text::{from_base58, to_base58};

use super::store;
use crate::Execution;
use crate::audit::ACTOR;
use crate::error::ExecutionError;

impl Execution {
    /// A page of settlement's entries about the licence at `key`, base58, newest first.
    ///
    /// # Errors
    /// [`ExecutionError::UnknownLicence`] for all but its buyer and sellers, [`ExecutionError::ScopeMissing`],
    /// [`ExecutionError::Audit`].
    pub async fn licence_entries(
        &self,
        caller: &Caller,
        key: &str,
        query: &ListQuery,
    ) -> Result<Page<Entry>, ExecutionError> {
        caller.require(Scope::Read)?;
        let licence: Key = from_base58(key).map_err(|_| ExecutionError::UnknownLicence)?;
        // First, so that a wrong query is said to everybody alike.
        let entries = audit::list_about(&self.ports.db, ACTOR, &to_base58(&licence), query).await?;
        let entitled = store::is_party(&self.ports.db, &licence, &caller.wallet).await?;
        entitled.then_some(entries).ok_or(ExecutionError::UnknownLicence)
    }
}
