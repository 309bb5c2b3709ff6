//! Calling a skill through the proxy.

use clawos_receipts::SignedReceipt;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{BASE, Money, number, segment};
use crate::error::Result;
use crate::http::{Call, Client, Retry, json};

/// A call.
#[derive(Debug, Clone, Serialize)]
pub struct ExecuteRequest {
    /// Which endpoint.
    pub endpoint: String,
    /// The input, sent and hashed exactly as it is written.
    pub payload: Box<RawValue>,
    /// The most the call may cost, in base units.
    #[serde(with = "number::option", skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<u64>,
    /// A pinned version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecuteAnswer {
    /// The skill's answer, byte for byte; null in a dry run.
    pub result: Box<RawValue>,
    /// What the run used.
    pub usage: Usage,
    /// What it cost.
    pub price: Money,
    /// The licence it rests on; null for a free skill.
    #[serde(default)]
    pub licence: Option<LicenceUsed>,
    /// What the skill logged.
    #[serde(default)]
    pub logs: Vec<LogLine>,
    /// Whether it logged more than is kept.
    #[serde(default)]
    pub logs_truncated: bool,
    /// The signed bill; null in a dry run.
    #[serde(default)]
    pub receipt: Option<SignedReceipt>,
}

/// What a run used.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Counted instructions.
    #[serde(with = "number")]
    pub fuel: u64,
    /// Microseconds by the clock.
    #[serde(with = "number")]
    pub wall_us: u64,
    /// Microseconds of processor time.
    #[serde(with = "number")]
    pub cpu_us: u64,
    /// Bytes of memory at the highest.
    #[serde(with = "number")]
    pub peak_memory: u64,
    /// Bytes of input.
    #[serde(with = "number")]
    pub bytes_in: u64,
    /// Bytes of output.
    #[serde(with = "number")]
    pub bytes_out: u64,
    /// Calls into the host.
    #[serde(with = "number")]
    pub host_calls: u64,
}

/// The licence a call rests on, and how fresh that knowledge is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LicenceUsed {
    /// Its address.
    pub key: String,
    /// The slot it was read at.
    #[serde(with = "number")]
    pub slot: u64,
    /// How old that is, in milliseconds.
    #[serde(with = "number")]
    pub age_ms: u64,
    /// `chain`, `cache` or `grace`.
    pub source: String,
}

/// A line a skill logged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogLine {
    /// `debug`, `info`, `warn`, `error`.
    pub level: String,
    /// The line.
    pub message: String,
}

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
        self.json(call).await
    }
}
