//! Config: the marketplace.

use super::*;

mirror!(Config {
    authority: Address,
    pending_authority: Address,
    treasury: Address,
    guardian: Address,
    arbiter: Address,
    meter: Address,
    usdc_mint: Address,
    authority_eta: PodI64,
    fee_eta: PodI64,
    usage_resumed_at: PodI64,
    min_price: [PodU64; 2],
    max_price: [PodU64; 2],
    max_refund_window: PodU32,
    settle_delay: PodU32,
    fee_bps: PodU16,
    pending_fee_bps: PodU16,
    pause_bits: PodU16,
    version: u8,
    bump: u8,
    reserved: [u8; 64],
});
