//! Direct access to the chain: reading accounts, buying, and every other transaction of sellers and buyers.
//!
//! Every instruction comes from `clawos_interface` and every transaction from `clawos_solana`, so the rules exist once.

pub mod actions;
pub mod airdrop;
pub mod cost;
pub mod deposit;
mod error;
mod offer;
pub mod purchase;
pub mod read;
pub mod send;
pub mod transfer;

use std::time::Duration;

use clawos_interface::Key;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::Error as RpcError;

pub use error::ChainError;

/// How long one RPC request may take.
pub const RPC_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to one chain, reading at commitment `confirmed`.
pub struct Chain {
    rpc: RpcClient,
    /// What is offered to the validator for each compute unit, in micro-lamports.
    priority_fee: u64,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain({})", self.rpc.url())
    }
}

impl Chain {
    /// The chain behind a Solana JSON-RPC endpoint, such as `http://127.0.0.1:8899`.
    pub fn new(rpc_url: &str) -> Self {
        Self { rpc: clawos_solana::rpc::connect(rpc_url, RPC_TIMEOUT), priority_fee: 0 }
    }

    /// The same chain, where each transaction offers `micro_lamports` for each compute unit that it asks for.
    #[must_use]
    pub fn with_priority_fee(mut self, micro_lamports: u64) -> Self {
        self.priority_fee = micro_lamports;
        self
    }

    /// The chain's genesis hash: its name, which no two chains share.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn genesis(&self) -> Result<Key, ChainError> {
        let hash = self.rpc.get_genesis_hash().await.map_err(|error| self.error(&error))?;
        Ok(hash.to_bytes())
    }

    /// The address of the RPC endpoint, such as `http://127.0.0.1:8899`.
    pub fn url(&self) -> String {
        self.rpc.url()
    }

    fn error(&self, error: &RpcError) -> ChainError {
        ChainError::from_rpc(&self.rpc.url(), error)
    }
}
