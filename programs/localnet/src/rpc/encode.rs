//! A recorded transaction in the encodings that a caller can ask for.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::{VersionedMessage, v0};
use solana_rpc_client_api::config::UiTransactionEncoding;
use solana_rpc_client_api::response::{
    EncodedTransaction, EncodedTransactionWithStatusMeta, OptionSerializer, TransactionBinaryEncoding,
    TransactionParsedAccount, UiCompiledInstruction, UiInnerInstructions, UiInstruction, UiLoadedAddresses,
    UiParsedInstruction, UiPartiallyDecodedInstruction, UiTransactionStatusMeta,
};
use solana_transaction::versioned::{TransactionVersion, VersionedTransaction};
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, ParsedAccountSource, UiAddressTableLookup, UiMessage, UiParsedMessage,
    UiRawMessage, UiTransaction, UiTransactionConfig,
};

use super::error::{RpcError, RpcResult};
use crate::ledger::StoredTransaction;

/// The answer of `getTransaction`.
pub(super) fn transaction(
    stored: &StoredTransaction,
    encoding: UiTransactionEncoding,
    max_version: Option<u8>,
) -> RpcResult<EncodedConfirmedTransactionWithStatusMeta> {
    let transaction: VersionedTransaction = wincode::deserialize_exact(&stored.wire).map_err(RpcError::internal)?;
    let version = transaction.version();
    if let TransactionVersion::Number(number) = version
        && max_version.is_none_or(|max| number > max)
    {
        return Err(RpcError::unsupported_version(number));
    }
    let mut meta: UiTransactionStatusMeta = serde_json::from_str(&stored.meta).map_err(RpcError::internal)?;
    let keys = keys(&transaction.message, &meta.loaded_addresses);
    if encoding == UiTransactionEncoding::JsonParsed {
        parse_inner(&mut meta, &keys);
    }
    let transaction = encode(&transaction, &stored.wire, &keys, encoding);
    Ok(EncodedConfirmedTransactionWithStatusMeta {
        slot: stored.slot,
        transaction: EncodedTransactionWithStatusMeta {
            transaction,
            meta: Some(meta),
            version: max_version.map(|_| version),
        },
        block_time: Some(stored.unix_timestamp),
        transaction_index: Some(stored.position),
    })
}

fn keys(message: &VersionedMessage, loaded: &OptionSerializer<UiLoadedAddresses>) -> Vec<String> {
    let mut keys: Vec<String> = message.static_account_keys().iter().map(ToString::to_string).collect();
    if let OptionSerializer::Some(loaded) = loaded {
        keys.extend(loaded.writable.iter().chain(&loaded.readonly).cloned());
    }
    keys
}

fn encode(
    transaction: &VersionedTransaction,
    wire: &[u8],
    keys: &[String],
    encoding: UiTransactionEncoding,
) -> EncodedTransaction {
    let message = match encoding {
        UiTransactionEncoding::Binary => {
            return EncodedTransaction::LegacyBinary(bs58::encode(wire).into_string());
        }
        UiTransactionEncoding::Base58 => {
            let text = bs58::encode(wire).into_string();
            return EncodedTransaction::Binary(text, TransactionBinaryEncoding::Base58);
        }
        UiTransactionEncoding::Base64 => {
            let text = BASE64_STANDARD.encode(wire);
            return EncodedTransaction::Binary(text, TransactionBinaryEncoding::Base64);
        }
        UiTransactionEncoding::Json => UiMessage::Raw(raw_message(&transaction.message)),
        UiTransactionEncoding::JsonParsed => UiMessage::Parsed(parsed_message(&transaction.message, keys)),
    };
    let signatures = transaction.signatures.iter().map(ToString::to_string).collect();
    EncodedTransaction::Json(UiTransaction { signatures, message })
}

fn raw_message(message: &VersionedMessage) -> UiRawMessage {
    UiRawMessage {
        header: *message.header(),
        account_keys: message.static_account_keys().iter().map(ToString::to_string).collect(),
        recent_blockhash: message.recent_blockhash().to_string(),
        instructions: message
            .instructions()
            .iter()
            .map(|instruction| UiCompiledInstruction::from(instruction, Some(1)))
            .collect(),
        address_table_lookups: lookups(message),
        transaction_config: config(message),
    }
}

/// Programs are not taken apart: a validator shows those it does not know in the same way.
fn parsed_message(message: &VersionedMessage, keys: &[String]) -> UiParsedMessage {
    let fixed = message.static_account_keys().len();
    let reserved = None::<&std::collections::HashSet<_>>;
    let looked_up = message.address_table_lookups().unwrap_or_default();
    let writable_end = fixed + looked_up.iter().map(|table| table.writable_indexes.len()).sum::<usize>();
    let account_keys = keys.iter().enumerate().map(|(index, key)| TransactionParsedAccount {
        pubkey: key.clone(),
        writable: if index < fixed {
            message.is_maybe_writable_with_reserved_addresses(index, reserved)
        } else {
            index < writable_end
        },
        signer: message.is_signer(index),
        source: Some(if index < fixed { ParsedAccountSource::Transaction } else { ParsedAccountSource::LookupTable }),
    });
    UiParsedMessage {
        account_keys: account_keys.collect(),
        recent_blockhash: message.recent_blockhash().to_string(),
        instructions: message
            .instructions()
            .iter()
            .map(|CompiledInstruction { program_id_index, accounts, data }| {
                let data = bs58::encode(data).into_string();
                decoded(keys, *program_id_index, accounts, data, Some(1))
            })
            .collect(),
        address_table_lookups: lookups(message),
        transaction_config: config(message),
    }
}

fn parse_inner(meta: &mut UiTransactionStatusMeta, keys: &[String]) {
    let OptionSerializer::Some(inner) = &mut meta.inner_instructions else {
        return;
    };
    for UiInnerInstructions { instructions, .. } in inner {
        for instruction in instructions {
            if let UiInstruction::Compiled(compiled) = instruction {
                let UiCompiledInstruction { program_id_index, accounts, data, stack_height } = compiled;
                *instruction = decoded(keys, *program_id_index, accounts, std::mem::take(data), *stack_height);
            }
        }
    }
}

fn decoded(keys: &[String], program: u8, accounts: &[u8], data: String, stack_height: Option<u32>) -> UiInstruction {
    let key = |index: &u8| keys.get(usize::from(*index)).cloned().unwrap_or_default();
    let decoded = UiPartiallyDecodedInstruction {
        program_id: key(&program),
        accounts: accounts.iter().map(key).collect(),
        data,
        stack_height,
    };
    UiInstruction::Parsed(UiParsedInstruction::PartiallyDecoded(decoded))
}

fn lookups(message: &VersionedMessage) -> Option<Vec<UiAddressTableLookup>> {
    let of = |message: &v0::Message| message.address_table_lookups.iter().map(UiAddressTableLookup::from).collect();
    match message {
        VersionedMessage::V0(message) => Some(of(message)),
        VersionedMessage::Legacy(_) | VersionedMessage::V1(_) => None,
    }
}

fn config(message: &VersionedMessage) -> Option<UiTransactionConfig> {
    match message {
        VersionedMessage::V1(message) => Some(UiTransactionConfig::from(&message.config)),
        VersionedMessage::Legacy(_) | VersionedMessage::V0(_) => None,
    }
}
