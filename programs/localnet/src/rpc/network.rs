//! The network around the chain: one node that leads every slot, without votes, stake or inflation.

use serde_json::{Value, json};
use solana_rpc_client_api::config::{
    RpcBlockProductionConfig, RpcEpochConfig, RpcGetVoteAccountsConfig, RpcLeaderScheduleConfig,
    RpcLeaderScheduleConfigWrapper,
};
use solana_rpc_client_api::request::MAX_GET_SLOT_LEADERS;
use solana_rpc_client_api::response::{
    RpcBlockCommitment, RpcBlockProduction, RpcBlockProductionRange, RpcContactInfo, RpcIdentity, RpcInflationGovernor,
    RpcInflationRate, RpcVersionInfo, RpcVoteAccountStatus,
};
use solana_signer::Signer;
use solana_version::Version;

use super::error::{RpcError, RpcResult};
use super::params::{Params, parse_pubkey, to_value, with_context};
use crate::node::Node;

/// Addresses whose inflation rewards one call may ask for.
const MAX_REWARD_ADDRESSES: usize = 100;

/// The node's address: it signs nothing but what its faucet gives away.
fn identity(node: &Node) -> String {
    node.keys().faucet.pubkey().to_string()
}

pub(super) fn get_version(params: &Params) -> RpcResult {
    params.at_most(0)?;
    let version = Version::this_build();
    to_value(RpcVersionInfo { solana_core: version.as_semver_string(), feature_set: Some(version.feature_set()) })
}

pub(super) fn get_identity(node: &Node, params: &Params) -> RpcResult {
    params.at_most(0)?;
    to_value(RpcIdentity { identity: identity(node) })
}

pub(super) fn get_cluster_nodes(node: &Node, params: &Params) -> RpcResult {
    params.at_most(0)?;
    let version = Version::this_build();
    to_value([RpcContactInfo {
        pubkey: identity(node),
        gossip: None,
        tvu: None,
        tpu: None,
        tpu_quic: None,
        tpu_forwards: None,
        tpu_forwards_quic: None,
        tpu_vote: None,
        serve_repair: None,
        rpc: None,
        pubsub: None,
        version: Some(version.as_semver_string()),
        client_id: None,
        feature_set: Some(version.feature_set()),
        shred_version: None,
    }])
}

pub(super) fn get_vote_accounts(params: &Params) -> RpcResult {
    params.at_most(1)?;
    let config: RpcGetVoteAccountsConfig = params.config(0)?;
    config.vote_pubkey.as_deref().map(parse_pubkey).transpose()?;
    to_value(RpcVoteAccountStatus { current: Vec::new(), delinquent: Vec::new() })
}

/// Every slot of the epoch; null for an epoch that is not known yet.
pub(super) fn get_leader_schedule(node: &Node, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let first: Option<RpcLeaderScheduleConfigWrapper> = params.optional(0, "a slot or a config")?;
    let (slot, config) = first.map_or((None, None), |first| first.unzip());
    let index = if config.is_some() { 0 } else { 1 };
    let config: RpcLeaderScheduleConfig = params.config(index)?;
    let wanted = config.identity.as_deref().map(parse_pubkey).transpose()?;
    let bank = node.bank();
    let schedule = bank.epoch_schedule();
    let now = bank.view(params.commitment(index)?).slot();
    let epoch = schedule.get_epoch(slot.unwrap_or(now));
    if epoch > schedule.get_leader_schedule_epoch(now) {
        return Ok(Value::Null);
    }
    if wanted.is_some_and(|wanted| wanted != node.keys().faucet.pubkey()) {
        return Ok(json!({}));
    }
    let slots: Vec<u64> = (0..schedule.get_slots_in_epoch(epoch)).collect();
    Ok(json!({ identity(node): slots }))
}

pub(super) fn get_slot_leader(node: &Node, params: &Params) -> RpcResult {
    params.at_most(1)?;
    params.view(&node.bank(), 0)?;
    Ok(Value::from(identity(node)))
}

pub(super) fn get_slot_leaders(node: &Node, params: &Params) -> RpcResult {
    params.at_most(2)?;
    params.required::<u64>(0, "a slot")?;
    let limit: usize = params.required(1, "a limit")?;
    if !(1..=MAX_GET_SLOT_LEADERS).contains(&limit) {
        return Err(RpcError::invalid_params(format!("Invalid limit; max {MAX_GET_SLOT_LEADERS}")));
    }
    Ok(json!(vec![identity(node); limit]))
}

/// Nobody votes, so no stake stands behind any block: whether it is final is what `getSignatureStatuses` says.
pub(super) fn get_block_commitment(params: &Params) -> RpcResult {
    params.at_most(1)?;
    params.required::<u64>(0, "a slot")?;
    to_value(RpcBlockCommitment::<Vec<u64>> { commitment: None, total_stake: 0 })
}

/// The node led every slot and skipped none.
pub(super) fn get_block_production(node: &Node, params: &Params) -> RpcResult {
    params.at_most(1)?;
    let config: RpcBlockProductionConfig = params.config(0)?;
    let wanted = config.identity.as_deref().map(parse_pubkey).transpose()?;
    let bank = node.bank();
    let view = params.view(&bank, 0)?;
    let (first, last) = match config.range {
        Some(range) => (range.first_slot, range.last_slot.unwrap_or(view.slot())),
        None => {
            let schedule = bank.epoch_schedule();
            (schedule.get_first_slot_in_epoch(schedule.get_epoch(view.slot())), view.slot())
        }
    };
    if last < first {
        return Err(RpcError::invalid_params(format!("lastSlot, {last}, cannot be less than firstSlot, {first}")));
    }
    if last > view.slot() {
        return Err(RpcError::invalid_params(format!("lastSlot, {last}, is too large; max {}", view.slot())));
    }
    let slots = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    let asked = wanted.is_none_or(|wanted| wanted == node.keys().faucet.pubkey());
    let by_identity = asked.then(|| (identity(node), (slots, slots))).into_iter().collect();
    let range = RpcBlockProductionRange { first_slot: first, last_slot: last };
    with_context(&view, RpcBlockProduction { by_identity, range })
}

pub(super) fn get_inflation_governor(node: &Node, params: &Params) -> RpcResult {
    params.at_most(1)?;
    params.view(&node.bank(), 0)?;
    to_value(RpcInflationGovernor { initial: 0.0, terminal: 0.0, taper: 0.0, foundation: 0.0, foundation_term: 0.0 })
}

pub(super) fn get_inflation_rate(node: &Node, params: &Params) -> RpcResult {
    params.at_most(0)?;
    let bank = node.bank();
    let epoch = bank.epoch_schedule().get_epoch(bank.clock().slot());
    to_value(RpcInflationRate { total: 0.0, validator: 0.0, foundation: 0.0, epoch })
}

/// Nobody is rewarded.
pub(super) fn get_inflation_reward(params: &Params) -> RpcResult {
    params.at_most(2)?;
    let keys: Vec<String> = params.required(0, "an array of addresses")?;
    params.config::<RpcEpochConfig>(1)?;
    if keys.len() > MAX_REWARD_ADDRESSES {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {MAX_REWARD_ADDRESSES}")));
    }
    keys.iter().try_for_each(|key| parse_pubkey(key).map(drop))?;
    Ok(Value::from(vec![Value::Null; keys.len()]))
}
