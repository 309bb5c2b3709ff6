//! Purchase: one payment that can still be taken back, seeds `purchase`, licence, number. Made only where a refund
//! window exists.

use crate::integers::{I64, U16, U32, U64};
use crate::layout::layout;
use crate::Key;

layout! {
    /// A payment held until its refund window has passed or a dispute is decided.
    Purchase = [33, 203, 1, 252, 231, 228, 8, 67], version 1, at version {
        /// The licence it paid for.
        licence: Key,
        /// Who paid and would be refunded.
        buyer: Key,
        /// SHA-256 of the reason given when a dispute was opened; zeros when none.
        dispute_reason: [u8; 32],
        /// Base units paid.
        amount: U64,
        /// Base units of it that go to the treasury at release.
        fee: U64,
        /// The licence's `usage_total` when it was made: a refund needs it unchanged.
        usage_at_purchase: U64,
        /// Unix seconds.
        created_at: I64,
        /// When anyone may release it to the seller, Unix seconds.
        release_at: I64,
        /// When a dispute was opened, Unix seconds; 0 = none.
        disputed_at: I64,
        /// Seconds it added to the licence; taken back by a refund.
        period_added: U32,
        /// Its number among the licence's purchases, from 1.
        n: U32,
        /// The buyer's share in basis points as the arbiter decided.
        resolved_buyer_bps: U16,
        /// [`Currency`](crate::Currency).
        currency: u8,
        /// 1 = held, 2 = disputed, 3 = released, 4 = refunded.
        status: u8,
        /// Layout version.
        version: u8,
        /// Bump of the address.
        bump: u8,
        /// For later versions; zeros.
        reserved: [u8; 42],
    }
}
