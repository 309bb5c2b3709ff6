//! Transactions that ran: their status, their list by address, their whole record.

use serde_json::{Value, json};
use solana_rpc_client_api::config::{
    EncodingConfig, RpcEncodingConfigWrapper, RpcSignatureStatusConfig, RpcSignaturesForAddressConfig,
    RpcTransactionConfig, UiTransactionEncoding,
};
use solana_rpc_client_api::request::{
    MAX_GET_CONFIRMED_SIGNATURES_FOR_ADDRESS2_LIMIT, MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS,
};

use super::encode;
use super::error::{RpcError, RpcResult};
use super::params::{Params, check_context, parse_signature, to_value, with_context};
use crate::bank::Bank;
use crate::ledger::StoredTransaction;

pub(super) fn get_signature_statuses(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let signatures: Vec<String> = params.required(0, "an array of signatures")?;
    // The whole history is always searched, so the option changes nothing.
    params.optional::<RpcSignatureStatusConfig>(1, "config")?;
    if signatures.len() > MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS {
        let message = format!("Too many inputs provided; max {MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS}");
        return Err(RpcError::invalid_params(message));
    }
    let statuses = signatures.iter().map(|text| {
        let signature = parse_signature(text)?;
        bank.history().get(&signature).map_or(Ok(Value::Null), |found| status(found))
    });
    with_context(bank, statuses.collect::<RpcResult<Vec<_>>>()?)
}

/// What is in the ledger is final: there are no forks.
fn status(transaction: &StoredTransaction) -> RpcResult {
    let error = error_value(transaction.error.as_deref())?;
    let status = if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) };
    Ok(json!({
        "slot": transaction.slot,
        "confirmations": null,
        "err": error,
        "status": status,
        "confirmationStatus": "finalized",
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
    check_context(bank, config.min_context_slot)?;
    let max = MAX_GET_CONFIRMED_SIGNATURES_FOR_ADDRESS2_LIMIT;
    let limit = config.limit.unwrap_or(max);
    if limit == 0 || limit > max {
        return Err(RpcError::invalid_params(format!("Invalid limit; max {max}")));
    }
    let before = config.before.as_deref().map(parse_signature).transpose()?;
    let until = config.until.as_deref().map(parse_signature).transpose()?;
    let found = bank.history().of_address(&address, before.as_ref(), until.as_ref(), limit);
    let rows = found.into_iter().map(|transaction| {
        Ok(json!({
            "signature": transaction.signature().to_string(),
            "slot": transaction.slot,
            "err": error_value(transaction.error.as_deref())?,
            "memo": transaction.memo,
            "blockTime": transaction.unix_timestamp,
            "confirmationStatus": "finalized",
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
    let Some(found) = bank.history().get(&signature) else {
        return Ok(Value::Null);
    };
    let encoding = config.encoding.unwrap_or(UiTransactionEncoding::Json);
    to_value(encode::transaction(found, encoding, config.max_supported_transaction_version)?)
}

/// As on a validator, these two look at confirmed transactions only.
fn refuse_processed(params: &Params, index: usize) -> RpcResult<()> {
    let config: Option<Value> = params.optional(index, "config")?;
    let level = config.as_ref().and_then(|config| config.get("commitment"));
    match level.and_then(Value::as_str) {
        Some("processed") => Err(RpcError::invalid_params("Method does not support commitment below `confirmed`")),
        _ => Ok(()),
    }
}
