//! Solana JSON-RPC as far as transactions need it, all at commitment `confirmed`: each function is one call.
//!
//! Sending until the outcome is known is [`send_and_confirm`].

mod budget;
mod error;
mod send;

use std::time::Duration;

use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::{Error as RpcError, TransactionError};
use solana_rpc_client_api::config::RpcSendTransactionConfig;
use solana_signature::Signature;
use solana_transaction::Transaction;

use crate::Blockhash;
pub use budget::with_fitting_budget;
pub use error::{SendError, describe_rpc};
pub use send::{CONFIRM_TIMEOUT, Confirmed, NEW_BLOCK_TIMEOUT, send_and_confirm, wait_for};

/// Whether the node simulates a transaction before it takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preflight {
    /// It does, and refuses one that would fail.
    Run,
    /// It takes anything that is signed.
    Skip,
}

/// Where the node looks for a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Among the recent ones only, some minutes back.
    Recent,
    /// In all that the node keeps.
    History,
}

/// What became of a sent transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionStatus {
    /// It succeeded, and is at least `confirmed`.
    Confirmed {
        /// The slot it landed in.
        slot: u64,
    },
    /// It failed, and that is at least `confirmed`: it changed nothing but the payer's fee.
    Failed(TransactionError),
    /// Not seen, or not confirmed yet.
    Unknown,
}

/// A client of the endpoint at `url` for commitment `confirmed`; each HTTP request may take `timeout`. Nothing is sent yet.
pub fn connect(url: &str, timeout: Duration) -> RpcClient {
    RpcClient::new_with_timeout_and_commitment(url.to_owned(), timeout, CommitmentConfig::confirmed())
}

/// The newest confirmed blockhash.
///
/// # Errors
/// When the endpoint does not answer.
pub async fn latest_blockhash(rpc: &RpcClient) -> Result<Blockhash, RpcError> {
    let (hash, last_valid_block_height) = rpc.get_latest_blockhash_with_commitment(rpc.commitment()).await?;
    Ok(Blockhash { hash: hash.to_bytes(), last_valid_block_height })
}

/// Hands a signed transaction to the node. It may be handed in as often as needed: the chain takes it once.
///
/// # Errors
/// When the endpoint does not answer, or the preflight refuses the transaction.
pub async fn submit(rpc: &RpcClient, transaction: &Transaction, preflight: Preflight) -> Result<(), RpcError> {
    let config = RpcSendTransactionConfig {
        skip_preflight: preflight == Preflight::Skip,
        preflight_commitment: Some(rpc.commitment().commitment),
        ..RpcSendTransactionConfig::default()
    };
    rpc.send_transaction_with_config(transaction, config).await.map(drop)
}

/// What became of the transaction with this signature.
///
/// # Errors
/// When the endpoint does not answer, or keeps no history where that was asked for.
pub async fn transaction_status(
    rpc: &RpcClient,
    signature: &Signature,
    search: Search,
) -> Result<TransactionStatus, RpcError> {
    let signatures = [*signature];
    let answer = match search {
        Search::Recent => rpc.get_signature_statuses(&signatures).await?,
        Search::History => rpc.get_signature_statuses_with_history(&signatures).await?,
    };
    let found = answer.value.into_iter().next().flatten();
    Ok(match found.filter(|status| status.satisfies_commitment(rpc.commitment())) {
        None => TransactionStatus::Unknown,
        Some(status) => match status.err {
            Some(error) => TransactionStatus::Failed(error),
            None => TransactionStatus::Confirmed { slot: status.slot },
        },
    })
}
