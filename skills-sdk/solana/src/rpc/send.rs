//! Sending a transaction and waiting for it: sent again until it lands or its blockhash expires, so that the answer is
//! always one of "confirmed", "failed", "never will", or an honest "unknown".

use std::time::{Duration, Instant};

use clawos_interface::instruction::Instruction;
use ed25519_dalek::SigningKey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::{Error as RpcError, ErrorKind, TransactionError};
use solana_rpc_client_api::request::RpcError as RequestError;
use solana_signature::Signature;
use solana_transaction::Transaction;

use super::{Preflight, Search, SendError, TransactionStatus, latest_blockhash, submit, transaction_status};
use crate::transaction::{Blockhash, signed};

/// How often the status is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How often the transaction is sent again: a leader may have dropped it.
const RESEND_INTERVAL: Duration = Duration::from_secs(2);
/// When waiting ends though the endpoint never said that the blockhash expired (150 blocks take about a minute).
pub const CONFIRM_TIMEOUT: Duration = Duration::from_secs(180);
/// How long a new block is waited for: many times what one takes.
pub const NEW_BLOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// A transaction that the network has confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// Its signature, base58.
    pub signature: String,
    /// The slot it landed in.
    pub slot: u64,
}

/// Builds, signs and sends `instructions`, and waits until they are confirmed; `signer` is the only signer and pays the
/// fees.
///
/// # Errors
/// See [`SendError`]; only [`SendError::Unknown`] leaves the outcome open.
pub async fn send_and_confirm(
    rpc: &RpcClient,
    signer: &SigningKey,
    instructions: &[Instruction],
) -> Result<Confirmed, SendError> {
    let mut blockhash = latest_blockhash(rpc).await?;
    loop {
        let transaction = signed(signer, instructions, &blockhash.hash);
        match submit(rpc, &transaction, Preflight::Run).await {
            // Another command sent the same instructions on this blockhash; these are to happen as well.
            Err(error) if was_sent_before(&error) => blockhash = blockhash_after(rpc, &blockhash).await?,
            Err(error) if surely_not_sent(&error) => return Err(error.into()),
            _ => return confirm(rpc, &transaction, blockhash.last_valid_block_height).await,
        }
    }
}

/// Waits at most `timeout` for a transaction that someone else sent (an airdrop).
///
/// # Errors
/// See [`SendError`].
pub async fn wait_for(rpc: &RpcClient, signature: &Signature, timeout: Duration) -> Result<Confirmed, SendError> {
    let started = Instant::now();
    loop {
        if let Some(outcome) = outcome(rpc, signature).await? {
            return outcome;
        }
        if started.elapsed() > timeout {
            return Err(SendError::Unknown { signature: *signature, cause: None });
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// A newer blockhash than `old`.
async fn blockhash_after(rpc: &RpcClient, old: &Blockhash) -> Result<Blockhash, SendError> {
    let started = Instant::now();
    loop {
        let new = latest_blockhash(rpc).await?;
        if new.hash != old.hash {
            return Ok(new);
        }
        if started.elapsed() > NEW_BLOCK_TIMEOUT {
            return Err(SendError::NoNewBlock);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Waits until a transaction is confirmed, sending it again from time to time.
async fn confirm(rpc: &RpcClient, transaction: &Transaction, last_valid: u64) -> Result<Confirmed, SendError> {
    let signature = transaction.signatures[0];
    let started = Instant::now();
    let mut sent = started;
    loop {
        let status = outcome(rpc, &signature).await;
        if let Ok(Some(outcome)) = status {
            return outcome;
        }
        if started.elapsed() > CONFIRM_TIMEOUT {
            return Err(SendError::Unknown { signature, cause: status.err() });
        }
        if sent.elapsed() > RESEND_INTERVAL {
            sent = Instant::now();
            // It passed the preflight before; a repetition's refusal says nothing new.
            let _ = submit(rpc, transaction, Preflight::Skip).await;
            if is_expired(rpc, last_valid).await {
                // It may have landed in the last block: one more look decides.
                tokio::time::sleep(POLL_INTERVAL).await;
                return match outcome(rpc, &signature).await {
                    Ok(Some(outcome)) => outcome,
                    Ok(None) => Err(SendError::Expired(signature)),
                    Err(error) => Err(SendError::Unknown { signature, cause: Some(error) }),
                };
            }
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// How a transaction ended: none while the network has not confirmed it.
async fn outcome(rpc: &RpcClient, signature: &Signature) -> Result<Option<Result<Confirmed, SendError>>, RpcError> {
    Ok(match transaction_status(rpc, signature, Search::Recent).await? {
        TransactionStatus::Confirmed { slot } => Some(Ok(Confirmed { signature: signature.to_string(), slot })),
        TransactionStatus::Failed(error) => Some(Err(SendError::Failed(error))),
        TransactionStatus::Unknown => None,
    })
}

/// Whether the chain is past `last_valid`; an unreachable endpoint is not a yes.
async fn is_expired(rpc: &RpcClient, last_valid: u64) -> bool {
    rpc.get_block_height().await.is_ok_and(|height| height > last_valid)
}

/// Whether the node has seen this very transaction before.
fn was_sent_before(error: &RpcError) -> bool {
    error.get_transaction_error() == Some(TransactionError::AlreadyProcessed)
}

/// Whether the node has certainly not taken the transaction: it said no, or was never reached. After anything else (an
/// answer that got lost) only the chain knows, and a caller who tried again could pay twice.
fn surely_not_sent(error: &RpcError) -> bool {
    match error.kind() {
        ErrorKind::Reqwest(error) => error.is_connect(),
        ErrorKind::RpcError(RequestError::RpcResponseError { .. }) | ErrorKind::TransactionError(_) => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "send_tests.rs"]
mod tests;
