//! Positional parameters of a call, and what every configuration object shares.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use solana_commitment_config::CommitmentLevel;
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::RpcContextConfig;
use solana_rpc_client_api::response::RpcResponseContext;
use solana_signature::Signature;

use super::error::{RpcError, RpcResult};
use crate::bank::{Bank, View};

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
        self.commitment(index)?;
        Ok(self.optional(index, "config")?.unwrap_or_default())
    }

    /// The commitment that the configuration object at `index` asks for; without one `finalized`.
    pub(crate) fn commitment(&self, index: usize) -> RpcResult<CommitmentLevel> {
        self.commitment_in(index, "commitment")
    }

    /// The commitment under `field` of the configuration object at `index`. The names that Solana had before are
    /// understood. Solana's types ignore a misspelt one; a developer should hear of it.
    pub(crate) fn commitment_in(&self, index: usize, field: &str) -> RpcResult<CommitmentLevel> {
        let level = self.0.get(index).and_then(|config| config.get(field));
        match level.map(|level| (level, level.as_str())) {
            None | Some((Value::Null, _)) => Ok(CommitmentLevel::Finalized),
            Some((_, Some("processed" | "recent"))) => Ok(CommitmentLevel::Processed),
            Some((_, Some("confirmed" | "single" | "singleGossip"))) => Ok(CommitmentLevel::Confirmed),
            Some((_, Some("finalized" | "root" | "max"))) => Ok(CommitmentLevel::Finalized),
            Some((other, _)) => Err(RpcError::invalid_params(format!(
                "Invalid params: commitment {other} is none of processed, confirmed, finalized"
            ))),
        }
    }

    /// The chain as the configuration object at `index` asks to see it.
    pub(crate) fn view<'a>(&self, bank: &'a Bank, index: usize) -> RpcResult<View<'a>> {
        let config: RpcContextConfig = self.config(index)?;
        let view = bank.view(self.commitment(index)?);
        check_context(&view, config.min_context_slot)?;
        Ok(view)
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
pub(crate) fn check_context(view: &View<'_>, min_context_slot: Option<u64>) -> RpcResult<()> {
    let slot = view.slot();
    match min_context_slot {
        Some(min) if min > slot => Err(RpcError::min_context_slot(slot)),
        _ => Ok(()),
    }
}

/// An answer with the slot it is true for.
pub(crate) fn with_context(view: &View<'_>, value: impl serde::Serialize) -> RpcResult {
    let context = RpcResponseContext::new(view.slot());
    Ok(json!({ "context": to_value(context)?, "value": to_value(value)? }))
}

/// Any answer as JSON.
pub(crate) fn to_value(value: impl serde::Serialize) -> RpcResult {
    serde_json::to_value(value).map_err(RpcError::internal)
}
