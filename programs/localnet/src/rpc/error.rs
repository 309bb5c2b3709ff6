//! Errors of the JSON-RPC interface, with the codes and messages that Solana's clients know.

use serde::Serialize;
use serde_json::{Value, json};
use solana_rpc_client_api::custom_error::{
    JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP, JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE,
    JSON_RPC_SERVER_ERROR_FILTER_TRANSACTION_NOT_FOUND, JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED,
    JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE, JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION,
};
use solana_rpc_client_api::response::RpcSimulateTransactionResult;

/// The `error` member of an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RpcError {
    code: i64,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

pub(crate) type RpcResult<T = Value> = Result<T, RpcError>;

impl RpcError {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub(crate) fn parse(error: &serde_json::Error) -> Self {
        Self::new(-32700, format!("Parse error: {error}"))
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(-32600, message)
    }

    pub(crate) fn method_not_found(method: &str) -> Self {
        Self::new(-32601, format!("Method not found: {method}"))
    }

    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }

    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(-32603, format!("Internal error: {message}"))
    }

    /// The transaction would fail, or cannot run at all.
    pub(crate) fn preflight(reason: impl std::fmt::Display, result: &RpcSimulateTransactionResult) -> Self {
        Self {
            code: JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
            message: format!("Transaction simulation failed: {reason}"),
            data: serde_json::to_value(result).ok(),
        }
    }

    /// A bound of a list names a transaction that is not there.
    pub(crate) fn filter_transaction_not_found(signature: &str) -> Self {
        Self::new(JSON_RPC_SERVER_ERROR_FILTER_TRANSACTION_NOT_FOUND, format!("Transaction {signature} not found"))
    }

    pub(crate) fn block_not_available(slot: u64) -> Self {
        Self::new(JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE, format!("Block not available for slot {slot}"))
    }

    pub(crate) fn block_cleaned_up(slot: u64, first: u64) -> Self {
        Self::new(
            JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP,
            format!("Block {slot} cleaned up, does not exist on node. First available block: {first}"),
        )
    }

    pub(crate) fn min_context_slot(slot: u64) -> Self {
        Self {
            data: Some(json!({ "contextSlot": slot })),
            ..Self::new(JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED, "Minimum context slot has not been reached")
        }
    }

    pub(crate) fn unsupported_version(version: u8) -> Self {
        Self::new(
            JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION,
            format!(
                "Transaction version ({version}) is not supported by the requesting client. Please try the request \
                 again with the following configuration parameter: \"maxSupportedTransactionVersion\": {version}"
            ),
        )
    }
}
