//! Sending and simulating transactions, and the two faucets.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use solana_commitment_config::CommitmentLevel;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{
    RpcRequestAirdropConfig, RpcSendTransactionConfig, RpcSimulateTransactionAccountsConfig,
    RpcSimulateTransactionConfig, UiAccountEncoding, UiTransactionEncoding,
};
use solana_rpc_client_api::response::{
    RpcBlockhash, RpcSimulateTransactionResult, TransactionError, UiAccount, UiLoadedAddresses,
};
use solana_transaction::versioned::VersionedTransaction;

use super::chain::latest;
use super::error::{RpcError, RpcResult};
use super::params::{Params, check_context, parse_pubkey, with_context};
use super::{accounts::ui_account, params::parse_hash};
use crate::bank::{Bank, SendError, Simulation, View, inner_instructions, lamports, return_data, token_balances};
use crate::node::Node;

/// Largest transaction, in bytes: what fits one network packet of Solana.
const MAX_WIRE: usize = 1232;

pub(super) fn send_transaction(node: &Node, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let text: String = params.required(0, "a transaction")?;
    let config: RpcSendTransactionConfig = params.config(1)?;
    let level = params.commitment_in(1, "preflightCommitment")?;
    let transaction = decode(&text, config.encoding)?;
    // The expensive check comes before the chain is locked.
    let verified = is_verified(&transaction);
    let mut bank = node.bank();
    let view = bank.view(level);
    check_context(&view, config.min_context_slot)?;
    check_lookups(&view, &transaction)?;
    if !config.skip_preflight {
        let simulation = simulated(&mut bank, transaction.clone(), level, verified);
        if let Some(error) = &simulation.error {
            return Err(RpcError::preflight(error, &outcome(&simulation)));
        }
    }
    if bank.behaviour().is_cluster() {
        return send_to_leader(&mut bank, transaction, verified);
    }
    if bank.history().contains(&transaction.signatures[0]) {
        // Sending again is how clients retry; it changes nothing.
        return Ok(Value::from(transaction.signatures[0].to_string()));
    }
    if !verified {
        let simulation = Simulation::refused(TransactionError::SignatureFailure);
        return Err(RpcError::preflight(TransactionError::SignatureFailure, &outcome(&simulation)));
    }
    run(&mut bank, transaction)
}

/// As a cluster's node hands a transaction on: the answer is its signature, and nobody hears why it never landed.
fn send_to_leader(bank: &mut Bank, transaction: VersionedTransaction, verified: bool) -> RpcResult {
    let signature = Value::from(transaction.signatures[0].to_string());
    if bank.behaviour_mut().loses_next() || !verified {
        return Ok(signature);
    }
    match bank.send(transaction) {
        Ok(_) | Err(SendError::Rejected(_)) => Ok(signature),
        Err(SendError::Ledger(error)) => Err(RpcError::internal(error)),
    }
}

pub(super) fn simulate_transaction(node: &Node, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let text: String = params.required(0, "a transaction")?;
    let config: RpcSimulateTransactionConfig = params.config(1)?;
    let level = params.commitment(1)?;
    let mut transaction = decode(&text, config.encoding)?;
    if config.sig_verify && config.replace_recent_blockhash {
        let message = "sigVerify may not be used with replaceRecentBlockhash";
        return Err(RpcError::invalid_params(message));
    }
    let verified = !config.sig_verify || is_verified(&transaction);
    let mut bank = node.bank();
    let view = bank.view(level);
    check_context(&view, config.min_context_slot)?;
    let mut replacement = None;
    if config.replace_recent_blockhash {
        transaction.message.set_recent_blockhash(view.blockhash());
        replacement = Some(latest(&view));
    }
    check_lookups(&view, &transaction)?;
    let wanted = wanted_accounts(&transaction, config.accounts)?;
    let simulation = simulated(&mut bank, transaction, level, verified);
    let view = bank.view(level);
    let inner = config.inner_instructions.then(|| inner_instructions(&simulation.outcome.inner_instructions));
    let tokens = |accounts| token_balances(&bank, &simulation.keys, accounts);
    let started = !simulation.keys.is_empty();
    let result = RpcSimulateTransactionResult {
        accounts: wanted.map(|wanted| wanted.after(&view, &simulation)).transpose()?,
        inner_instructions: inner,
        replacement_blockhash: replacement,
        pre_balances: started.then(|| lamports(&simulation.before)),
        post_balances: started.then(|| lamports(&simulation.after)),
        pre_token_balances: started.then(|| tokens(&simulation.before)),
        post_token_balances: started.then(|| tokens(&simulation.after)),
        ..outcome(&simulation)
    };
    with_context(&view, result)
}

