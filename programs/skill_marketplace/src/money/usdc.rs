//! USDC: classic SPL Token accounts, read and transferred by hand, since the generic helpers cost thousands of compute
//! units.
//!
//! A plain `Transfer` moves between accounts of one mint only, and one side is always checked against the pinned mint.

use anchor_lang::pinocchio::instruction::InstructionAccount;
use anchor_lang::prelude::*;
use anchor_lang::unchecked_invoke_signed_fixed;
use anchor_spl::token::TokenAccount;
use interface::known::{ASSOCIATED_TOKEN_PROGRAM, TOKEN_PROGRAM};
use interface::{Key, ProgramError as Refusal};

use crate::hash::sha256;
use crate::state::key;

/// The Token program's instruction number of a transfer.
const TRANSFER: u8 = 3;

/// The Token program's instruction number of closing an account.
const CLOSE: u8 = 9;

/// Reads a token account that is initialised and not frozen.
fn read(view: &AccountView) -> Option<Account<TokenAccount>> {
    let account = <Account<TokenAccount> as AnchorAccount>::load(*view).ok()?;
    (!account.is_frozen()).then_some(account)
}

/// Whether `view` is a usable token account of `owner` for `mint`.
pub fn holds(view: &AccountView, owner: &Key, mint: &Key) -> bool {
    read(view).is_some_and(|account| key(account.owner()) == owner && key(account.mint()) == mint)
}

/// The tokens in a usable token account.
pub fn balance(view: &AccountView) -> Option<u64> {
    read(view).map(|account| account.amount())
}

/// Whether `view` is a token account of `owner` for `mint` that can receive. Its associated token account that cannot
/// is `RecipientFrozen`; anything else is `wrong`.
pub fn check(view: &AccountView, owner: &Key, mint: &Key, wrong: Refusal) -> core::result::Result<(), Refusal> {
    if holds(view, owner, mint) {
        return if view.is_writable() { Ok(()) } else { Err(Refusal::RecipientFrozen) };
    }
    match associated(owner, mint) {
        Ok((associated, _)) if &associated == key(view.address()) => Err(Refusal::RecipientFrozen),
        _ => Err(wrong),
    }
}

/// The associated token account of `owner` for `mint`, and its bump.
pub fn associated(owner: &Key, mint: &Key) -> Result<(Key, u8)> {
    let program = Address::new_from_array(ASSOCIATED_TOKEN_PROGRAM);
    let (address, bump) = anchor_lang::cpi::try_find_program_address(&[owner, &TOKEN_PROGRAM, mint], &program)?;
    Ok((*key(&address), bump))
}

/// Whether `vault` is the licence's credit vault; its bump was found at the first deposit.
pub fn check_vault(vault: &AccountView, licence: &Key, mint: &Key, bump: u8) -> core::result::Result<(), Refusal> {
    let derived =
        sha256(&[licence, &TOKEN_PROGRAM, mint, &[bump], &ASSOCIATED_TOKEN_PROGRAM, b"ProgramDerivedAddress"]);
    if bump == 0 || key(vault.address()) != &derived {
        return Err(Refusal::WrongVault);
    }
    Ok(())
}

/// Moves tokens; `authority` signs the transaction, or `seeds` sign for it.
pub fn transfer(from: &AccountView, to: &AccountView, authority: &AccountView, amount: u64, seeds: &[&[&[u8]]]) {
    if amount == 0 {
        return;
    }
    let mut data = [TRANSFER; 9];
    data[1..].copy_from_slice(&amount.to_le_bytes());
    invoke(&data, from, to, authority, seeds);
}

/// Closes an empty token account; its rent goes to `destination`.
pub fn close(account: &AccountView, destination: &AccountView, authority: &AccountView, seeds: &[&[&[u8]]]) {
    invoke(&[CLOSE], account, destination, authority, seeds);
}

fn invoke(data: &[u8], from: &AccountView, to: &AccountView, authority: &AccountView, seeds: &[&[&[u8]]]) {
    let (mut from, mut to) = (*from, *to);
    let (from_key, to_key) = (*from.address(), *to.address());
    let accounts = [
        InstructionAccount::writable(&from_key),
        InstructionAccount::writable(&to_key),
        InstructionAccount::readonly_signer(authority.address()),
    ];
    let handles = [CpiHandle::writable(&mut from), CpiHandle::writable(&mut to), CpiHandle::readonly(authority)];
    unchecked_invoke_signed_fixed(&Token::id(), data, &accounts, &handles, seeds);
}
