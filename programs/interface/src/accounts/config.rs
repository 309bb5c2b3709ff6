//! Config: one account for the whole marketplace, seeds `config`.

use crate::integers::{I64, U16, U32, U64};
use crate::layout::layout;
use crate::Key;

layout! {
    /// Who may do what, what the platform takes, and the bounds within which sellers set their terms.
    Config = [155, 12, 170, 224, 30, 250, 204, 130], version 1, at version {
        /// Changes everything here, in two steps where it hurts; also unpauses.
        authority: Key,
        /// Proposed next authority; zeros when none.
        pending_authority: Key,
        /// Wallet that receives the fee (USDC: in any token account of it; clients use the associated one).
        treasury: Key,
        /// May pause.
        guardian: Key,
        /// Decides disputes.
        arbiter: Key,
        /// Records usage for skills that name no meter of their own.
        meter: Key,
        /// The one accepted USDC mint.
        usdc_mint: Key,
        /// When a pending authority may accept, Unix seconds.
        authority_eta: I64,
        /// When a pending fee may be applied, Unix seconds.
        fee_eta: I64,
        /// When `record_usage` was last unpaused, Unix seconds; 0 = never. Exits asked for before wait their delay
        /// again from here.
        usage_resumed_at: I64,
        /// Lowest price of a purchase or period per currency (SOL, USDC), base units.
        min_price: [U64; 2],
        /// Highest price of anything per currency (SOL, USDC), base units.
        max_price: [U64; 2],
        /// Longest refund window a skill may offer, seconds.
        max_refund_window: U32,
        /// Seconds between asking for an exit and executing it.
        settle_delay: U32,
        /// The platform's share in basis points, at most [`MAX_FEE_BPS`](crate::rules::fee::MAX_FEE_BPS).
        fee_bps: U16,
        /// The raise that waits for `fee_eta`.
        pending_fee_bps: U16,
        /// [`PauseBits`](crate::codes::PauseBits) that are set.
        pause_bits: U16,
        /// Layout version.
        version: u8,
        /// Bump of the address.
        bump: u8,
        /// For later versions; zeros.
        reserved: [u8; 64],
    }
}

impl Config {
    /// Whether one of `bits` is paused.
    #[inline(always)]
    pub fn is_paused(&self, bits: u16) -> bool {
        self.pause_bits() & bits != 0
    }
}