/// A transaction with a bad signature would not even start.
fn simulated(bank: &mut Bank, transaction: VersionedTransaction, level: CommitmentLevel, verified: bool) -> Simulation {
    if verified { bank.simulate(transaction, level) } else { Simulation::refused(TransactionError::SignatureFailure) }
}

pub(super) fn request_airdrop(node: &Node, params: &Params) -> RpcResult {
    params.at_most(3)?;
    let to = params.pubkey(0)?;
    let lamports: u64 = params.required(1, "an amount in lamports")?;
    let config: RpcRequestAirdropConfig = params.config(2)?;
    let hash = config.recent_blockhash.as_deref().map(parse_hash).transpose()?;
    let mut bank = node.bank();
    let transaction = node.faucet().sol(&bank, &to, lamports, hash);
    let transaction = transaction.ok_or_else(too_many_alike)?;
    run(&mut bank, transaction)
}

/// Not a method of Solana: mints the local USDC to the owner's token account, making the account when absent.
pub(super) fn request_usdc_airdrop(node: &Node, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let owner = params.pubkey(0)?;
    let Amount(amount) = params.required(1, "an amount in base units (6 decimals), a number or its digits")?;
    let mut bank = node.bank();
    let transaction = node.faucet().usdc(&bank, &owner, amount);
    let transaction = transaction.ok_or_else(too_many_alike)?;
    run(&mut bank, transaction)
}

/// A whole number, or its digits as text: what a JavaScript client makes of a bigint for a method that it does not know.
struct Amount(u64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let amount = value.as_u64().or_else(|| value.as_str().and_then(|digits| digits.parse().ok()));
        amount.map(Self).ok_or_else(|| serde::de::Error::custom(format!("{value} is not a whole number below 2^64")))
    }
}

fn too_many_alike() -> RpcError {
    RpcError::internal("this same airdrop ran 150 times within a minute; wait a second and try again")
}

fn run(bank: &mut Bank, transaction: VersionedTransaction) -> RpcResult {
    match bank.send(transaction) {
        Ok(signature) => Ok(Value::from(signature.to_string())),
        // A validator would answer with a signature that never lands; a developer is better served by the reason.
        Err(SendError::Rejected(failed)) => {
            let simulation = Simulation { outcome: failed.meta, ..Simulation::refused(failed.err.clone()) };
            Err(RpcError::preflight(failed.err, &outcome(&simulation)))
        }
        Err(SendError::Ledger(error)) => Err(RpcError::internal(error)),
    }
}

fn outcome(simulation: &Simulation) -> RpcSimulateTransactionResult {
    let Simulation { error, outcome, loaded, loaded_size, .. } = simulation;
    RpcSimulateTransactionResult {
        err: error.clone().map(Into::into),
        logs: Some(outcome.logs.clone()),
        accounts: None,
        units_consumed: Some(outcome.compute_units_consumed),
        loaded_accounts_data_size: Some(*loaded_size),
        return_data: return_data(outcome),
        inner_instructions: None,
        replacement_blockhash: None::<RpcBlockhash>,
        fee: Some(outcome.fee),
        pre_balances: None,
        post_balances: None,
        pre_token_balances: None,
        post_token_balances: None,
        loaded_addresses: Some(UiLoadedAddresses::from(loaded)),
    }
}

