//! Sending a transaction and waiting for it: sent again until it lands or its blockhash lapses, so that the answer is
//! always one of "confirmed", "failed", "never will", or an honest "unknown".

use std::time::{Duration, Instant};

use clawos_interface::instruction::Instruction;
use solana_rpc_client_api::client_error::{Error as RpcError, ErrorKind, TransactionError};
use solana_rpc_client_api::config::RpcSendTransactionConfig;
use solana_rpc_client_api::request::RpcError as RequestError;
use solana_signature::Signature;
use solana_transaction::Transaction;

use super::transaction::{Blockhash, message, signed};
use super::{Chain, ChainError};
use crate::wallet::Wallet;

/// How often the status is asked.
const POLL: Duration = Duration::from_millis(200);
/// How often the transaction is sent again: a leader may have dropped it.
const RESEND: Duration = Duration::from_secs(2);
/// When waiting ends though the RPC never said that the blockhash lapsed (150 blocks take about a minute).
const GIVE_UP: Duration = Duration::from_secs(180);

/// How long a new block is waited for: many times what one takes.
const NEXT_BLOCK: Duration = Duration::from_secs(30);

/// A transaction that the network has confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// Its signature, base58.
    pub signature: String,
    /// The slot it landed in.
    pub slot: u64,
}

impl Chain {
    /// The newest confirmed blockhash.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn blockhash(&self) -> Result<Blockhash, ChainError> {
        let commitment = self.rpc.commitment();
        let answer = self.rpc.get_latest_blockhash_with_commitment(commitment).await;
        let (hash, last_valid_block_height) = answer.map_err(|error| self.error(&error))?;
        Ok(Blockhash { hash: hash.to_bytes(), last_valid_block_height })
    }

    /// Builds, signs and sends `instructions`; the wallet is the only signer and pays the fees.
    ///
    /// # Errors
    /// See [`ChainError`]; only [`ChainError::Unknown`] leaves the outcome open.
    pub async fn send(&self, wallet: &Wallet, instructions: &[Instruction]) -> Result<Confirmed, ChainError> {
        let mut blockhash = self.blockhash().await?;
        loop {
            let transaction = signed(wallet, message(&wallet.key(), instructions, &blockhash.hash));
            match self.submit(&transaction, false).await {
                // The same wish was sent before on this blockhash, by another command: this one is a wish of its own.
                Err(error) if was_sent_before(&error) => blockhash = self.blockhash_after(&blockhash).await?,
                Err(error) if surely_not_sent(&error) => return Err(self.error(&error)),
                _ => {
                    let signature = transaction.signatures[0];
                    return self.confirm(&transaction, &signature, blockhash.last_valid_block_height).await;
                }
            }
        }
    }

    /// A newer blockhash than `old`.
    async fn blockhash_after(&self, old: &Blockhash) -> Result<Blockhash, ChainError> {
        let started = Instant::now();
        loop {
            let new = self.blockhash().await?;
            if new.hash != old.hash {
                return Ok(new);
            }
            if started.elapsed() > NEXT_BLOCK {
                return Err(ChainError::Failed {
                    reason: "the chain makes no new blocks".to_owned(),
                    logs: Vec::new(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until `signature` is confirmed, sending the transaction again from time to time.
    async fn confirm(
        &self,
        transaction: &Transaction,
        signature: &Signature,
        last_valid: u64,
    ) -> Result<Confirmed, ChainError> {
        let started = Instant::now();
        let mut sent = started;
        loop {
            let status = self.status(signature).await;
            if let Ok(Some(outcome)) = status {
                return outcome;
            }
            if started.elapsed() > GIVE_UP {
                let reason = status.err().map_or_else(|| "no status in time".to_owned(), |error| error.to_string());
                return Err(ChainError::Unknown { signature: signature.to_string(), reason });
            }
            if sent.elapsed() > RESEND {
                sent = Instant::now();
                // It passed the preflight before; a repetition's refusal says nothing new.
                let _ = self.submit(transaction, true).await;
                if self.lapsed(last_valid).await {
                    // It may have landed in the last block: one more look decides.
                    tokio::time::sleep(POLL).await;
                    let last = self.status(signature).await;
                    return self.after_lapse(signature, last);
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn after_lapse(
        &self,
        signature: &Signature,
        last: Result<Option<Result<Confirmed, ChainError>>, ChainError>,
    ) -> Result<Confirmed, ChainError> {
        match last {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Err(ChainError::Expired(signature.to_string())),
            Err(error) => Err(ChainError::Unknown { signature: signature.to_string(), reason: error.to_string() }),
        }
    }

    async fn submit(&self, transaction: &Transaction, skip_preflight: bool) -> Result<(), RpcError> {
        let config = RpcSendTransactionConfig {
            skip_preflight,
            preflight_commitment: Some(self.rpc.commitment().commitment),
            ..RpcSendTransactionConfig::default()
        };
        self.rpc.send_transaction_with_config(transaction, config).await.map(drop)
    }

    /// The outcome of a signature: none while the network has not confirmed it.
    async fn status(&self, signature: &Signature) -> Result<Option<Result<Confirmed, ChainError>>, ChainError> {
        let answer = self.rpc.get_signature_statuses(&[*signature]).await.map_err(|error| self.error(&error))?;
        let Some(status) = answer.value.into_iter().next().flatten() else { return Ok(None) };
        if !status.satisfies_commitment(self.rpc.commitment()) {
            return Ok(None);
        }
        Ok(Some(match status.err {
            Some(error) => Err(ChainError::from_transaction(&error, Vec::new())),
            None => Ok(Confirmed { signature: signature.to_string(), slot: status.slot }),
        }))
    }

    /// Whether the chain is past `last_valid`; an unreachable RPC is not a yes.
    async fn lapsed(&self, last_valid: u64) -> bool {
        self.rpc.get_block_height().await.is_ok_and(|height| height > last_valid)
    }

    /// Waits for a signature that someone else made (an airdrop).
    pub(crate) async fn wait_for(&self, signature: &Signature, at_most: Duration) -> Result<Confirmed, ChainError> {
        let started = Instant::now();
        loop {
            if let Some(outcome) = self.status(signature).await? {
                return outcome;
            }
            if started.elapsed() > at_most {
                return Err(ChainError::Unknown {
                    signature: signature.to_string(),
                    reason: "no status in time".to_owned(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }
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
