//! Purchase: a payment that can still be taken back.

use super::*;

mirror!(Purchase {
    licence: Address,
    buyer: Address,
    dispute_reason: [u8; 32],
    amount: PodU64,
    fee: PodU64,
    usage_at_purchase: PodU64,
    created_at: PodI64,
    release_at: PodI64,
    disputed_at: PodI64,
    period_added: PodU32,
    n: PodU32,
    resolved_buyer_bps: PodU16,
    currency: u8,
    status: u8,
    version: u8,
    bump: u8,
    reserved: [u8; 42],
});
