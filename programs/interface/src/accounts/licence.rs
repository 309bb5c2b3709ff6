//! Licence: one buyer's right to one skill, seeds `licence`, skill, buyer. The truth about that right.

use crate::integers::{I64, U32, U64};
use crate::layout::layout;
use crate::Key;

layout! {
    /// One buyer's right to one skill, with the prepaid credit, the caps and the chain of recorded usage.
    Licence = [189, 100, 109, 91, 126, 56, 170, 241], version 1, at version {
        /// The skill's account.
        skill: Key,
        /// The buyer's wallet.
        buyer: Key,
        /// Who records usage, as agreed at the last purchase or renewal.
        meter: Key,
        /// Mint of the licence's badge; zeros when none.
        mint: Key,
        /// Hash of the terms agreed to.
        terms_hash: Key,
        /// Hash chain over the roots recorded so far; starts at [`first_root`](crate::rules::usage::first_root).
        chain_root: [u8; 32],
        /// Base units per unit of usage; 0 for kinds that do not pay per unit.
        unit_price: U64,
        /// Slot in which the account was made.
        created_slot: U64,
        /// Units this licence may ever use; 0 = no limit.
        usage_limit: U64,
        /// Units one `record_usage` may carry; 0 = no limit.
        max_units_per_batch: U64,
        /// Units that may be recorded per UTC day; 0 = no limit.
        max_units_per_day: U64,
        /// Caps that bind new calls now and recording from `caps_eta`: limit.
        next_usage_limit: U64,
        /// As above: per batch.
        next_units_per_batch: U64,
        /// As above: per day.
        next_units_per_day: U64,
        /// Units recorded on `day`.
        day_units: U64,
        /// Units recorded since the account was made.
        usage_total: U64,
        /// Number of the last recorded batch.
        usage_seq: U64,
        /// Prepaid base units.
        credit: U64,
        /// Base units of recorded usage not paid yet.
        unbilled: U64,
        /// Base units of usage paid so far; the fee is taken on this total.
        billed_total: U64,
        /// Base units a pending refund gives back; 0 for other exits.
        exit_amount: U64,
        /// Unix seconds.
        created_at: I64,
        /// Start of the present right, Unix seconds.
        starts_at: I64,
        /// End of the present right, Unix seconds; 0 = never.
        expires_at: I64,
        /// When the pending exit may be executed, Unix seconds.
        exit_at: I64,
        /// When the caps that wait take effect for recording, Unix seconds; 0 = none wait.
        caps_eta: I64,
        /// Length of the subscription period agreed to, seconds.
        period_secs: U32,
        /// The skill's terms version agreed to.
        terms_version: U32,
        /// UTC day of the last recorded batch, days since 1970.
        day: U32,
        /// Purchases and renewals of this licence.
        purchases: U32,
        /// [`Kind`](crate::Kind).
        kind: u8,
        /// [`Tier`](crate::Tier).
        tier: u8,
        /// [`LicenceStatus`](crate::LicenceStatus).
        status: u8,
        /// [`SuspendReason`](crate::SuspendReason).
        suspended_reason: u8,
        /// For later use; zero.
        flags: u8,
        /// [`Currency`](crate::Currency).
        currency: u8,
        /// [`Unit`](crate::Unit).
        unit_kind: u8,
        /// [`ExitKind`](crate::ExitKind) that is pending.
        exit_kind: u8,
        /// Bump of the USDC credit vault's address; 0 until the first deposit.
        vault_bump: u8,
        /// Layout version.
        version: u8,
        /// Bump of the address.
        bump: u8,
        /// The meter before, which may still record what it served; zeros when none.
        previous_meter: Key,
        /// Until when it may, Unix seconds.
        meter_until: I64,
        /// When the pending exit was asked for, Unix seconds.
        exit_requested_at: I64,
        /// For later versions; zeros.
        reserved: [u8; 13],
    }
}
