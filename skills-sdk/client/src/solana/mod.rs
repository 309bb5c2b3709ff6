//! The chain, without a server between: reading accounts, building and sending transactions, buying.
//!
//! Every instruction comes from `clawos_interface`, so the rules exist once; this module converts them to Solana's
//! types, signs with the wallet and waits until the network has confirmed them.

pub mod actions;
pub mod airdrop;
mod error;
pub mod purchase;
pub mod read;
pub mod send;
pub mod transaction;

use std::time::Duration;

use clawos_interface::Key;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::Error as RpcError;

pub use error::ChainError;

/// How long one RPC request may take.
pub const RPC_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to one chain, reading at commitment `confirmed`.
pub struct Chain {
    rpc: RpcClient,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain({})", self.rpc.url())
    }
}

impl Chain {
    /// The chain behind a Solana JSON-RPC endpoint, such as `http://127.0.0.1:8899`.
    pub fn new(rpc_url: &str) -> Self {
        let url = rpc_url.to_owned();
        Self { rpc: RpcClient::new_with_timeout_and_commitment(url, RPC_TIMEOUT, CommitmentConfig::confirmed()) }
    }

    /// The chain's genesis hash: its name, which no two chains share.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn genesis(&self) -> Result<Key, ChainError> {
        let hash = self.rpc.get_genesis_hash().await.map_err(|error| self.error(&error))?;
        Ok(hash.to_bytes())
    }

    /// The endpoint's address.
    pub fn url(&self) -> String {
        self.rpc.url()
    }

    fn error(&self, error: &RpcError) -> ChainError {
        ChainError::from_rpc(&self.rpc.url(), error)
    }
}
