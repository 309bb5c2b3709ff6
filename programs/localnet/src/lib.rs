//! A Solana endpoint for development: Solana's JSON-RPC and websocket over litesvm, with a ledger on disk.
//!
//! It runs the ClawOS program's real binary at its real address, with an upgrade authority, a Config account and a local
//! USDC mint, so wallets, `solana-rpc-client`, `@solana/web3.js` 1 and `@solana/kit` 8 work against it as against devnet.
//!
//! # What it guarantees
//! - A transaction whose signature was answered is in the ledger: a kill at any moment loses none and applies none by half
//!   (with `--fsync` also a power cut).
//! - Slots follow the wall clock and never go back, also not over a restart. A blockhash is good for 150 slots. The chain's
//!   Unix time follows it too, as far ahead as `advanceClock [SECONDS]` has moved it.
//! - What is answered is final: every commitment reads the same state, and statuses say `finalized`. Unless:
//!
//! # As a cluster
//! With `--cluster` it does to its clients what a cluster does, so that their waiting and resending can be tested
//! ([`ClusterConfig`]):
//! - A transaction is processed at once, confirmed 2 slots and finalized 32 slots later. Reads, simulations, preflights and
//!   subscriptions see the state of the commitment that they ask for (without one: finalized).
//! - 1 of 10 sent transactions is accepted and never runs; a seed decides which. So does one that cannot run at all when its
//!   preflight is skipped. Airdrops, which no client could send again, are never lost.
//! - Signatures more than 300 slots behind the finalized one are known to `searchTransactionHistory` only.
//! - `getRecentPrioritizationFees` names a price. Priority fees are charged in either mode.
//!
//! Nothing is ever rolled back: after a restart every commitment reads the newest state.
//!
//! # What it is not
//! No consensus, no validators, no security: it listens on loopback only and gives money away. Durable nonces are not
//! supported. It has the subscriptions `account`, `logs`, `program`, `root`, `signature` and `slot`; not those that a
//! validator has to be configured for (`block`, `vote`, `slotsUpdates`). Two equal airdrops are two, and a transaction that
//! cannot run is refused with the reason even when its preflight is skipped: there a validator stays silent.
//!
//! # Limits
//! One request body 256 KiB, 1,000 calls per batch, 64 requests at work at once, 256 websocket connections with 1,000
//! subscriptions each, the newest 50,000 transactions (at most 256 MiB) in the history. Accounts are all kept.

mod bank;
mod clock;
mod cluster;
mod config;
mod error;
mod faucet;
mod genesis;
mod history;
mod http;
mod keys;
mod ledger;
mod node;
mod pace;
mod program;
mod rpc;
mod server;
mod token;
mod ws;

use std::sync::Arc;

use solana_hash::Hash;
use solana_pubkey::Pubkey;

pub use self::config::{ClusterConfig, LocalnetConfig, MAX_DROP_PERCENT, MAX_FINALIZE_SLOTS, MAX_SLOT_MS, MIN_SLOT_MS};
pub use self::error::{Error, Result};
pub use self::keys::Keys;
pub use self::server::Handle;

use self::node::Node;

/// An open chain that does not listen yet.
pub struct Localnet {
    node: Arc<Node>,
    config: LocalnetConfig,
}

impl Localnet {
    /// Opens the chain of `config.data`, creating it on the first start. Blocks for a moment: call it before, or off, the
    /// asynchronous threads.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of range, [`Error::Locked`] when another process serves the folder,
    /// [`Error::Damaged`], [`Error::Unreadable`], [`Error::Key`] or [`Error::File`] for what is in it,
    /// [`Error::Program`] and [`Error::Genesis`] when the program does not load or initialise.
    pub fn open(config: LocalnetConfig) -> Result<Self> {
        config.check()?;
        let node = Arc::new(Node::open(&config)?);
        Ok(Self { node, config })
    }

    /// Listens on the configured port (HTTP) and the next one (websocket), and serves from tasks of the current tokio
    /// runtime until the handle is stopped or dropped.
    ///
    /// # Errors
    /// [`Error::PortInUse`] or [`Error::Listen`].
    pub async fn start(self) -> Result<Handle> {
        server::start(self.node, &self.config).await
    }

    /// The keypairs of `DIR/keys`.
    pub fn keys(&self) -> &Keys {
        self.node.keys()
    }

    /// The genesis hash, which names the chain.
    pub fn genesis_hash(&self) -> Hash {
        self.node.bank().genesis()
    }

    /// The local USDC mint (classic SPL token, 6 decimals).
    pub fn usdc_mint(&self) -> Pubkey {
        self.node.usdc_mint()
    }
}

/// The address of the ClawOS program.
pub const PROGRAM_ID: Pubkey = program::PROGRAM_ID;
