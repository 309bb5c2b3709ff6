//! Blocks: one for each slot, with the transactions that the history still holds.

use serde_json::Value;
use solana_commitment_config::CommitmentLevel;
use solana_rpc_client_api::config::{
    EncodingConfig, RpcBlockConfig, RpcBlocksConfigWrapper, RpcEncodingConfigWrapper, TransactionDetails,
    UiTransactionEncoding,
};
use solana_rpc_client_api::request::MAX_GET_CONFIRMED_BLOCKS_RANGE;
use solana_rpc_client_api::response::RpcPerfSample;
use solana_transaction_status::{BlockEncodingOptions, ConfirmedBlock};

use super::encode;
use super::error::{RpcError, RpcResult};
use super::params::{Params, to_value};
use super::signatures::refuse_processed;
use crate::bank::{Bank, View};

/// Samples that `getRecentPerformanceSamples` gives at most, and seconds of each, as on a validator.
const MAX_SAMPLES: usize = 720;
const SAMPLE_SECS: u16 = 60;

/// The oldest slot whose block is whole: older transactions may have been forgotten.
fn first_block(bank: &Bank) -> u64 {
    bank.history().first_slot().unwrap_or(0)
}

pub(super) fn get_first_available_block(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(0)?;
    Ok(Value::from(first_block(bank)))
}

pub(super) fn get_block(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let slot: u64 = params.required(0, "a slot")?;
    refuse_processed(params, 1)?;
    let config: Option<RpcEncodingConfigWrapper<RpcBlockConfig>> = params.optional(1, "config")?;
    let config = config.map_or_else(|| RpcBlockConfig::new_with_encoding(&None), |config| config.convert_to_current());
    let view = bank.view(params.commitment(1)?);
    check_available(&view, slot)?;
    let transactions = bank.history().of_slot(slot).map(|stored| encode::with_status(stored));
    let block = ConfirmedBlock {
        previous_blockhash: bank.clock().hash_of(slot.saturating_sub(1)).to_string(),
        blockhash: bank.clock().hash_of(slot).to_string(),
        parent_slot: slot.saturating_sub(1),
        transactions: transactions.collect::<RpcResult<_>>()?,
        rewards: Vec::new(),
        num_partitions: None,
        block_time: Some(block_time(bank, slot)),
        block_height: Some(slot),
    };
    let options = BlockEncodingOptions {
        transaction_details: config.transaction_details.unwrap_or(TransactionDetails::Full),
        show_rewards: config.rewards.unwrap_or(true),
        max_supported_transaction_version: config.max_supported_transaction_version,
    };
    let encoding = config.encoding.unwrap_or(UiTransactionEncoding::Json);
    to_value(block.encode_with_options(encoding, options).map_err(encode::refusal)?)
}

pub(super) fn get_block_time(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let slot: u64 = params.required(0, "a slot")?;
    // As on a validator, this method takes no commitment: a confirmed block has its time.
    check_available(&bank.view(CommitmentLevel::Confirmed), slot)?;
    Ok(Value::from(block_time(bank, slot)))
}

pub(super) fn get_blocks(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(3)?;
    let start: u64 = params.required(0, "a slot")?;
    let second: Option<RpcBlocksConfigWrapper> = params.optional(1, "a slot or a config")?;
    let (end, config) = second.map_or((None, None), |second| second.unzip());
    let index = if config.is_some() { 1 } else { 2 };
    refuse_processed(params, index)?;
    let view = params.view(bank, index)?;
    let end = end.unwrap_or_else(|| view.slot()).min(view.slot());
    if end.saturating_sub(start) > MAX_GET_CONFIRMED_BLOCKS_RANGE {
        let message = format!("Slot range too large; max {MAX_GET_CONFIRMED_BLOCKS_RANGE}");
        return Err(RpcError::invalid_params(message));
    }
    to_value((start.max(first_block(bank))..=end).collect::<Vec<_>>())
}

pub(super) fn get_blocks_with_limit(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(3)?;
    let start: u64 = params.required(0, "a slot")?;
    let limit: u64 = params.required(1, "a limit")?;
    refuse_processed(params, 2)?;
    let view = params.view(bank, 2)?;
    if limit > MAX_GET_CONFIRMED_BLOCKS_RANGE {
        return Err(RpcError::invalid_params(format!("Limit too large; max {MAX_GET_CONFIRMED_BLOCKS_RANGE}")));
    }
    let slots = start.max(first_block(bank))..=view.slot();
    to_value(slots.take(limit as usize).collect::<Vec<_>>())
}

/// How many transactions ran in each of the last minutes, newest first.
pub(super) fn get_recent_performance_samples(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let limit = params.optional(0, "a limit")?.unwrap_or(MAX_SAMPLES);
    if limit > MAX_SAMPLES {
        return Err(RpcError::invalid_params(format!("Invalid limit; max {MAX_SAMPLES}")));
    }
    let slots = (u64::from(SAMPLE_SECS) * 1_000 / bank.slot_ms()).max(1);
    let first = first_block(bank);
    let ends = (0..limit as u64).map_while(|back| bank.clock().slot().checked_sub(back * slots));
    let samples = ends.take_while(|end| end.saturating_sub(slots) >= first).map(|end| {
        let count = bank.history().count_until(end) - bank.history().count_until(end - slots);
        RpcPerfSample {
            slot: end,
            num_transactions: count,
            num_non_vote_transactions: Some(count),
            num_slots: slots,
            sample_period_secs: SAMPLE_SECS,
        }
    });
    to_value(samples.collect::<Vec<_>>())
}

fn check_available(view: &View<'_>, slot: u64) -> RpcResult<()> {
    let first = first_block(view.bank());
    if slot < first {
        return Err(RpcError::block_cleaned_up(slot, first));
    }
    if slot > view.slot() { Err(RpcError::block_not_available(slot)) } else { Ok(()) }
}

/// When the block was made, as its transactions saw it.
fn block_time(bank: &Bank, slot: u64) -> i64 {
    let seen = bank.history().of_slot(slot).last();
    seen.map_or_else(|| bank.clock().time_of(slot), |transaction| transaction.unix_timestamp)
}