/// The accounts a caller wants to see after a simulation.
struct Wanted {
    keys: Vec<Pubkey>,
    encoding: UiAccountEncoding,
}

fn wanted_accounts(
    transaction: &VersionedTransaction,
    config: Option<RpcSimulateTransactionAccountsConfig>,
) -> RpcResult<Option<Wanted>> {
    let Some(config) = config else {
        return Ok(None);
    };
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Base64);
    if matches!(encoding, UiAccountEncoding::Binary | UiAccountEncoding::Base58) {
        return Err(RpcError::invalid_params("base58 encoding not supported"));
    }
    let max = transaction.message.static_account_keys().len();
    if config.addresses.len() > max {
        return Err(RpcError::invalid_params(format!("Too many accounts provided; max {max}")));
    }
    let keys = config.addresses.iter().map(|key| parse_pubkey(key)).collect::<RpcResult<_>>()?;
    Ok(Some(Wanted { keys, encoding }))
}

impl Wanted {
    fn after(&self, view: &View<'_>, simulation: &Simulation) -> RpcResult<Vec<Option<UiAccount>>> {
        let one = |key: &Pubkey| {
            if simulation.error.is_some() {
                return Ok(None);
            }
            let place = simulation.keys.iter().position(|known| known == key);
            let account = place.map_or_else(|| view.account(key), |place| simulation.after[place].as_ref());
            account.map(|account| ui_account(view, key, account, self.encoding, None)).transpose()
        };
        self.keys.iter().map(one).collect()
    }
}

fn is_verified(transaction: &VersionedTransaction) -> bool {
    transaction.verify_with_results().into_iter().all(|valid| valid)
}

/// A transaction whose lookup tables cannot be read is malformed.
fn check_lookups(view: &View<'_>, transaction: &VersionedTransaction) -> RpcResult<()> {
    let found = view.lookups(transaction);
    found.map(drop).map_err(|error| RpcError::invalid_params(format!("invalid transaction: {error}")))
}

fn decode(text: &str, encoding: Option<UiTransactionEncoding>) -> RpcResult<VersionedTransaction> {
    let bytes = match encoding.unwrap_or(UiTransactionEncoding::Base58) {
        UiTransactionEncoding::Base58 | UiTransactionEncoding::Binary => {
            // Longer text cannot be a transaction, and base58 takes quadratic time.
            if text.len() > MAX_WIRE * 138 / 100 + 1 {
                return Err(too_large(text.len()));
            }
            bs58::decode(text)
                .into_vec()
                .map_err(|error| RpcError::invalid_params(format!("invalid base58 encoding: {error:?}")))?
        }
        UiTransactionEncoding::Base64 => BASE64_STANDARD
            .decode(text)
            .map_err(|error| RpcError::invalid_params(format!("invalid base64 encoding: {error:?}")))?,
        other => {
            let message = format!("unsupported encoding: {other}. Supported encodings: base58, base64");
            return Err(RpcError::invalid_params(message));
        }
    };
    if bytes.len() > MAX_WIRE {
        return Err(too_large(bytes.len()));
    }
    let transaction: VersionedTransaction = wincode::deserialize_exact(&bytes)
        .map_err(|error| RpcError::invalid_params(format!("failed to deserialize VersionedTransaction: {error}")))?;
    transaction.sanitize().map_err(|error| {
        let error = TransactionError::from(error);
        RpcError::invalid_params(format!("invalid transaction: {error}"))
    })?;
    Ok(transaction)
}

fn too_large(len: usize) -> RpcError {
    RpcError::invalid_params(format!("transaction too large: {len} bytes (max: raw {MAX_WIRE} bytes)"))
}
