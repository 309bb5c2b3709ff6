//! What one connection subscribed to: `accountSubscribe`, `signatureSubscribe`, `slotSubscribe`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcSignatureSubscribeConfig, UiAccountEncoding, UiDataSliceConfig,
};
use solana_rpc_client_api::response::RpcResponseContext;
use solana_signature::Signature;

use crate::bank::{Bank, Commit};
use crate::node::Node;
use crate::rpc::{Params, RpcError, RpcResult, answer_call, error_value, failure, parse_signature, ui_account};

/// Subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 1_000;

enum Subscription {
    Account { key: Pubkey, encoding: UiAccountEncoding, slice: Option<UiDataSliceConfig> },
    Signature(Signature),
    Slot,
}

impl Subscription {
    /// The word before `Subscribe` and `Notification`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Account { .. } => "account",
            Self::Signature(_) => "signature",
            Self::Slot => "slot",
        }
    }

    fn concerns(&self, commit: &Commit) -> bool {
        match self {
            Self::Account { key, .. } => commit.accounts.iter().any(|(changed, _)| changed == key),
            Self::Signature(signature) => *signature == commit.signature,
            Self::Slot => false,
        }
    }

    /// The notification of a commit that concerns it.
    fn notification(&self, bank: &Bank, id: u64, commit: &Commit) -> RpcResult {
        let value = match self {
            Self::Account { key, encoding, slice } => {
                let changed = commit.accounts.iter().find(|(changed, _)| changed == key);
                let account = changed.map(|(_, account)| ui_account(bank, key, account, *encoding, *slice));
                json!(account.transpose()?)
            }
            Self::Signature(_) => json!({ "err": error_value(commit.error.as_deref())? }),
            Self::Slot => Value::Null,
        };
        at_slot(self.kind(), id, commit.slot, &value)
    }
}

/// The subscriptions of one connection.
pub(super) struct Session {
    node: Arc<Node>,
    next: Arc<AtomicU64>,
    subscriptions: HashMap<u64, Subscription>,
    /// The last slot that was notified.
    slot: u64,
}

impl Session {
    /// A connection without subscriptions; `next` gives them numbers.
    pub(super) fn new(node: Arc<Node>, next: Arc<AtomicU64>) -> Self {
        Self { node, next, subscriptions: HashMap::new(), slot: 0 }
    }

    /// Answers one call; the answer comes before any notification it gives rise to.
    pub(super) fn receive(&mut self, text: &str) -> Vec<Value> {
        let call = match serde_json::from_str(text) {
            Ok(call) => call,
            Err(error) => return vec![failure(Value::Null, &RpcError::parse(&error))],
        };
        let mut messages = Vec::new();
        let answer = answer_call(call, |method, params| {
            let (result, notifications) = self.call(method, &params)?;
            messages.extend(notifications);
            Ok(result)
        });
        messages.splice(0..0, answer);
        messages
    }

    fn call(&mut self, method: &str, params: &Params) -> RpcResult<(Value, Vec<Value>)> {
        let done = |value: Value| Ok((value, Vec::new()));
        match method {
            "accountSubscribe" => done(self.account_subscribe(params)?),
            "signatureSubscribe" => self.signature_subscribe(params),
            "slotSubscribe" => done(self.slot_subscribe(params)?),
            "accountUnsubscribe" => done(self.unsubscribe("account", params)?),
            "signatureUnsubscribe" => done(self.unsubscribe("signature", params)?),
            "slotUnsubscribe" => done(self.unsubscribe("slot", params)?),
            _ => Err(RpcError::method_not_found(method)),
        }
    }

    fn account_subscribe(&mut self, params: &Params) -> RpcResult {
        params.at_most(2)?;
        let key = params.pubkey(0)?;
        let config: RpcAccountInfoConfig = params.config(1)?;
        let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
        self.add(Subscription::Account { key, encoding, slice: config.data_slice }).map(Value::from)
    }

    /// A signature that ran already is notified at once.
    fn signature_subscribe(&mut self, params: &Params) -> RpcResult<(Value, Vec<Value>)> {
        params.at_most(2)?;
        let signature = parse_signature(&params.required::<String>(0, "a signature in base58")?)?;
        let config: RpcSignatureSubscribeConfig = params.config(1)?;
        let found = self.node.bank().history().get(&signature).cloned();
        let id = self.add(Subscription::Signature(signature))?;
        let mut notifications = Vec::new();
        if let Some(found) = found {
            self.subscriptions.remove(&id);
            if config.enable_received_notification == Some(true) {
                notifications.push(at_slot("signature", id, found.slot, &json!("receivedSignature"))?);
            }
            let value = json!({ "err": error_value(found.error.as_deref())? });
            notifications.push(at_slot("signature", id, found.slot, &value)?);
        }
        Ok((Value::from(id), notifications))
    }

    fn slot_subscribe(&mut self, params: &Params) -> RpcResult {
        params.at_most(0)?;
        self.add(Subscription::Slot).map(Value::from)
    }

    fn unsubscribe(&mut self, kind: &str, params: &Params) -> RpcResult {
        params.at_most(1)?;
        let id: u64 = params.required(0, "a subscription id")?;
        if self.subscriptions.get(&id).is_none_or(|found| found.kind() != kind) {
            return Err(RpcError::invalid_params("Invalid subscription id."));
        }
        self.subscriptions.remove(&id);
        Ok(Value::from(true))
    }

    fn add(&mut self, subscription: Subscription) -> RpcResult<u64> {
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            let message = format!("a connection has at most {MAX_SUBSCRIPTIONS} subscriptions");
            return Err(RpcError::invalid_request(message));
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    /// The notifications of a commit.
    pub(super) fn committed(&mut self, commit: &Commit) -> Vec<Value> {
        // Most commits concern nobody here; those leave the chain's lock alone.
        if !self.subscriptions.values().any(|subscription| subscription.concerns(commit)) {
            return Vec::new();
        }
        let bank = self.node.bank();
        let mut messages = Vec::new();
        self.subscriptions.retain(|id, subscription| {
            if !subscription.concerns(commit) {
                return true;
            }
            match subscription.notification(&bank, *id, commit) {
                Ok(message) => messages.push(message),
                Err(error) => tracing::warn!(?error, "a notification could not be made"),
            }
            // A signature is notified once.
            !matches!(subscription, Subscription::Signature(_))
        });
        messages
    }

    /// Whether slots are of interest.
    pub(super) fn watches_slots(&self) -> bool {
        self.subscriptions.values().any(|subscription| matches!(subscription, Subscription::Slot))
    }

    /// The notifications of a slot, once per slot.
    pub(super) fn slot_passed(&mut self) -> Vec<Value> {
        let slot = self.node.bank().clock().slot();
        if slot == self.slot {
            return Vec::new();
        }
        self.slot = slot;
        // Everything answered is final, so the root is the slot before.
        let result = json!({ "slot": slot, "parent": slot - 1, "root": slot - 1 });
        let watching = self.subscriptions.iter().filter(|(_, found)| matches!(found, Subscription::Slot));
        watching.map(|(id, _)| notification("slot", *id, &result)).collect()
    }
}

/// A notification with the slot it is true for.
fn at_slot(kind: &str, id: u64, slot: u64, value: &Value) -> RpcResult {
    let context = serde_json::to_value(RpcResponseContext { slot, api_version: None }).map_err(RpcError::internal)?;
    Ok(notification(kind, id, &json!({ "context": context, "value": value })))
}

fn notification(kind: &str, id: u64, result: &Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "method": format!("{kind}Notification"),
        "params": { "result": result, "subscription": id },
    })
}
