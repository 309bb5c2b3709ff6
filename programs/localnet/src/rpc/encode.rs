//! Recorded transactions and blocks in the encodings that a caller can ask for. Solana's own crate encodes and parses; here
//! the recorded status, which is JSON, is turned into what that crate takes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::v0::LoadedAddresses;
use solana_rpc_client_api::config::UiTransactionEncoding;
use solana_rpc_client_api::response::{
    OptionSerializer, UiCompiledInstruction, UiInnerInstructions, UiInstruction, UiLoadedAddresses,
    UiTransactionReturnData, UiTransactionStatusMeta, UiTransactionTokenBalance,
};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_context::transaction::TransactionReturnData;
use solana_transaction_status::{
    ConfirmedTransactionWithStatusMeta, EncodeError, EncodedConfirmedTransactionWithStatusMeta, InnerInstruction,
    InnerInstructions, TransactionStatusMeta, TransactionTokenBalance, TransactionWithStatusMeta,
    VersionedTransactionWithStatusMeta,
};

use super::error::{RpcError, RpcResult};
use super::params::parse_pubkey;
use crate::ledger::StoredTransaction;

/// The answer of `getTransaction`.
pub(super) fn transaction(
    stored: &StoredTransaction,
    encoding: UiTransactionEncoding,
    max_version: Option<u8>,
) -> RpcResult<EncodedConfirmedTransactionWithStatusMeta> {
    let confirmed = ConfirmedTransactionWithStatusMeta {
        slot: stored.slot,
        tx_with_meta: with_status(stored)?,
        block_time: Some(stored.unix_timestamp),
        index: stored.position,
    };
    confirmed.encode(encoding, max_version).map_err(refusal)
}

/// The version is one that the caller does not know.
pub(super) fn refusal(error: EncodeError) -> RpcError {
    let EncodeError::UnsupportedTransactionVersion(version) = error;
    RpcError::unsupported_version(version)
}

/// A recorded transaction in Solana's type.
pub(super) fn with_status(stored: &StoredTransaction) -> RpcResult<TransactionWithStatusMeta> {
    let transaction: VersionedTransaction = wincode::deserialize_exact(&stored.wire).map_err(RpcError::internal)?;
    let status: UiTransactionStatusMeta = serde_json::from_str(&stored.meta).map_err(RpcError::internal)?;
    let meta = meta(status)?;
    Ok(TransactionWithStatusMeta::Complete(VersionedTransactionWithStatusMeta { transaction, meta }))
}

fn meta(status: UiTransactionStatusMeta) -> RpcResult<TransactionStatusMeta> {
    let inner: Option<Vec<UiInnerInstructions>> = status.inner_instructions.into();
    let before: Option<Vec<UiTransactionTokenBalance>> = status.pre_token_balances.into();
    let after: Option<Vec<UiTransactionTokenBalance>> = status.post_token_balances.into();
    let returned: Option<UiTransactionReturnData> = status.return_data.into();
    Ok(TransactionStatusMeta {
        status: status.status.map_err(Into::into),
        fee: status.fee,
        pre_balances: status.pre_balances,
        post_balances: status.post_balances,
        inner_instructions: inner.map(|list| list.into_iter().map(instructions).collect()).transpose()?,
        log_messages: status.log_messages.into(),
        pre_token_balances: before.map(|list| list.into_iter().map(token_balance).collect()),
        post_token_balances: after.map(|list| list.into_iter().map(token_balance).collect()),
        rewards: status.rewards.into(),
        loaded_addresses: addresses(status.loaded_addresses)?,
        return_data: returned.map(return_data).transpose()?,
        compute_units_consumed: status.compute_units_consumed.into(),
        cost_units: status.cost_units.into(),
    })
}

fn instructions(inner: UiInnerInstructions) -> RpcResult<InnerInstructions> {
    let instructions = inner.instructions.into_iter().map(|instruction| match instruction {
        UiInstruction::Compiled(compiled) => self::instruction(compiled),
        UiInstruction::Parsed(_) => Err(RpcError::internal("a record holds a parsed instruction")),
    });
    Ok(InnerInstructions { index: inner.index, instructions: instructions.collect::<RpcResult<_>>()? })
}

fn instruction(compiled: UiCompiledInstruction) -> RpcResult<InnerInstruction> {
    let UiCompiledInstruction { program_id_index, accounts, data, stack_height } = compiled;
    let data = bs58::decode(data).into_vec().map_err(RpcError::internal)?;
    Ok(InnerInstruction { instruction: CompiledInstruction { program_id_index, accounts, data }, stack_height })
}

fn token_balance(balance: UiTransactionTokenBalance) -> TransactionTokenBalance {
    let text = |text: OptionSerializer<String>| Option::<String>::from(text).unwrap_or_default();
    TransactionTokenBalance {
        account_index: balance.account_index,
        mint: balance.mint,
        ui_token_amount: balance.ui_token_amount,
        owner: text(balance.owner),
        program_id: text(balance.program_id),
    }
}

fn addresses(loaded: OptionSerializer<UiLoadedAddresses>) -> RpcResult<LoadedAddresses> {
    let loaded = Option::<UiLoadedAddresses>::from(loaded).unwrap_or_default();
    let keys = |texts: Vec<String>| texts.iter().map(|text| parse_pubkey(text)).collect::<RpcResult<_>>();
    Ok(LoadedAddresses { writable: keys(loaded.writable)?, readonly: keys(loaded.readonly)? })
}

fn return_data(returned: UiTransactionReturnData) -> RpcResult<TransactionReturnData> {
    let data = BASE64_STANDARD.decode(returned.data.0).map_err(RpcError::internal)?;
    Ok(TransactionReturnData { program_id: parse_pubkey(&returned.program_id)?, data })
}
