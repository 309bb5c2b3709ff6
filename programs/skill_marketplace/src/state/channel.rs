//! Channel: a buyer's deposit that vouchers draw on.

use super::*;

mirror!(Channel {
    licence: Address,
    payer: Address,
    rent_payer: Address,
    authorized_signer: Address,
    mint: Address,
    deposit: PodU64,
    settled: PodU64,
    paid: PodU64,
    salt: PodU64,
    open_slot: PodU64,
    closing_at: PodI64,
    grace_secs: PodU32,
    currency: u8,
    status: u8,
    version: u8,
    bump: u8,
    reserved: [u8; 40],
});
