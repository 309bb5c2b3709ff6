//! Comparing a transaction that the server offers with the one that this crate assembled itself, byte for byte. Only the
//! latter is ever signed.

use clawos_interface::Key;
use clawos_interface::instruction::Instruction;
use clawos_receipts::text::from_base58;
use clawos_solana::transaction::{message, unsigned_base64};

use super::ChainError;

/// Checks the first thing that is not the same, by its name.
///
/// # Errors
/// [`ChainError::Differs`] naming it.
pub(super) fn check_same(parts: &[(&str, bool)]) -> Result<(), ChainError> {
    let other = parts.iter().find(|(_, same)| !same);
    other.map_or(Ok(()), |(what, _)| Err(ChainError::Differs((*what).to_owned())))
}

/// Checks that `offered` is the unsigned transaction of `instructions` by `buyer` with this blockhash.
///
/// # Errors
/// [`ChainError::Differs`].
pub(super) fn check_transaction(
    buyer: &Key,
    instructions: &[Instruction],
    blockhash: &str,
    offered: &str,
) -> Result<(), ChainError> {
    let blockhash = from_base58::<32>(blockhash);
    let blockhash = blockhash.map_err(|_| ChainError::Differs("the form of its blockhash".to_owned()))?;
    let ours = unsigned_base64(&message(buyer, instructions, &blockhash));
    check_same(&[("the bytes of the transaction", ours == offered)])
}
