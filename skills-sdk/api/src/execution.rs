//! Calls of skills, their receipts, and the batches in which receipts are settled.

use std::borrow::Cow;

use clawos_receipts::SignedReceipt;
use clawos_receipts::merkle::Step;
#[cfg(feature = "openapi")]
use clawos_receipts::schema;
use clawos_receipts::text::decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::identity::words;
use crate::market::Source;
use crate::{Money, Timestamp};

/// A call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExecuteRequest {
    /// Which endpoint.
    pub endpoint: String,
    /// The input; its bytes are hashed, checked and given to the skill as they are written here.
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Value))]
    pub payload: Box<RawValue>,
    /// The most the call may cost, in base units. A decimal string.
    #[serde(default, with = "decimal::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub max_cost: Option<u64>,
    /// A pinned version; by default the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// How to treat the call.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct ExecuteQuery {
    /// Check everything and say the highest price, but run nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What came of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExecuteAnswer {
    /// The skill's answer, byte for byte; null in a dry run.
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Value))]
    pub result: Option<Box<RawValue>>,
    /// What the call used.
    pub usage: UsageView,
    /// What it cost; in a dry run, the most it could cost.
    pub price: Money,
    /// The licence it rests on; null for free calls.
    pub licence: Option<LicenceUsed>,
    /// What the skill logged.
    pub logs: Vec<LogView>,
    /// Whether some of the log was cut off.
    pub logs_truncated: bool,
    /// The signed receipt; null in a dry run.
    pub receipt: Option<SignedReceipt>,
}

/// What a call used.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageView {
    /// Fuel by the runtime's price list.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub fuel: u64,
    /// Time, microseconds.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub wall_us: u64,
    /// Processor time, microseconds.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub cpu_us: u64,
    /// Most memory at once, bytes.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub peak_memory: u64,
    /// Bytes of input.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub bytes_in: u64,
    /// Bytes of output.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub bytes_out: u64,
    /// Calls into the host.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub host_calls: u64,
}

/// The licence a call rests on, and how fresh that knowledge was.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LicenceUsed {
    /// Its address.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub key: String,
    /// The slot it was read at.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub slot: u64,
    /// How old that was, milliseconds.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub age_ms: u64,
    /// Where it was read.
    pub source: Source,
}

/// A line that a skill logged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogView {
    /// `debug`, `info`, `warn` or `error`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub level: Cow<'static, str>,
    /// The text.
    pub message: String,
}

/// A receipt and where it stands on chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptAnswer {
    /// The signed receipt.
    pub receipt: SignedReceipt,
    /// Whether it is settled.
    pub settlement: Settlement,
    /// Its place on chain; null until it is in a batch, and for free and failed calls.
    pub anchor: Option<Anchor>,
}

words! {
    /// What is or will be charged for a receipt.
    Settlement {
        /// Nothing: the call was free, or failed.
        None "none",
        /// It will be in a batch.
        Pending "pending",
        /// It is in a batch.
        Batched "batched",
        /// Nothing: the platform could not charge it in time, or not as it was agreed.
        Waived "waived",
        /// Nothing: what is stored is not what was signed.
        SetAside "set_aside",
    }
}

/// Which receipt is meant: whoever can say its leaf has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct ProofQuery {
    /// The receipt's leaf hash, hex: `SHA-256(0x00 ‖ units ‖ amount ‖ SHA-256(receipt))`, integers as 64 bits
    /// little-endian, the receipt as RFC 8785 canonical JSON without its evidence.
    #[cfg_attr(feature = "openapi", param(value_type = schema::Sha256))]
    pub leaf: String,
}

/// Where a receipt stands on chain, for whoever has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProofAnswer {
    /// Whether it is settled.
    pub settlement: Settlement,
    /// Its place on chain; null while it is in no batch.
    pub anchor: Option<Anchor>,
}

/// A receipt's place on chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Anchor {
    /// The licence's address.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub licence: String,
    /// Number of the batch, from 1.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub seq: u64,
    /// Receipts in the batch.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub count: u64,
    /// Their units.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub units: u64,
    /// Their amount, base units.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub amount: u64,
    /// Merkle root over the receipts, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub tree_root: String,
    /// The root on chain, hex: it binds licence, number and totals to the tree.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub anchored_root: String,
    /// From the receipt's leaf to the tree's root.
    pub path: Vec<Step>,
    /// `pending`, `submitted`, `confirmed`, or `dead` when it can never land.
    pub status: BatchStatus,
    /// The settling transaction's signature, once sent.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::SignatureText>))]
    pub transaction: Option<String>,
    /// Its slot, once confirmed.
    #[serde(default, with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub slot: Option<u64>,
}

/// Which receipts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct ReceiptsQuery {
    /// Issued at or after this time (RFC 3339).
    #[cfg_attr(feature = "openapi", param(value_type = Option<Timestamp>))]
    pub from: Option<Timestamp>,
    /// Issued before this time (RFC 3339).
    #[cfg_attr(feature = "openapi", param(value_type = Option<Timestamp>))]
    pub to: Option<Timestamp>,
    /// Only of this skill.
    pub skill: Option<String>,
    /// How many, 1 to 100; 20 by default.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A page of receipts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptPage {
    /// Signed receipts.
    pub items: Vec<SignedReceipt>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

words! {
    /// Where a batch stands.
    BatchStatus {
        /// Formed, not sent.
        Pending "pending",
        /// Sent, not confirmed.
        Submitted "submitted",
        /// On chain.
        Confirmed "confirmed",
        /// It can never land: the platform's loss.
        Dead "dead",
    }
}

/// The totals of one batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchView {
    /// Its number, from 1.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub seq: u64,
    /// The licence's root before it, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub prev_root: String,
    /// Receipts in it.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub count: u64,
    /// Their units.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub units: u64,
    /// Their amount, base units.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub amount: u64,
    /// Merkle root over its receipts, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub tree_root: String,
    /// The root told to the chain, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub anchored_root: String,
    /// The licence's root after it, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub chain_root: String,
    /// Where it stands.
    pub status: BatchStatus,
    /// The settling transaction's signature.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::SignatureText>))]
    pub transaction: Option<String>,
    /// Its slot.
    #[serde(default, with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub slot: Option<u64>,
}

/// The batches of a licence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchList {
    /// The licence's address.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub licence: String,
    /// The root its chain begins with, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub first_root: String,
    /// In order of their numbers.
    pub items: Vec<BatchView>,
    /// Send it as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// One batch with what is in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchDetail {
    /// The licence's address.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub licence: String,
    /// Its totals.
    #[serde(flatten)]
    pub batch: BatchView,
    /// Its receipts in the order of the tree; null for anyone but the licence's buyer and seller with the scope `read`.
    pub leaves: Option<Vec<LeafView>>,
}

/// A receipt in a batch: what its leaf in the tree is the hash of, so that the batch's totals and root can be recomputed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeafView {
    /// The receipt's id.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::ReceiptId))]
    pub receipt: String,
    /// SHA-256 of its canonical JSON, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub receipt_sha256: String,
    /// Its units.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub units: u64,
    /// Its amount, base units.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub amount: u64,
}

/// Which page.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct BatchesQuery {
    /// How many, 1 to 100; 20 by default.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before: the last number seen.
    #[serde(default)]
    pub cursor: u64,
    /// Slot in which the licence account was made: a licence that was closed and bought again has several histories. The
    /// newest one with batches by default.
    pub opened_slot: Option<u64>,
}

/// Which of a licence's histories.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct OpeningQuery {
    /// Slot in which the licence account was made; the newest one with batches by default.
    pub opened_slot: Option<u64>,
}
