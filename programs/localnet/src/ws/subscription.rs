//! One subscription: what it watches, at which commitment, and what it says of a commit.

use serde_json::{Value, json};
use solana_account::ReadableAccount;
use solana_commitment_config::CommitmentLevel;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSignatureSubscribeConfig, RpcTransactionLogsConfig,
    RpcTransactionLogsFilter, UiAccountEncoding, UiDataSliceConfig,
};
use solana_rpc_client_api::filter::RpcFilterType;
use solana_rpc_client_api::response::{RpcKeyedAccount, RpcResponseContext};
use solana_signature::Signature;

use crate::bank::{Bank, Change, Commit};
use crate::rpc::{
    Params, RpcError, RpcResult, check_filters, error_value, matches, parse_pubkey, parse_signature, ui_account,
};

/// What a client watches, and how final it must be.
pub(super) struct Subscription {
    pub(super) topic: Topic,
    pub(super) level: CommitmentLevel,
}

/// What a client watches.
pub(super) enum Topic {
    Account {
        key: Pubkey,
        shown: Shown,
    },
    Program {
        program: Pubkey,
        filters: Vec<RpcFilterType>,
        shown: Shown,
    },
    /// Of all transactions, or of those that name an address.
    Logs {
        mention: Option<Pubkey>,
    },
    Signature(Watched),
    Slot,
    Root,
}

/// How accounts are shown.
pub(super) struct Shown {
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
}

/// A signature that is waited for.
pub(super) struct Watched {
    pub(super) signature: Signature,
    /// Whether the client also wants to hear that it was received, and has not yet.
    pub(super) tell_received: bool,
}

impl Subscription {
    /// Reads the parameters of a `…Subscribe` call; none: there is no such method.
    pub(super) fn read(method: &str, params: &Params) -> Option<RpcResult<Self>> {
        Some(match method {
            "accountSubscribe" => account(params),
            "logsSubscribe" => logs(params),
            "programSubscribe" => program(params),
            "rootSubscribe" => plain(Topic::Root, params),
            "signatureSubscribe" => signature(params),
            "slotSubscribe" => plain(Topic::Slot, params),
            _ => return None,
        })
    }

    /// The word before `Subscribe`, `Unsubscribe` and `Notification`.
    pub(super) fn kind(&self) -> &'static str {
        match self.topic {
            Topic::Account { .. } => "account",
            Topic::Program { .. } => "program",
            Topic::Logs { .. } => "logs",
            Topic::Signature(_) => "signature",
            Topic::Slot => "slot",
            Topic::Root => "root",
        }
    }

    /// What it has to say of a commit that has reached its commitment.
    pub(super) fn notifications(&self, bank: &Bank, id: u64, commit: &Commit) -> RpcResult<Vec<Value>> {
        let values: Vec<Value> = match &self.topic {
            Topic::Account { key, shown } => {
                let changes = commit.changes.iter().filter(|change| change.key == *key);
                changes.map(|change| shown.account(bank, change)).collect::<RpcResult<_>>()?
            }
            Topic::Program { program, filters, shown } => {
                let is_of = |change: &&Change| change.after.lamports() > 0 && change.after.owner() == program;
                let passes = |change: &&Change| filters.iter().all(|filter| matches(filter, &change.after));
                let changes = commit.changes.iter().filter(is_of).filter(passes);
                changes.map(|change| shown.keyed(bank, change)).collect::<RpcResult<_>>()?
            }
            Topic::Logs { mention } if mention.is_none_or(|key| commit.mentions.contains(&key)) => {
                let err = error_value(commit.error.as_deref())?;
                vec![json!({ "signature": commit.signature.to_string(), "err": err, "logs": commit.logs })]
            }
            Topic::Logs { .. } | Topic::Signature(_) | Topic::Slot | Topic::Root => Vec::new(),
        };
        values.into_iter().map(|value| at_slot(self.kind(), id, commit.slot, &value)).collect()
    }
}

impl Shown {
    fn account(&self, bank: &Bank, change: &Change) -> RpcResult {
        let view = bank.view(CommitmentLevel::Processed);
        let account = ui_account(&view, &change.key, &change.after, self.encoding, self.slice)?;
        serde_json::to_value(account).map_err(RpcError::internal)
    }

    fn keyed(&self, bank: &Bank, change: &Change) -> RpcResult {
        let view = bank.view(CommitmentLevel::Processed);
        let account = ui_account(&view, &change.key, &change.after, self.encoding, self.slice)?;
        let keyed = RpcKeyedAccount { pubkey: change.key.to_string(), account };
        serde_json::to_value(keyed).map_err(RpcError::internal)
    }
}

fn account(params: &Params) -> RpcResult<Subscription> {
    params.at_most(2)?;
    let key = params.pubkey(0)?;
    let config: RpcAccountInfoConfig = params.config(1)?;
    let topic = Topic::Account { key, shown: shown(config) };
    Ok(Subscription { topic, level: params.commitment(1)? })
}

fn program(params: &Params) -> RpcResult<Subscription> {
    params.at_most(2)?;
    let program = params.pubkey(0)?;
    let config: RpcProgramAccountsConfig = params.config(1)?;
    let filters = config.filters.unwrap_or_default();
    check_filters(&filters)?;
    let topic = Topic::Program { program, filters, shown: shown(config.account_config) };
    Ok(Subscription { topic, level: params.commitment(1)? })
}

fn shown(config: RpcAccountInfoConfig) -> Shown {
    Shown { encoding: config.encoding.unwrap_or(UiAccountEncoding::Binary), slice: config.data_slice }
}

/// There are no votes, so `allWithVotes` is `all`.
fn logs(params: &Params) -> RpcResult<Subscription> {
    params.at_most(2)?;
    let filter: RpcTransactionLogsFilter =
        params.required(0, "\"all\", \"allWithVotes\" or {\"mentions\": [address]}")?;
    params.optional::<RpcTransactionLogsConfig>(1, "config")?;
    let mention = match filter {
        RpcTransactionLogsFilter::All | RpcTransactionLogsFilter::AllWithVotes => None,
        RpcTransactionLogsFilter::Mentions(keys) => {
            let [key] = keys.as_slice() else {
                return Err(RpcError::invalid_params("Invalid Request: Only 1 address supported"));
            };
            Some(parse_pubkey(key)?)
        }
    };
    Ok(Subscription { topic: Topic::Logs { mention }, level: params.commitment(1)? })
}

fn signature(params: &Params) -> RpcResult<Subscription> {
    params.at_most(2)?;
    let signature = parse_signature(&params.required::<String>(0, "a signature in base58")?)?;
    let config: RpcSignatureSubscribeConfig = params.config(1)?;
    let tell_received = config.enable_received_notification == Some(true);
    let topic = Topic::Signature(Watched { signature, tell_received });
    Ok(Subscription { topic, level: params.commitment(1)? })
}

fn plain(topic: Topic, params: &Params) -> RpcResult<Subscription> {
    params.at_most(0)?;
    Ok(Subscription { topic, level: CommitmentLevel::Processed })
}

/// A notification with the slot it is true for.
pub(super) fn at_slot(kind: &str, id: u64, slot: u64, value: &Value) -> RpcResult {
    let context = serde_json::to_value(RpcResponseContext { slot, api_version: None }).map_err(RpcError::internal)?;
    Ok(notification(kind, id, &json!({ "context": context, "value": value })))
}

/// A notification as JSON-RPC sends it.
pub(super) fn notification(kind: &str, id: u64, result: &Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "method": format!("{kind}Notification"),
        "params": { "result": result, "subscription": id },
    })
}
