//! The only user of Solana JSON-RPC. Reads are at `confirmed`; nothing is ever granted on `processed`.
//!
//! It moves bytes: what accounts mean is `clawos_interface`'s, what follows from them is `check.rs`'s.

mod types;

pub use clawos_solana::rpc::{Search, TransactionStatus};
pub use types::{ChainError, Simulation, Snapshot};
pub(crate) use types::{malformed, other_network};

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clawos_base::Clock;
use clawos_interface::Key;
use clawos_interface::instruction::Instruction;
use clawos_solana::failure::{describe, failed_instruction};
use clawos_solana::rpc::{self, Preflight};
use clawos_solana::transaction::message;
use clawos_solana::{Blockhash, MAX_COMPUTE_UNITS};
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::{Error as ClientError, ErrorKind, TransactionError};
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcSimulateTransactionConfig, UiAccountEncoding};
use solana_signature::Signature;
use solana_transaction::Transaction;

/// How long one RPC call may take, with whatever the client library waits and repeats in it. Longer than a slow public
/// endpoint's answer, shorter than a caller's patience.
const RPC_TIMEOUT: Duration = Duration::from_secs(5);
/// After a failed call the endpoint is left alone for this long (milliseconds), so that callers are answered at once
/// instead of queueing behind timeouts.
const DOWN_MS: i64 = 1_000;
/// The address of the Clock sysvar, read with every account so that state and time belong to one slot.
const CLOCK_SYSVAR: &str = "SysvarC1ock11111111111111111111111111111111";
/// Where `unix_timestamp` (i64, little-endian) stands in the Clock sysvar: after slot, epoch start, epoch, schedule epoch.
const CLOCK_UNIX_OFFSET: usize = 32;
/// Most accounts one read can ask for: the RPC method takes 100, and the clock is one of them.
pub(crate) const MAX_ACCOUNTS: usize = 99;

/// A connection to one RPC endpoint.
pub struct Chain {
    rpc: RpcClient,
    clock: Arc<dyn Clock>,
    clock_account: Pubkey,
    down_until_ms: AtomicI64,
    /// Genesis hash of the network that alone is believed, once it is known.
    network: OnceLock<Key>,
    /// How often the endpoint could not be reached, and once for before it was first asked.
    lost: AtomicU64,
    /// What `lost` was when the endpoint last said that it serves `network`.
    recognised: AtomicU64,
}

impl std::fmt::Debug for Chain {
    /// Without the URL, which may hold an API key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").finish_non_exhaustive()
    }
}

impl Chain {
    /// Prepares a connection; nothing is sent yet.
    pub(crate) fn new(url: &str, clock: Arc<dyn Clock>) -> Chain {
        Chain {
            rpc: rpc::connect(url, RPC_TIMEOUT),
            clock,
            clock_account: CLOCK_SYSVAR.parse().expect("the clock's address is base58 of 32 bytes"),
            down_until_ms: AtomicI64::new(0),
            network: OnceLock::new(),
            lost: AtomicU64::new(1),
            recognised: AtomicU64::new(0),
        }
    }

    /// The genesis hash: which network this is.
    pub(crate) async fn genesis(&self) -> Result<Key, ChainError> {
        self.attempt(self.rpc.get_genesis_hash()).await.map(|hash| hash.to_bytes())
    }

    /// From now on believes only the network with this genesis hash.
    pub(crate) fn belong_to(&self, genesis: Key) {
        self.network.get_or_init(|| genesis);
    }

