//! The subscriptions of one connection, and what they have been told. A commit is told to a subscription when its slot
//! reaches the subscription's commitment; a signature is looked up in the history, so it may also have run before.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use solana_commitment_config::CommitmentLevel;

use super::subscription::{Subscription, Topic, Watched, at_slot, notification};
use crate::bank::{Bank, Commit};
use crate::node::Node;
use crate::rpc::{Params, RpcError, RpcResult, answer_call, error_value, failure};

/// Subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 1_000;
/// Every commitment, from the first to be reached to the last.
const LEVELS: [CommitmentLevel; 3] =
    [CommitmentLevel::Processed, CommitmentLevel::Confirmed, CommitmentLevel::Finalized];

/// The subscriptions of one connection.
pub(super) struct Session {
    node: Arc<Node>,
    next_id: Arc<AtomicU64>,
    subscriptions: BTreeMap<u64, Subscription>,
    /// Commits that have not reached every commitment, oldest first.
    commits: VecDeque<Arc<Commit>>,
    /// For each of [`LEVELS`], how many of `commits` have reached it.
    reached: [usize; 3],
    /// The last slot and the last root that were told.
    slot: u64,
    root: u64,
}

impl Session {
    /// A connection without subscriptions, made while `commits` were not final; `next_id` gives it numbers.
    pub(super) fn new(node: Arc<Node>, next_id: Arc<AtomicU64>, commits: VecDeque<Arc<Commit>>) -> Self {
        let subscriptions = BTreeMap::new();
        let mut session = Self { node, next_id, subscriptions, commits, reached: [0; 3], slot: 0, root: 0 };
        session.advance();
        session
    }

    /// Answers one call; the answer comes before any notification it gives rise to.
    pub(super) fn receive(&mut self, text: &str) -> Vec<Value> {
        let call = match serde_json::from_str(text) {
            Ok(call) => call,
            Err(error) => return vec![failure(Value::Null, &RpcError::parse(&error))],
        };
        // What was reached before is not told to a new subscription.
        let mut messages = self.advance();
        messages.extend(answer_call(call, |method, params| self.call(method, &params)));
        messages.extend(self.advance());
        messages
    }

    fn call(&mut self, method: &str, params: &Params) -> RpcResult {
        if let Some(subscription) = Subscription::read(method, params) {
            return self.add(subscription?).map(Value::from);
        }
        match method.strip_suffix("Unsubscribe") {
            Some(kind @ ("account" | "logs" | "program" | "root" | "signature" | "slot")) => {
                self.unsubscribe(kind, params)
            }
            _ => Err(RpcError::method_not_found(method)),
        }
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
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    /// Takes a new commit in; gives what is to be told.
    pub(super) fn committed(&mut self, commit: Arc<Commit>) -> Vec<Value> {
        self.commits.push_back(commit);
        self.advance()
    }

    /// Whether time alone may give something to tell.
    pub(super) fn waits(&self) -> bool {
        !self.subscriptions.is_empty()
    }

    /// Tells what has happened until now.
    pub(super) fn advance(&mut self) -> Vec<Value> {
        let node = self.node.clone();
        let bank = node.bank();
        let mut messages = Vec::new();
        for (level, reached) in LEVELS.into_iter().zip(&mut self.reached) {
            let slot = bank.slot_at(level);
            while let Some(commit) = self.commits.get(*reached).filter(|commit| commit.slot <= slot) {
                let watching = self.subscriptions.iter().filter(|(_, found)| found.level == level);
                for (id, subscription) in watching {
                    keep(&mut messages, subscription.notifications(&bank, *id, commit));
                }
                *reached += 1;
            }
        }
        let everywhere = self.reached.into_iter().min().unwrap_or(0);
        self.commits.drain(..everywhere);
        self.reached = self.reached.map(|reached| reached - everywhere);
        self.tell_signatures(&bank, &mut messages);
        self.tell_slots(&bank, &mut messages);
        messages
    }

    /// A signature is told once, and not when it is so old that a node has forgotten it.
    fn tell_signatures(&mut self, bank: &Bank, messages: &mut Vec<Value>) {
        self.subscriptions.retain(|id, subscription| {
            let Subscription { topic: Topic::Signature(watched), level } = subscription else { return true };
            match outcome(bank, *id, watched, *level) {
                Ok((told, done)) => {
                    messages.extend(told);
                    !done
                }
                Err(error) => {
                    tracing::warn!(?error, "a notification could not be made");
                    false
                }
            }
        });
    }

    /// The present slot and root, each once.
    fn tell_slots(&mut self, bank: &Bank, messages: &mut Vec<Value>) {
        let slot = bank.clock().slot();
        let root = bank.slot_at(CommitmentLevel::Finalized).min(slot - 1);
        for (id, subscription) in &self.subscriptions {
            match subscription.topic {
                Topic::Slot if slot > self.slot => {
                    let result = json!({ "slot": slot, "parent": slot - 1, "root": root });
                    messages.push(notification("slot", *id, &result));
                }
                Topic::Root if root > self.root => messages.push(notification("root", *id, &json!(root))),
                _ => {}
            }
        }
        (self.slot, self.root) = (slot, root);
    }
}

/// What to tell of a signature, and whether that is all.
fn outcome(bank: &Bank, id: u64, watched: &mut Watched, level: CommitmentLevel) -> RpcResult<(Vec<Value>, bool)> {
    let mut told = Vec::new();
    let found = bank.history().get(&watched.signature);
    let Some(found) = found.filter(|found| bank.behaviour().remembers(found.slot, bank.clock().slot())) else {
        return Ok((told, false));
    };
    if std::mem::take(&mut watched.tell_received) {
        told.push(at_slot("signature", id, found.slot, &json!("receivedSignature"))?);
    }
    let done = found.slot <= bank.slot_at(level);
    if done {
        let value = json!({ "err": error_value(found.error.as_deref())? });
        told.push(at_slot("signature", id, found.slot, &value)?);
    }
    Ok((told, done))
}

fn keep(messages: &mut Vec<Value>, made: RpcResult<Vec<Value>>) {
    match made {
        Ok(made) => messages.extend(made),
        Err(error) => tracing::warn!(?error, "a notification could not be made"),
    }
}
