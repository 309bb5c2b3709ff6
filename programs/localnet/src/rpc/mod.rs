//! Solana's JSON-RPC 2.0 methods, and localnet's own `advanceClock` and `requestUsdcAirdrop`: one function per method, grouped
//! by what they are about.

mod accounts;
mod chain;
mod encode;
mod error;
mod params;
mod signatures;
mod tokens;
mod transactions;

use serde_json::{Value, json};

pub(crate) use self::accounts::ui_account;
pub(crate) use self::error::{RpcError, RpcResult};
pub(crate) use self::params::{Params, parse_signature};
pub(crate) use self::signatures::error_value;

use crate::node::Node;

/// Calls in one batch, at most: enough for any client library, and a bound on one request's work.
const MAX_BATCH: usize = 100;

/// Answers one HTTP body: a call or a batch. `None` when it held only notifications.
pub(crate) fn answer(node: &Node, body: &[u8]) -> Option<Value> {
    match serde_json::from_slice(body) {
        Err(error) => Some(failure(Value::Null, &RpcError::parse(&error))),
        Ok(Value::Array(calls)) => answer_batch(node, calls),
        Ok(call) => answer_call(call, |method, params| call_method(node, method, params)),
    }
}

fn answer_batch(node: &Node, calls: Vec<Value>) -> Option<Value> {
    if calls.is_empty() || calls.len() > MAX_BATCH {
        let message = format!("Invalid request: a batch has 1 to {MAX_BATCH} calls");
        return Some(failure(Value::Null, &RpcError::invalid_request(message)));
    }
    let answers: Vec<Value> = calls
        .into_iter()
        .filter_map(|call| answer_call(call, |method, params| call_method(node, method, params)))
        .collect();
    (!answers.is_empty()).then_some(Value::Array(answers))
}

/// Answers one call with `run`; a call without an id is a notification and gets no answer.
pub(crate) fn answer_call(call: Value, run: impl FnOnce(&str, Params) -> RpcResult) -> Option<Value> {
    let Value::Object(mut call) = call else {
        let error = RpcError::invalid_request("Invalid request: a call is an object");
        return Some(failure(Value::Null, &error));
    };
    let id = call.remove("id");
    let result = match (call.get("jsonrpc"), call.get("method")) {
        (Some(Value::String(version)), Some(Value::String(method))) if version == "2.0" => {
            let method = method.clone();
            Params::new(call.remove("params")).and_then(|params| run(&method, params))
        }
        _ => Err(RpcError::invalid_request("Invalid request: expected jsonrpc \"2.0\" and a method")),
    };
    let id = id?;
    Some(match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "result": result, "id": id }),
        Err(error) => failure(id, &error),
    })
}

/// An answer that says what went wrong.
pub(crate) fn failure(id: Value, error: &RpcError) -> Value {
    json!({ "jsonrpc": "2.0", "error": error, "id": id })
}

fn call_method(node: &Node, method: &str, params: Params) -> RpcResult {
    let params = &params;
    match method {
        "advanceClock" => chain::advance_clock(&mut node.bank(), params),
        "getAccountInfo" => accounts::get_account_info(&node.bank(), params),
        "getBalance" => accounts::get_balance(&node.bank(), params),
        "getBlockHeight" => chain::get_block_height(&node.bank(), params),
        "getEpochInfo" => chain::get_epoch_info(&node.bank(), params),
        "getFeeForMessage" => chain::get_fee_for_message(&node.bank(), params),
        "getGenesisHash" => chain::get_genesis_hash(&node.bank(), params),
        "getHealth" => chain::get_health(params),
        "getLatestBlockhash" => chain::get_latest_blockhash(&node.bank(), params),
        "getMinimumBalanceForRentExemption" => accounts::get_minimum_balance(&node.bank(), params),
        "getMultipleAccounts" => accounts::get_multiple_accounts(&node.bank(), params),
        "getProgramAccounts" => accounts::get_program_accounts(&node.bank(), params),
        "getRecentPrioritizationFees" => chain::get_recent_prioritization_fees(&node.bank(), params),
        "getSignatureStatuses" => signatures::get_signature_statuses(&node.bank(), params),
        "getSignaturesForAddress" => signatures::get_signatures_for_address(&node.bank(), params),
        "getSlot" => chain::get_slot(&node.bank(), params),
        "getTokenAccountBalance" => tokens::get_token_account_balance(&node.bank(), params),
        "getTokenAccountsByOwner" => tokens::get_token_accounts_by_owner(&node.bank(), params),
        "getTransaction" => signatures::get_transaction(&node.bank(), params),
        "getVersion" => chain::get_version(params),
        "isBlockhashValid" => chain::is_blockhash_valid(&node.bank(), params),
        "requestAirdrop" => transactions::request_airdrop(node, params),
        "requestUsdcAirdrop" => transactions::request_usdc_airdrop(node, params),
        "sendTransaction" => transactions::send_transaction(node, params),
        "simulateTransaction" => transactions::simulate_transaction(node, params),
        _ => Err(RpcError::method_not_found(method)),
    }
}
