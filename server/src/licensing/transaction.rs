//! From `interface`'s instructions to Solana transactions: conversion, assembly, signing, wire form. No network.

use clawos_interface::Key;
use clawos_interface::instruction::Instruction;
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction as SolanaInstruction};
use solana_keypair::Keypair;
use solana_message::legacy::Message;
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;

/// The longest transaction the network carries, in bytes.
pub(crate) const MAX_TRANSACTION_BYTES: usize = 1_232;
/// Bytes of one signature on the wire.
const SIGNATURE_BYTES: usize = 64;

/// One instruction in Solana's own type.
pub(crate) fn to_solana(instruction: &Instruction) -> SolanaInstruction {
    let accounts = instruction
        .accounts
        .iter()
        .map(|meta| AccountMeta { pubkey: Pubkey::from(meta.key), is_signer: meta.signer, is_writable: meta.writable })
        .collect();
    SolanaInstruction { program_id: Pubkey::from(instruction.program_id), accounts, data: instruction.data.clone() }
}

/// A legacy message with `payer` as fee payer.
pub(crate) fn message(payer: &Key, instructions: &[Instruction], blockhash: [u8; 32]) -> Message {
    let instructions: Vec<_> = instructions.iter().map(to_solana).collect();
    Message::new_with_blockhash(&instructions, Some(&Pubkey::from(*payer)), &Hash::new_from_array(blockhash))
}

/// The wire form of a transaction that its one signer has not signed: a signature of zeros, then the message.
pub(crate) fn unsigned_wire(message: &Message) -> Vec<u8> {
    let body = message.serialize();
    let mut wire = Vec::with_capacity(1 + SIGNATURE_BYTES + body.len());
    wire.push(1);
    wire.extend_from_slice(&[0; SIGNATURE_BYTES]);
    wire.extend_from_slice(&body);
    wire
}

/// Signs `instructions` as the only signer and fee payer.
pub(crate) fn signed(signer: &Keypair, payer: &Key, instructions: &[Instruction], blockhash: [u8; 32]) -> Transaction {
    let mut transaction = Transaction::new_unsigned(message(payer, instructions, blockhash));
    transaction.sign(&[signer], Hash::new_from_array(blockhash));
    transaction
}

/// Length on the wire of a transaction with one signature, in bytes.
pub(crate) fn wire_len(payer: &Key, instructions: &[Instruction]) -> usize {
    1 + SIGNATURE_BYTES + message(payer, instructions, [0; 32]).serialize().len()
}
