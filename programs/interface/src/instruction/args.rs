//! The arguments of the instructions. On the wire: fields in order, integers little-endian, nothing between them.

use crate::codes::{Kind, Tier};
use crate::rules::usage::Caps;
use crate::Key;

/// Arguments of `initialize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitializeArgs {
    /// Who may change Config from now on.
    pub authority: Key,
    /// Wallet that receives the fee.
    pub treasury: Key,
    /// Who may pause.
    pub guardian: Key,
    /// Who decides disputes.
    pub arbiter: Key,
    /// Who records usage where a skill names no meter.
    pub meter: Key,
    /// The fee in basis points, at most 1,000; usually [`DEFAULT_FEE_BPS`](crate::rules::fee::DEFAULT_FEE_BPS).
    pub fee_bps: u16,
    /// Lowest price of a purchase or period per currency (SOL, USDC), base units, at least 1.
    pub min_price: [u64; 2],
    /// Highest price per currency, base units, at most 2^63 − 1.
    pub max_price: [u64; 2],
    /// Longest refund window, seconds, at most [`MAX_REFUND_WINDOW_SECS`](crate::rules::terms::MAX_REFUND_WINDOW_SECS).
    pub max_refund_window: u32,
    /// Seconds between asking for an exit and executing it, 120 to 604,800.
    pub settle_delay: u32,
}

/// Arguments of a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurchaseArgs {
    /// Kind of licence.
    pub kind: Kind,
    /// Tier of licence.
    pub tier: Tier,
    /// Highest price the buyer accepts, base units: of the licence, the period, or (usage) one unit.
    pub max_price: u64,
    /// Hash of the terms the buyer agrees to.
    pub terms_hash: [u8; 32],
    /// The buyer's own caps; all 0 = none.
    pub caps: Caps,
}

/// Arguments of `record_usage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordArgs {
    /// Number of the batch: the licence's `usage_seq` + 1.
    pub seq: u64,
    /// The licence's present chain root.
    pub prev_root: [u8; 32],
    /// Units in the batch, at least 1.
    pub units: u64,
    /// Anchored root of the batch.
    pub root: [u8; 32],
}