    /// The data of accounts (at most [`MAX_ACCOUNTS`]) and the chain's clock, all at one slot that is at least `min_slot`.
    pub(crate) async fn accounts(
        &self,
        keys: &[Key],
        min_slot: u64,
    ) -> Result<Snapshot<Vec<Option<Vec<u8>>>>, ChainError> {
        let mut addresses: Vec<Pubkey> = keys.iter().map(|key| Pubkey::from(*key)).collect();
        addresses.push(self.clock_account);
        let config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            data_slice: None,
            min_context_slot: (min_slot > 0).then_some(min_slot),
        };
        let read_at_ms = self.clock.now_ms();
        let answer = self.ask(self.rpc.get_multiple_ui_accounts_with_config(&addresses, config)).await?;
        let slot = answer.context.slot;
        if slot < min_slot {
            return Err(ChainError::Unreachable(format!("it is at slot {slot}, behind slot {min_slot} already seen")));
        }
        if answer.value.len() != addresses.len() {
            return Err(ChainError::Unreachable("it answered with another number of accounts".to_owned()));
        }
        let mut value = Vec::with_capacity(addresses.len());
        for (account, address) in answer.value.into_iter().zip(&addresses) {
            let data = account.map(|account| {
                account.data.decode().ok_or_else(|| malformed(&address.to_bytes(), "its data is not base64"))
            });
            value.push(data.transpose()?);
        }
        let clock = value.pop().flatten();
        let chain_secs = clock.as_deref().and_then(unix_seconds).unwrap_or(0);
        Ok(Snapshot { slot, chain_secs, read_at_ms, value })
    }

    /// A blockhash for a new transaction.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        self.ask(rpc::latest_blockhash(&self.rpc)).await
    }

    /// Lamports of an account.
    pub(crate) async fn balance(&self, key: &Key) -> Result<u64, ChainError> {
        self.ask(self.rpc.get_balance(&Pubkey::from(*key))).await
    }

    /// The lamports that an account of `bytes` has to hold, to stay.
    pub(crate) async fn rent(&self, bytes: usize) -> Result<u64, ChainError> {
        self.ask(self.rpc.get_minimum_balance_for_rent_exemption(bytes)).await
    }

    /// The chain's block height.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn block_height(&self) -> Result<u64, ChainError> {
        self.ask(self.rpc.get_block_height()).await
    }

    /// What `payer` would see if it sent `instructions` now. Signatures are not checked, so none are needed.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn simulate(&self, payer: &Key, instructions: &[Instruction]) -> Result<Simulation, ChainError> {
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(CommitmentConfig::confirmed()),
            ..RpcSimulateTransactionConfig::default()
        };
        let unsigned = Transaction::new_unsigned(message(payer, instructions, &[0; 32]));
        let result = self.ask(self.rpc.simulate_transaction_with_config(&unsigned, config)).await?.value;
        let Some(error) = result.err.map(TransactionError::from) else {
            let units = result.units_consumed.unwrap_or_else(|| u64::from(MAX_COMPUTE_UNITS));
            return Ok(Simulation::Ok { units });
        };
        let problem = describe(&error);
        Ok(match failed_instruction(&error) {
            Some(index) => Simulation::InstructionFails { index, problem },
            None => Simulation::Fails { problem },
        })
    }

    /// The price per compute unit that recent transactions on `accounts` paid: the median, in micro-lamports.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn recent_unit_price(&self, accounts: &[Key]) -> Result<u64, ChainError> {
        let accounts: Vec<Pubkey> = accounts.iter().map(|key| Pubkey::from(*key)).collect();
        let fees = self.ask(self.rpc.get_recent_prioritization_fees(&accounts)).await?;
        let mut prices: Vec<u64> = fees.into_iter().map(|fee| fee.prioritization_fee).collect();
        prices.sort_unstable();
        Ok(prices.get(prices.len() / 2).copied().unwrap_or(0))
    }

    /// Sends a signed transaction. It may be sent again as often as needed: the chain takes it once.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn send(&self, transaction: &Transaction) -> Result<(), ChainError> {
        self.ask(rpc::submit(&self.rpc, transaction, Preflight::Skip)).await
    }

    /// What became of the transaction with this signature, base58.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn transaction_status(&self, signature: &str, search: Search) -> Result<TransactionStatus, ChainError> {
        let Ok(signature) = signature.parse::<Signature>() else { return Ok(TransactionStatus::Unknown) };
        self.ask(rpc::transaction_status(&self.rpc, &signature, search)).await
    }

    /// Whether the endpoint could not be reached a moment ago, as opposed to having answered with an error.
    pub fn is_down(&self) -> bool {
        self.clock.now_ms() < self.down_until_ms.load(Ordering::Relaxed)
    }

    /// Runs one RPC call, on no other network than the known one.
    async fn ask<T>(&self, call: impl Future<Output = Result<T, ClientError>>) -> Result<T, ChainError> {
        self.recognise().await?;
        self.attempt(call).await
    }

    /// Asks an endpoint that was lost which network it serves now: at the same address another one may have come up.
    async fn recognise(&self) -> Result<(), ChainError> {
        let lost = self.lost.load(Ordering::SeqCst);
        let Some(known) = self.network.get() else { return Ok(()) };
        if self.recognised.load(Ordering::SeqCst) == lost {
            return Ok(());
        }
        let found = self.genesis().await?;
        if found != *known {
            return Err(other_network(&found, known));
        }
        self.recognised.fetch_max(lost, Ordering::SeqCst);
        Ok(())
    }

    /// Runs one RPC call, unless the endpoint failed a moment ago.
    async fn attempt<T>(&self, call: impl Future<Output = Result<T, ClientError>>) -> Result<T, ChainError> {
        if self.is_down() {
            return Err(ChainError::Unreachable("it failed less than a second ago".to_owned()));
        }
        let answer = tokio::time::timeout(RPC_TIMEOUT, call).await;
        let (down, problem) = match answer {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => (is_transport(&error), rpc::describe_rpc(&error)),
            Err(_) => (true, format!("it took longer than {} s", RPC_TIMEOUT.as_secs())),
        };
        if down {
            self.lost.fetch_add(1, Ordering::SeqCst);
            self.down_until_ms.store(self.clock.now_ms() + DOWN_MS, Ordering::Relaxed);
        }
        metrics::counter!("clawos_rpc_errors_total").increment(1);
        Err(ChainError::Unreachable(problem))
    }
}

/// Whether the endpoint could not be reached at all, as opposed to having answered with an error.
fn is_transport(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Io(_) | ErrorKind::Reqwest(_) | ErrorKind::Middleware(_))
}

fn unix_seconds(clock: &[u8]) -> Option<i64> {
    let bytes = clock.get(CLOCK_UNIX_OFFSET..CLOCK_UNIX_OFFSET + 8)?;
    Some(i64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
