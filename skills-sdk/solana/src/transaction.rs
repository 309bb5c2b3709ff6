//! From `clawos_interface`'s instructions to Solana transactions: conversion, message, wire form, signature. No network.
//!
//! Every transaction is a legacy one with a single signer, who also pays the fees.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clawos_interface::Key;
use clawos_interface::instruction::Instruction;
use ed25519_dalek::{Signer, SigningKey};
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction as SolanaInstruction};
use solana_message::legacy::Message;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::Transaction;

/// The longest transaction the network carries, in bytes.
pub const MAX_TRANSACTION_BYTES: usize = 1_232;
/// Bytes of one signature on the wire.
const SIGNATURE_BYTES: usize = 64;

/// A recent blockhash, and until when transactions with it are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blockhash {
    /// The hash.
    pub hash: Key,
    /// Transactions with it are refused above this block height.
    pub last_valid_block_height: u64,
}

/// One instruction in Solana's own type.
pub fn to_solana(instruction: &Instruction) -> SolanaInstruction {
    let accounts = instruction.accounts.iter().map(|meta| AccountMeta {
        pubkey: Pubkey::from(meta.key),
        is_signer: meta.signer,
        is_writable: meta.writable,
    });
    SolanaInstruction {
        program_id: Pubkey::from(instruction.program_id),
        accounts: accounts.collect(),
        data: instruction.data.clone(),
    }
}

/// A legacy message whose fees `payer` pays.
pub fn message(payer: &Key, instructions: &[Instruction], blockhash: &Key) -> Message {
    let instructions: Vec<_> = instructions.iter().map(to_solana).collect();
    Message::new_with_blockhash(&instructions, Some(&Pubkey::from(*payer)), &Hash::new_from_array(*blockhash))
}

/// The wire form of a transaction that its one signer has not signed, in base64: the number of signatures, a signature
/// of zeros, the message.
pub fn unsigned_base64(message: &Message) -> String {
    let mut wire = vec![1];
    wire.extend_from_slice(&[0; SIGNATURE_BYTES]);
    wire.extend_from_slice(&message.serialize());
    BASE64_STANDARD.encode(wire)
}

/// The length on the wire, in bytes, of a transaction that `payer` alone signs.
pub fn wire_len(payer: &Key, instructions: &[Instruction]) -> usize {
    1 + SIGNATURE_BYTES + message(payer, instructions, &[0; 32]).serialize().len()
}

/// A transaction of `instructions`; `signer` is its only signer and pays the fees.
pub fn signed(signer: &SigningKey, instructions: &[Instruction], blockhash: &Key) -> Transaction {
    let message = message(&signer.verifying_key().to_bytes(), instructions, blockhash);
    let signature = Signature::from(signer.sign(&message.serialize()).to_bytes());
    Transaction { signatures: vec![signature], message }
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
