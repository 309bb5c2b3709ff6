//! Positional parameters of a call, and what every configuration object shares.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::response::RpcResponseContext;
use solana_signature::Signature;

use super::error::{RpcError, RpcResult};
use crate::bank::Bank;

/// The `params` of a call.
pub(crate) struct Params(Vec<Value>);

impl Params {
    /// An array, or nothing.
    pub(crate) fn new(params: Option<Value>) -> RpcResult<Self> {
        match params {
            None | Some(Value::Null) => Ok(Self(Vec::new())),
            Some(Value::Array(params)) => Ok(Self(params)),
            Some(_) => Err(RpcError::invalid_params("Invalid params: expected an array")),
        }
    }

    /// Refuses what nobody would read.
    pub(crate) fn at_most(&self, count: usize) -> RpcResult<()> {
        if self.0.len() > count {
            let message = format!("Invalid parameters: expected at most {count} arguments, got {}", self.0.len());
            return Err(RpcError::invalid_params(message));
        }
        Ok(())
    }

    /// A parameter that must be there.
    pub(crate) fn required<T: DeserializeOwned>(&self, index: usize, name: &str) -> RpcResult<T> {
        self.optional(index, name)?.ok_or_else(|| {
            RpcError::invalid_params(format!(
                "`params` should have at least {} argument(s): {name} is missing",
                index + 1
            ))
        })
    }

    /// A parameter that may be absent or null.
    pub(crate) fn optional<T: DeserializeOwned>(&self, index: usize, name: &str) -> RpcResult<Option<T>> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value.clone())
                .map(Some)
                .map_err(|error| RpcError::invalid_params(format!("Invalid params: {name}: {error}"))),
        }
    }

    /// A configuration object; all defaults when absent.
    pub(crate) fn config<T: DeserializeOwned + Default>(&self, index: usize) -> RpcResult<T> {
        self.check_commitment(index)?;
        Ok(self.optional(index, "config")?.unwrap_or_default())
    }

    /// Solana's types ignore a misspelt commitment; a developer should hear of it. Every commitment reads the same
    /// state: what localnet has answered is final.
    fn check_commitment(&self, index: usize) -> RpcResult<()> {
        let level = self.0.get(index).and_then(|config| config.get("commitment"));
        match level {
            None | Some(Value::Null) => Ok(()),
            Some(Value::String(level)) if ["processed", "confirmed", "finalized"].contains(&level.as_str()) => Ok(()),
            Some(other) => Err(RpcError::invalid_params(format!(
                "Invalid params: commitment {other} is none of processed, confirmed, finalized"
            ))),
        }
    }

    pub(crate) fn pubkey(&self, index: usize) -> RpcResult<Pubkey> {
        parse_pubkey(&self.required::<String>(index, "an address in base58")?)
    }
}

/// An address in base58.
pub(crate) fn parse_pubkey(text: &str) -> RpcResult<Pubkey> {
    Pubkey::from_str(text).map_err(|_| {
        RpcError::invalid_params(format!("Invalid param: {text:?} is not an address (32 bytes in base58)"))
    })
}

/// A transaction signature in base58.
pub(crate) fn parse_signature(text: &str) -> RpcResult<Signature> {
    Signature::from_str(text).map_err(|_| {
        RpcError::invalid_params(format!("Invalid param: {text:?} is not a signature (64 bytes in base58)"))
    })
}

/// A blockhash in base58.
pub(crate) fn parse_hash(text: &str) -> RpcResult<Hash> {
    Hash::from_str(text).map_err(|_| {
        RpcError::invalid_params(format!("Invalid param: {text:?} is not a blockhash (32 bytes in base58)"))
    })
}

/// Fails when the caller has seen a later slot than this chain has reached.
pub(crate) fn check_context(bank: &Bank, min_context_slot: Option<u64>) -> RpcResult<()> {
    let slot = bank.clock().slot();
    match min_context_slot {
        Some(min) if min > slot => Err(RpcError::min_context_slot(slot)),
        _ => Ok(()),
    }
}

/// An answer with the slot it is true for.
pub(crate) fn with_context(bank: &Bank, value: impl serde::Serialize) -> RpcResult {
    let context = RpcResponseContext::new(bank.clock().slot());
    Ok(json!({ "context": to_value(context)?, "value": to_value(value)? }))
}

/// Any answer as JSON.
pub(crate) fn to_value(value: impl serde::Serialize) -> RpcResult {
    serde_json::to_value(value).map_err(RpcError::internal)
}
