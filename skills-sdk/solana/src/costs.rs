//! What a transaction takes beside the money that it moves: the fee of its signature, and the rent of token accounts that it
//! makes. Server and client name costs by this file.

use std::collections::BTreeSet;

use clawos_interface::Key;
use clawos_interface::instruction::Instruction;
use clawos_interface::known::ASSOCIATED_TOKEN_PROGRAM;

/// Lamports per signature: Solana's base fee. Every transaction here has one signature.
pub const FEE_PER_SIGNATURE: u64 = 5_000;
/// Bytes of a classic token account, which its rent is for.
pub const TOKEN_ACCOUNT_BYTES: usize = 165;

/// The token accounts that instructions make where they are missing.
pub fn token_accounts(instructions: &[Instruction]) -> BTreeSet<Key> {
    let makes = instructions.iter().filter(|instruction| instruction.program_id == ASSOCIATED_TOKEN_PROGRAM);
    makes.filter_map(|instruction| instruction.accounts.get(1)).map(|account| account.key).collect()
}

#[cfg(test)]
mod tests {
    use clawos_interface::instruction::{create_associated_token_idempotent, set_compute_unit_limit};
    use clawos_interface::pda;

    use super::*;

    #[test]
    fn each_token_account_counts_once() {
        let make = |owner| create_associated_token_idempotent(&[1; 32], &[owner; 32], &[9; 32]);
        let found = token_accounts(&[set_compute_unit_limit(1), make(2), make(3), make(2)]);
        assert_eq!(found, BTreeSet::from([2, 3].map(|owner| pda::ata(&[owner; 32], &[9; 32]).0)));
    }
}
