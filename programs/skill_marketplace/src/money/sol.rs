//! Lamports.

use anchor_lang::cpi::rent_exempt_lamports;
use anchor_lang::pinocchio::instruction::InstructionAccount;
use anchor_lang::prelude::*;
use anchor_lang::unchecked_invoke_signed_fixed;
use interface::{Key, ProgramError as Refusal};

use crate::state::key;

/// The System program's instruction number of a transfer.
const TRANSFER: u8 = 2;

/// Whether `view` is the account `expected` and holds at least the rent minimum after receiving `amount`; the runtime
/// refuses anything less.
pub fn check(view: &AccountView, expected: &Key, amount: u64, wrong: Refusal) -> core::result::Result<(), Refusal> {
    if key(view.address()) != expected {
        return Err(wrong);
    }
    if amount == 0 {
        return Ok(());
    }
    if !view.is_writable() {
        return Err(Refusal::RecipientFrozen);
    }
    let minimum = rent_exempt_lamports(view.data_len()).map_err(|_| Refusal::RecipientNotRentExempt)?;
    let after = view.lamports().checked_add(amount).ok_or(Refusal::MathOverflow)?;
    if after < minimum {
        return Err(Refusal::RecipientNotRentExempt);
    }
    Ok(())
}

/// Moves lamports out of a wallet that signs the transaction, by the System program.
pub fn pay(from: &AccountView, to: &AccountView, amount: u64) {
    if amount == 0 {
        return;
    }
    let mut data = [0; 12];
    data[0] = TRANSFER;
    data[4..].copy_from_slice(&amount.to_le_bytes());
    let (mut from, mut to) = (*from, *to);
    let (from_key, to_key) = (*from.address(), *to.address());
    let accounts = [InstructionAccount::writable_signer(&from_key), InstructionAccount::writable(&to_key)];
    let handles = [CpiHandle::writable(&mut from), CpiHandle::writable(&mut to)];
    unchecked_invoke_signed_fixed(&System::id(), &data, &accounts, &handles, &[]);
}

/// Moves lamports out of an account that this program owns.
pub fn move_out(from: &AccountView, to: &AccountView, amount: u64) -> Result<()> {
    from.sub_lamports(amount)?;
    to.add_lamports(amount)?;
    Ok(())
}
