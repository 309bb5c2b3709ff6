//! The chain itself: time, blockhashes, fees, what there is of money.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use solana_account::ReadableAccount;
use solana_commitment_config::CommitmentLevel;
use solana_message::VersionedMessage;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{RpcLargestAccountsConfig, RpcLargestAccountsFilter};
use solana_rpc_client_api::request::NUM_LARGEST_ACCOUNTS;
use solana_rpc_client_api::response::{RpcAccountBalance, RpcBlockhash, RpcPrioritizationFee, RpcSupply};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

use super::error::{RpcError, RpcResult};
use super::params::{Params, parse_hash, parse_pubkey, to_value, with_context};
use crate::bank::{Bank, View};
use crate::clock::MAX_BLOCKHASH_AGE;
use crate::pace::MAX_AHEAD_SECS;

/// Addresses one call may ask fees for, as on a validator.
const MAX_FEE_ADDRESSES: usize = 128;

pub(super) fn get_health(params: &Params) -> RpcResult {
    params.at_most(0)?;
    Ok(Value::from("ok"))
}

pub(super) fn get_genesis_hash(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(0)?;
    Ok(Value::from(bank.genesis().to_string()))
}

/// No slot is skipped, so this answers `getBlockHeight` too.
pub(super) fn get_slot(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    Ok(Value::from(params.view(bank, 0)?.slot()))
}

pub(super) fn get_latest_blockhash(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let view = params.view(bank, 0)?;
    with_context(&view, latest(&view))
}

/// The newest blockhash and how long it is good for.
pub(super) fn latest(view: &View<'_>) -> RpcBlockhash {
    RpcBlockhash { blockhash: view.blockhash().to_string(), last_valid_block_height: view.last_valid_block_height() }
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
    let view = params.view(bank, 1)?;
    with_context(&view, view.is_valid(&hash))
}

pub(super) fn get_epoch_info(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let view = params.view(bank, 0)?;
    let schedule = bank.epoch_schedule();
    let (epoch, slot_index) = schedule.get_epoch_and_slot_index(view.slot());
    Ok(json!({
        "absoluteSlot": view.slot(),
        "blockHeight": view.slot(),
        "epoch": epoch,
        "slotIndex": slot_index,
        "slotsInEpoch": schedule.get_slots_in_epoch(epoch),
        "transactionCount": view.transaction_count(),
    }))
}

pub(super) fn get_epoch_schedule(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(0)?;
    let schedule = bank.epoch_schedule();
    Ok(json!({
        "slotsPerEpoch": schedule.slots_per_epoch,
        "leaderScheduleSlotOffset": schedule.leader_schedule_slot_offset,
        "warmup": schedule.warmup,
        "firstNormalEpoch": schedule.first_normal_epoch,
        "firstNormalSlot": schedule.first_normal_slot,
    }))
}

/// The fee as the runtime computes it, so priority fees and precompile signatures are in it. Null: the blockhash expired.
pub(super) fn get_fee_for_message(bank: &mut Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let message = decode_message(&params.required::<String>(0, "a message in base64")?)?;
    let valid = params.view(bank, 1)?.is_valid(message.recent_blockhash());
    let signatures = usize::from(message.header().num_required_signatures);
    let unsigned = VersionedTransaction { signatures: vec![Signature::default(); signatures], message };
    // The simulation runs where the blockhash is surely known.
    let fee = valid.then(|| bank.simulate(unsigned, CommitmentLevel::Processed).outcome.fee);
    with_context(&params.view(bank, 1)?, fee)
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

/// Blocks are never full here, so the least fee that gets a transaction in is what others pay by habit: in a cluster the
/// configured price, otherwise 0.
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
    let prioritization_fee = bank.behaviour().unit_price();
    to_value(slots.map(|slot| RpcPrioritizationFee { slot, prioritization_fee }).collect::<Vec<_>>())
}

pub(super) fn get_transaction_count(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    Ok(Value::from(params.view(bank, 0)?.transaction_count()))
}

/// Everything circulates.
pub(super) fn get_supply(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let view = params.view(bank, 0)?;
    let total = view.accounts().map(|(_, account)| u128::from(account.lamports())).sum::<u128>();
    let total = u64::try_from(total).unwrap_or(u64::MAX);
    let supply = RpcSupply { total, circulating: total, non_circulating: 0, non_circulating_accounts: Vec::new() };
    with_context(&view, supply)
}

pub(super) fn get_largest_accounts(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let view = params.view(bank, 0)?;
    let config: RpcLargestAccountsConfig = params.config(0)?;
    let mut accounts: Vec<(u64, &Pubkey)> = match config.filter {
        Some(RpcLargestAccountsFilter::NonCirculating) => Vec::new(),
        Some(RpcLargestAccountsFilter::Circulating) | None => {
            view.accounts().map(|(key, account)| (account.lamports(), key)).collect()
        }
    };
    accounts.sort_unstable_by(|a, b| b.cmp(a));
    accounts.truncate(NUM_LARGEST_ACCOUNTS);
    let accounts = accounts.into_iter().map(|(lamports, key)| RpcAccountBalance { address: key.to_string(), lamports });
    with_context(&view, accounts.collect::<Vec<_>>())
}
