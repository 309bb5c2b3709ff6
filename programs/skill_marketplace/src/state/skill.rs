//! Skill: one listing.

use super::*;

mirror!(Skill {
    creator: Address,
    seller: Address,
    pending_seller: Address,
    payout: Address,
    meter: Address,
    skill_id: [u8; 32],
    listing_hash: [u8; 32],
    price_once: PodU64,
    price_period: PodU64,
    price_unit: PodU64,
    created_slot: PodU64,
    sales: PodU64,
    gross: PodU64,
    created_at: PodI64,
    updated_at: PodI64,
    period_secs: PodU32,
    refund_window: PodU32,
    terms_version: PodU32,
    open_licences: PodU32,
    tier_bps: [PodU32; 3],
    unit_kind: u8,
    currency: u8,
    kinds: u8,
    status: u8,
    version: u8,
    bump: u8,
    reserved: [u8; 70],
});
