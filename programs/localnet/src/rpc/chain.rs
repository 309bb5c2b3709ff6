//! The chain itself: time, blockhashes, fees, identity.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use solana_message::VersionedMessage;
use solana_rpc_client_api::config::RpcContextConfig;
use solana_rpc_client_api::response::{RpcApiVersion, RpcBlockhash, RpcPrioritizationFee};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

use super::error::{RpcError, RpcResult};
use super::params::{Params, check_context, parse_hash, parse_pubkey, to_value, with_context};
use crate::bank::Bank;
use crate::clock::{MAX_AHEAD_SECS, MAX_BLOCKHASH_AGE};

/// Addresses one call may ask fees for, as on a validator.
const MAX_FEE_ADDRESSES: usize = 128;

pub(super) fn get_health(params: &Params) -> RpcResult {
    params.at_most(0)?;
    Ok(Value::from("ok"))
}

pub(super) fn get_version(params: &Params) -> RpcResult {
    params.at_most(0)?;
    Ok(json!({ "solana-core": to_value(RpcApiVersion::default())?, "feature-set": null }))
}

pub(super) fn get_genesis_hash(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(0)?;
    Ok(Value::from(bank.genesis().to_string()))
}

pub(super) fn get_slot(bank: &Bank, params: &Params) -> RpcResult {
    read_context(bank, params)?;
    Ok(Value::from(bank.clock().slot()))
}

/// No slot is skipped, so the height is the slot.
pub(super) fn get_block_height(bank: &Bank, params: &Params) -> RpcResult {
    get_slot(bank, params)
}

pub(super) fn get_latest_blockhash(bank: &Bank, params: &Params) -> RpcResult {
    read_context(bank, params)?;
    with_context(bank, latest(bank))
}

/// The newest blockhash and how long it is good for.
pub(super) fn latest(bank: &Bank) -> RpcBlockhash {
    RpcBlockhash {
        blockhash: bank.clock().latest().to_string(),
        last_valid_block_height: bank.clock().last_valid_block_height(),
    }
}

/// Moves the chain's Unix time ahead, for trying what happens when a period or a delay is over; answers the new time. No
/// method of Solana's.
pub(super) fn advance_clock(bank: &mut Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let secs: u64 = params.required(0, "seconds")?;
    let left = MAX_AHEAD_SECS.saturating_sub(bank.ahead_secs());
    if secs > left {
        let message = format!("Invalid params: seconds: the clock can be advanced by at most {left} seconds more");
        return Err(RpcError::invalid_params(message));
    }
    bank.advance_time(secs).map_err(RpcError::internal)?;
    Ok(Value::from(bank.clock().unix_timestamp()))
}

pub(super) fn is_blockhash_valid(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let hash = parse_hash(&params.required::<String>(0, "a blockhash in base58")?)?;
    let config: RpcContextConfig = params.config(1)?;
    check_context(bank, config.min_context_slot)?;
    with_context(bank, bank.clock().is_valid(&hash))
}

pub(super) fn get_epoch_info(bank: &Bank, params: &Params) -> RpcResult {
    read_context(bank, params)?;
    let slot = bank.clock().slot();
    let schedule = bank.epoch_schedule();
    let (epoch, slot_index) = schedule.get_epoch_and_slot_index(slot);
    Ok(json!({
        "absoluteSlot": slot,
        "blockHeight": slot,
        "epoch": epoch,
        "slotIndex": slot_index,
        "slotsInEpoch": schedule.get_slots_in_epoch(epoch),
        "transactionCount": bank.history().count(),
    }))
}

/// The fee as the runtime computes it, so priority fees and precompile signatures are in it. Null: the blockhash expired.
pub(super) fn get_fee_for_message(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let text: String = params.required(0, "a message in base64")?;
    let config: RpcContextConfig = params.config(1)?;
    check_context(bank, config.min_context_slot)?;
    let message = decode_message(&text)?;
    if !bank.clock().is_valid(message.recent_blockhash()) {
        return with_context(bank, Value::Null);
    }
    let signatures = usize::from(message.header().num_required_signatures);
    let unsigned = VersionedTransaction { signatures: vec![Signature::default(); signatures], message };
    with_context(bank, bank.simulate(unsigned).outcome.fee)
}

fn decode_message(text: &str) -> RpcResult<VersionedMessage> {
    let bytes = BASE64_STANDARD
        .decode(text)
        .map_err(|error| RpcError::invalid_params(format!("invalid base64 encoding: {error:?}")))?;
    let message: VersionedMessage = wincode::deserialize_exact(&bytes)
        .map_err(|error| RpcError::invalid_params(format!("failed to deserialize message: {error}")))?;
    message.sanitize().map_err(|error| RpcError::invalid_params(format!("invalid message: {error}")))?;
    Ok(message)
}

/// Blocks are never full here, so the least fee that got a transaction in is always 0.
pub(super) fn get_recent_prioritization_fees(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let keys: Vec<String> = params.optional(0, "an array of addresses")?.unwrap_or_default();
    if keys.len() > MAX_FEE_ADDRESSES {
        let message = format!("Too many inputs provided; max {MAX_FEE_ADDRESSES}");
        return Err(RpcError::invalid_params(message));
    }
    for key in &keys {
        parse_pubkey(key)?;
    }
    let newest = bank.clock().slot();
    let slots = newest.saturating_sub(MAX_BLOCKHASH_AGE - 1)..=newest;
    to_value(slots.map(|slot| RpcPrioritizationFee { slot, prioritization_fee: 0 }).collect::<Vec<_>>())
}

fn read_context(bank: &Bank, params: &Params) -> RpcResult<()> {
    params.at_most(1)?;
    let config: RpcContextConfig = params.config(0)?;
    check_context(bank, config.min_context_slot)
}
