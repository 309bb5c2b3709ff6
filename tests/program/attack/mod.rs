//! Changing an instruction as an attacker would. Accounts are named as in the IDL.

mod answers;
mod forgeries;

use clawos_interface::Key;
use clawos_interface::instruction::{AccountMeta, Instruction};
use clawos_interface::known::PROGRAM_ID;
use solana_instruction::error::InstructionError;

use crate::idl;
use crate::people::{key, keypair};

pub use forgeries::refuses_forgeries;

/// What Anchor says when an account that changes is named twice.
pub const DUPLICATE: InstructionError = InstructionError::Custom(2040);

/// The Clock sysvar, `SysvarC1ock11111111111111111111111111111111`.
pub const CLOCK: Key = [
    6, 167, 213, 23, 24, 199, 116, 201, 40, 86, 99, 152, 105, 29, 94, 182, 139, 94, 184, 163, 155, 75, 109, 92, 115,
    85, 91, 33, 0, 0, 0, 0,
];

/// An address at which an attacker can put what he likes, as far as the runtime lets him.
pub fn anywhere() -> Key {
    key(&keypair(200))
}

/// The position of an instruction's account, by its name in the IDL.
pub fn position(ix: &Instruction, name: &str) -> usize {
    let accounts = idl::instruction(ix)["accounts"].as_array().expect("accounts are a list");
    accounts.iter().position(|account| account["name"] == name).unwrap_or_else(|| panic!("there is an account {name}"))
}

/// The instruction with another address for one account.
pub fn with(ix: &Instruction, name: &str, address: Key) -> Instruction {
    let mut ix = ix.clone();
    let at = position(&ix, name);
    ix.accounts[at].key = address;
    ix
}

/// The instruction without one of its optional accounts.
pub fn without(ix: &Instruction, name: &str) -> Instruction {
    let mut ix = ix.clone();
    let at = position(&ix, name);
    ix.accounts[at] = AccountMeta::readonly(PROGRAM_ID);
    ix
}

/// The instruction with some bytes of its data replaced; `at` counts from behind the discriminator.
pub fn with_data(ix: &Instruction, at: usize, bytes: &[u8]) -> Instruction {
    let mut ix = ix.clone();
    ix.data[8 + at..8 + at + bytes.len()].copy_from_slice(bytes);
    ix
}

/// The instruction with one account that does not change.
pub fn read_only(ix: &Instruction, name: &str) -> Instruction {
    let mut ix = ix.clone();
    let at = position(&ix, name);
    ix.accounts[at].writable = false;
    ix
}
