//! From `clawos_interface`'s instructions to Solana transactions: conversion, assembly, signing, wire form. No network.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clawos_interface::Key;
use clawos_interface::instruction::Instruction;
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction as SolanaInstruction};
use solana_message::legacy::Message;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::Transaction;

use crate::wallet::Wallet;

/// Bytes of one signature on the wire.
const SIGNATURE_BYTES: usize = 64;

/// A blockhash, and the block height after which transactions with it lapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blockhash {
    /// The hash.
    pub hash: Key,
    /// The last block that takes it.
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

/// The unsigned wire form: one signature of zeros, then the message; in base64, as the server offers it.
pub fn unsigned_base64(message: &Message) -> String {
    let body = message.serialize();
    let mut wire = Vec::with_capacity(1 + SIGNATURE_BYTES + body.len());
    wire.push(1);
    wire.extend_from_slice(&[0; SIGNATURE_BYTES]);
    wire.extend_from_slice(&body);
    BASE64_STANDARD.encode(wire)
}

/// Signs a message that this crate built; the wallet is its only signer.
pub(crate) fn signed(wallet: &Wallet, message: Message) -> Transaction {
    let signature = Signature::from(wallet.sign(&message.serialize()));
    Transaction { signatures: vec![signature], message }
}
