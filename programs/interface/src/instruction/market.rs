//! Builders for those who run the marketplace.

use alloc::vec;

use super::args::InitializeArgs;
use super::build::{AccountMeta, Data, Instruction, SYSTEM};
use super::discriminator;
use crate::known::PROGRAM_DATA;
use crate::{pda, Key};

/// `initialize`: makes Config. `deployer` is the program's upgrade authority and pays the rent.
pub fn initialize(deployer: &Key, usdc_mint: &Key, args: &InitializeArgs) -> Instruction {
    let data = Data::new(discriminator::INITIALIZE)
        .bytes(&args.authority)
        .bytes(&args.treasury)
        .bytes(&args.guardian)
        .bytes(&args.arbiter)
        .bytes(&args.meter)
        .u16(args.fee_bps)
        .u64(args.min_price[0])
        .u64(args.min_price[1])
        .u64(args.max_price[0])
        .u64(args.max_price[1])
        .u32(args.max_refund_window)
        .u32(args.settle_delay);
    let accounts = vec![
        AccountMeta::signer_mut(*deployer),
        AccountMeta::writable(pda::config().0),
        AccountMeta::readonly(*usdc_mint),
        AccountMeta::readonly(PROGRAM_DATA),
        SYSTEM,
    ];
    Instruction::ours(accounts, data)
}

/// `pause`: sets `bits` ([`PauseBits`](crate::codes::PauseBits)); signed by the guardian or the authority.
pub fn pause(signer: &Key, bits: u16) -> Instruction {
    change_pause(signer, discriminator::PAUSE, bits)
}

/// `unpause`: clears `bits`; signed by the authority.
pub fn unpause(authority: &Key, bits: u16) -> Instruction {
    change_pause(authority, discriminator::UNPAUSE, bits)
}

fn change_pause(signer: &Key, discriminator: [u8; 8], bits: u16) -> Instruction {
    let accounts = vec![AccountMeta::signer(*signer), AccountMeta::writable(pda::config().0)];
    Instruction::ours(accounts, Data::new(discriminator).u16(bits))
}
