//! Calling a skill through the proxy.

pub use clawos_api::execution::{ExecuteAnswer, ExecuteQuery, ExecuteRequest, LicenceUsed, LogView, UsageView};

use super::{BASE, segment};
use crate::error::Result;
use crate::http::{Call, Client, EXECUTE_TIMEOUT, Retry, json};

impl Client {
    /// `POST /skills/{id}/execute`. With the same `idempotency_key`, a repeated call replays the first answer and is
    /// not charged again; without one, each call has its own.
    ///
    /// # Errors
    /// `licence_required` and the other codes of execution; a failure after the run carries a zero-charge receipt.
    pub async fn execute(
        &self,
        skill: &str,
        request: &ExecuteRequest,
        dry_run: bool,
        idempotency_key: Option<&str>,
    ) -> Result<ExecuteAnswer> {
        let path = format!("{BASE}/skills/{}/execute", segment(skill)?);
        let call =
            Call::post(path, json(request), Retry::Safe).query("dry_run", dry_run.then_some(true)).key(idempotency_key);
        self.json(call.timeout(EXECUTE_TIMEOUT)).await
    }
}
