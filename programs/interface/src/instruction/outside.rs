//! Instructions of other programs that the marketplace's flow needs.

use alloc::vec;
use alloc::vec::Vec;

use super::build::{AccountMeta, Instruction, SYSTEM};
use crate::known::{ASSOCIATED_TOKEN_PROGRAM, COMPUTE_BUDGET_PROGRAM, TOKEN_PROGRAM};
use crate::{pda, Key};

/// Makes the associated token account of `owner` for `mint` unless it exists; `payer` signs and pays the rent.
pub fn create_associated_token_idempotent(payer: &Key, owner: &Key, mint: &Key) -> Instruction {
    let accounts = vec![
        AccountMeta::signer_mut(*payer),
        AccountMeta::writable(pda::ata(owner, mint).0),
        AccountMeta::readonly(*owner),
        AccountMeta::readonly(*mint),
        SYSTEM,
        AccountMeta::readonly(TOKEN_PROGRAM),
    ];
    Instruction { program_id: ASSOCIATED_TOKEN_PROGRAM, accounts, data: vec![1] }
}

/// Bounds the compute units of the transaction.
pub fn set_compute_unit_limit(units: u32) -> Instruction {
    compute_budget(2, &units.to_le_bytes())
}

/// Sets the priority fee of the transaction, in micro-lamports per compute unit.
pub fn set_compute_unit_price(micro_lamports: u64) -> Instruction {
    compute_budget(3, &micro_lamports.to_le_bytes())
}

fn compute_budget(tag: u8, argument: &[u8]) -> Instruction {
    let mut data = vec![tag];
    data.extend_from_slice(argument);
    Instruction { program_id: COMPUTE_BUDGET_PROGRAM, accounts: Vec::new(), data }
}
