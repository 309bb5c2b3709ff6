//! Solana's JSON-RPC 2.0 methods, and localnet's own `advanceClock` and `requestUsdcAirdrop`: one function per method, grouped
//! by what they are about.

mod accounts;
mod blocks;
mod chain;
mod encode;
mod error;
mod network;
mod params;
mod signatures;
mod tokens;
mod transactions;

use serde_json::{Value, json};

pub(crate) use self::accounts::{check_filters, matches, ui_account};
pub(crate) use self::error::{RpcError, RpcResult};
pub(crate) use self::params::{Params, parse_pubkey, parse_signature};
pub(crate) use self::signatures::error_value;

use crate::bank::Bank;
use crate::node::Node;

/// Calls in one batch, at most: enough for any client library, and a bound on one request's work.
const MAX_BATCH: usize = 1_000;

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
        "requestAirdrop" => transactions::request_airdrop(node, params),
        "requestUsdcAirdrop" => transactions::request_usdc_airdrop(node, params),
        "sendTransaction" => transactions::send_transaction(node, params),
        "simulateTransaction" => transactions::simulate_transaction(node, params),
        "getBlockCommitment" => network::get_block_commitment(params),
        "getBlockProduction" => network::get_block_production(node, params),
        "getClusterNodes" => network::get_cluster_nodes(node, params),
        "getFeeForMessage" => chain::get_fee_for_message(&mut node.bank(), params),
        "getHealth" => chain::get_health(params),
        "getIdentity" => network::get_identity(node, params),
        "getInflationGovernor" => network::get_inflation_governor(node, params),
        "getInflationRate" => network::get_inflation_rate(node, params),
        "getInflationReward" => network::get_inflation_reward(params),
        "getLeaderSchedule" => network::get_leader_schedule(node, params),
        "getSlotLeader" => network::get_slot_leader(node, params),
        "getSlotLeaders" => network::get_slot_leaders(node, params),
        "getVersion" => network::get_version(params),
        "getVoteAccounts" => network::get_vote_accounts(params),
        _ => read(&node.bank(), method, params),
    }
}

/// The methods that read the chain.
fn read(bank: &Bank, method: &str, params: &Params) -> RpcResult {
    match method {
        "getAccountInfo" => accounts::get_account_info(bank, params),
        "getBalance" => accounts::get_balance(bank, params),
        "getBlock" => blocks::get_block(bank, params),
        "getBlockHeight" | "getSlot" => chain::get_slot(bank, params),
        "getBlockTime" => blocks::get_block_time(bank, params),
        "getBlocks" => blocks::get_blocks(bank, params),
        "getBlocksWithLimit" => blocks::get_blocks_with_limit(bank, params),
        "getEpochInfo" => chain::get_epoch_info(bank, params),
        "getEpochSchedule" => chain::get_epoch_schedule(bank, params),
        "getFirstAvailableBlock" | "minimumLedgerSlot" => blocks::get_first_available_block(bank, params),
        "getGenesisHash" => chain::get_genesis_hash(bank, params),
        "getLargestAccounts" => chain::get_largest_accounts(bank, params),
        "getLatestBlockhash" => chain::get_latest_blockhash(bank, params),
        "getMinimumBalanceForRentExemption" => accounts::get_minimum_balance(bank, params),
        "getMultipleAccounts" => accounts::get_multiple_accounts(bank, params),
        "getProgramAccounts" => accounts::get_program_accounts(bank, params),
        "getRecentPerformanceSamples" => blocks::get_recent_performance_samples(bank, params),
        "getRecentPrioritizationFees" => chain::get_recent_prioritization_fees(bank, params),
        "getSignatureStatuses" => signatures::get_signature_statuses(bank, params),
        "getSignaturesForAddress" => signatures::get_signatures_for_address(bank, params),
        "getSupply" => chain::get_supply(bank, params),
        "getTokenAccountBalance" => tokens::get_token_account_balance(bank, params),
        "getTokenAccountsByDelegate" => tokens::get_token_accounts_by_delegate(bank, params),
        "getTokenAccountsByOwner" => tokens::get_token_accounts_by_owner(bank, params),
        "getTokenLargestAccounts" => tokens::get_token_largest_accounts(bank, params),
        "getTokenSupply" => tokens::get_token_supply(bank, params),
        "getTransaction" => signatures::get_transaction(bank, params),
        "getTransactionCount" => chain::get_transaction_count(bank, params),
        "isBlockhashValid" => chain::is_blockhash_valid(bank, params),
        _ => Err(RpcError::method_not_found(method)),
    }
}
