//! What a call is asked with and answered with.

use clawos_receipts::SignedReceipt;
use clawos_receipts::text::decimal;
use clawos_runtime as runtime;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::http::{Input, Money, Problems};
use crate::licensing::Source;

/// Longest endpoint name and version (bytes).
const MAX_NAME: usize = 64;
/// Largest body: the largest payload, the other members, and whitespace between them (bytes).
const MAX_BODY: usize = clawos_manifest::limits::MAX_INPUT_BYTES as usize + 16 * 1024;

/// A call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExecuteRequest {
    /// Which endpoint.
    pub endpoint: String,
    /// The input; its bytes are hashed, checked and given to the skill as they are written here.
    #[schema(value_type = Object)]
    pub payload: Box<RawValue>,
    /// The most the call may cost, in base units. A decimal string.
    #[serde(default, with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    pub max_cost: Option<u64>,
    /// A pinned version; by default the newest that is not yanked.
    #[serde(default)]
    pub version: Option<String>,
}

impl Input for ExecuteRequest {
    const MAX_BYTES: usize = MAX_BODY;

    fn check(&self, problems: &mut Problems) {
        problems.text("/endpoint", &self.endpoint, 1..=MAX_NAME);
        if let Some(version) = &self.version {
            problems.text("/version", version, 1..=MAX_NAME);
        }
    }
}

/// How to treat the call.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExecuteQuery {
    /// Check everything and say the highest price, but run nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What came of a call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecuteAnswer<'a> {
    /// The skill's answer, byte for byte; null in a dry run.
    #[schema(value_type = Object)]
    pub result: Option<&'a RawValue>,
    /// What the call used.
    pub usage: UsageView,
    /// What it cost; in a dry run, the most it could cost.
    pub price: Money,
    /// The licence it rests on; null for free calls.
    pub licence: Option<&'a LicenceUsed>,
    /// What the skill logged.
    pub logs: &'a [LogView],
    /// Whether some of the log was cut off.
    pub logs_truncated: bool,
    /// The signed receipt; null in a dry run.
    #[schema(value_type = Option<Object>)]
    pub receipt: Option<&'a SignedReceipt>,
}

/// What a call used.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct UsageView {
    /// Fuel by the runtime's price list.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    fuel: u64,
    /// Time, microseconds.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    wall_us: u64,
    /// Processor time, microseconds.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    cpu_us: u64,
    /// Most memory at once, bytes.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    peak_memory: u64,
    /// Bytes of input.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    bytes_in: u64,
    /// Bytes of output.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    bytes_out: u64,
    /// Calls into the host.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    host_calls: u64,
}

impl From<runtime::Usage> for UsageView {
    fn from(usage: runtime::Usage) -> Self {
        UsageView {
            fuel: usage.fuel,
            wall_us: usage.wall_us,
            cpu_us: usage.cpu_us,
            peak_memory: usage.peak_memory,
            bytes_in: usage.bytes_in,
            bytes_out: usage.bytes_out,
            host_calls: usage.host_calls,
        }
    }
}

/// The licence a call rests on, and how fresh that knowledge was.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LicenceUsed {
    /// Its address.
    pub key: String,
    /// The slot it was read at.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub slot: u64,
    /// How old that was, milliseconds.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub age_ms: u64,
    /// Where it was read.
    pub source: Source,
}

/// A line that a skill logged.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LogView {
    /// `debug`, `info`, `warn` or `error`.
    level: &'static str,
    /// The text.
    message: String,
}

impl From<runtime::LogLine> for LogView {
    fn from(line: runtime::LogLine) -> Self {
        LogView { level: line.level.as_str(), message: line.message }
    }
}
