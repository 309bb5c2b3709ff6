//! Transactions that ran: their status, their list by address, their whole record.

use serde_json::{Value, json};
use solana_commitment_config::CommitmentLevel;
use solana_rpc_client_api::config::{
    EncodingConfig, RpcEncodingConfigWrapper, RpcSignatureStatusConfig, RpcSignaturesForAddressConfig,
    RpcTransactionConfig, UiTransactionEncoding,
};
use solana_rpc_client_api::request::{
    MAX_GET_CONFIRMED_SIGNATURES_FOR_ADDRESS2_LIMIT, MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS,
};
use solana_transaction_status_client_types::TransactionConfirmationStatus;

use super::encode;
use super::error::{RpcError, RpcResult};
use super::params::{Params, check_context, parse_signature, to_value, with_context};
use crate::bank::{Bank, View};
use crate::ledger::StoredTransaction;

pub(super) fn get_signature_statuses(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let signatures: Vec<String> = params.required(0, "an array of signatures")?;
    let config: Option<RpcSignatureStatusConfig> = params.optional(1, "config")?;
    let search = config.is_some_and(|config| config.search_transaction_history);
    if signatures.len() > MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS {
        let message = format!("Too many inputs provided; max {MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS}");
        return Err(RpcError::invalid_params(message));
    }
    let statuses = signatures.iter().map(|text| {
        let signature = parse_signature(text)?;
        let found = bank.history().get(&signature);
        let found = found.filter(|found| search || bank.behaviour().remembers(found.slot, bank.clock().slot()));
        found.map_or(Ok(Value::Null), |found| status(bank, found))
    });
    with_context(&bank.view(CommitmentLevel::Processed), statuses.collect::<RpcResult<Vec<_>>>()?)
}

/// How a transaction ended, and how final that is.
fn status(bank: &Bank, transaction: &StoredTransaction) -> RpcResult {
    let error = error_value(transaction.error.as_deref())?;
    let status = if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) };
    let now = bank.clock().slot();
    let level = bank.behaviour().status_of(transaction.slot, now);
    let confirmations = (level != TransactionConfirmationStatus::Finalized).then(|| now - transaction.slot);
    Ok(json!({
        "slot": transaction.slot,
        "confirmations": confirmations,
        "err": error,
        "status": status,
        "confirmationStatus": level,
    }))
}

/// A stored error as a JSON value; null for success.
pub(crate) fn error_value(error: Option<&str>) -> RpcResult {
    error.map_or(Ok(Value::Null), |error| serde_json::from_str(error).map_err(RpcError::internal))
}

pub(super) fn get_signatures_for_address(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let address = params.pubkey(0)?;
    let config: RpcSignaturesForAddressConfig = params.config(1)?;
    refuse_processed(params, 1)?;
    let view = bank.view(params.commitment(1)?);
    check_context(&view, config.min_context_slot)?;
    let max = MAX_GET_CONFIRMED_SIGNATURES_FOR_ADDRESS2_LIMIT;
    let limit = config.limit.unwrap_or(max);
    if limit == 0 || limit > max {
        return Err(RpcError::invalid_params(format!("Invalid limit; max {max}")));
    }
    let bound = |text: Option<&str>| -> RpcResult<_> {
        let Some(text) = text else { return Ok(None) };
        let signature = parse_signature(text)?;
        let found = view.transaction(&signature).map(|_| Some(signature));
        found.ok_or_else(|| RpcError::filter_transaction_not_found(text))
    };
    let (before, until) = (bound(config.before.as_deref())?, bound(config.until.as_deref())?);
    let found = view.transactions_of(&address, before.as_ref(), until.as_ref(), limit);
    let rows = found.into_iter().map(|transaction| {
        Ok(json!({
            "signature": transaction.signature().to_string(),
            "slot": transaction.slot,
            "err": error_value(transaction.error.as_deref())?,
            "memo": transaction.memo,
            "blockTime": transaction.unix_timestamp,
            "confirmationStatus": bank.behaviour().status_of(transaction.slot, bank.clock().slot()),
            "transactionIndex": transaction.position,
        }))
    });
    to_value(rows.collect::<RpcResult<Vec<_>>>()?)
}

pub(super) fn get_transaction(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let signature = parse_signature(&params.required::<String>(0, "a signature in base58")?)?;
    refuse_processed(params, 1)?;
    let config: Option<RpcEncodingConfigWrapper<RpcTransactionConfig>> = params.optional(1, "config")?;
    let config =
        config.map_or_else(|| RpcTransactionConfig::new_with_encoding(&None), |config| config.convert_to_current());
    let view: View<'_> = bank.view(params.commitment(1)?);
    let Some(found) = view.transaction(&signature) else {
        return Ok(Value::Null);
    };
    let encoding = config.encoding.unwrap_or(UiTransactionEncoding::Json);
    to_value(encode::transaction(found, encoding, config.max_supported_transaction_version)?)
}

/// As on a validator, what is in the history is at least confirmed.
pub(super) fn refuse_processed(params: &Params, index: usize) -> RpcResult<()> {
    let config: Option<Value> = params.optional(index, "config")?;
    let level = config.as_ref().and_then(|config| config.get("commitment"));
    match level.and_then(Value::as_str) {
        Some("processed") => Err(RpcError::invalid_params("Method does not support commitment below `confirmed`")),
        _ => Ok(()),
    }
}
