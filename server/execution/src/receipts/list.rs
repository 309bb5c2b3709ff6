//! The caller's own receipts, as buyer or seller, newest first.

use clawos_api::execution::{ReceiptPage, ReceiptsQuery};
use clawos_api::limits::MAX_SKILL_ID;
use clawos_base::database::columns::int;
use clawos_base::page::{page, page_limit};
use clawos_base::{Cursor, Problems};
use clawos_identity::{Caller, Scope};
use clawos_receipts::SignedReceipt;

use super::store::{self, Filter};
use crate::Execution;
use crate::error::ExecutionError;

impl Execution {
    /// A page of the caller's receipts.
    ///
    /// # Errors
    /// [`ExecutionError::Page`], [`ExecutionError::Invalid`], [`ExecutionError::ScopeMissing`].
    pub async fn receipts(&self, caller: &Caller, query: ReceiptsQuery) -> Result<ReceiptPage, ExecutionError> {
        caller.require(Scope::Read)?;
        let limit = page_limit(query.limit)?;
        if let Some(skill) = &query.skill {
            let mut problems = Problems::default();
            problems.text("/skill", skill, 1..=MAX_SKILL_ID);
            problems.into_result()?;
        }
        let filter = Filter {
            wallet: caller.wallet,
            from: query.from.map_or(0, |time| time.0),
            to: query.to.map_or(i64::MAX, |time| time.0),
            skill: query.skill.unwrap_or_default(),
            after: Cursor::start(query.cursor.as_deref())?,
            limit: limit + 1,
        };
        let rows = store::list(&self.ports.db, &filter).await?;
        let cursor =
            |signed: &SignedReceipt| Cursor { number: int(signed.receipt.issued_at), id: signed.receipt.id.clone() };
        let page = page(rows, limit, cursor, |signed| signed);
        Ok(ReceiptPage { items: page.items, next_cursor: page.next_cursor })
    }
}
