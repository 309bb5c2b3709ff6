//! What the chain answers, and why it may not.

use clawos_interface::Key;

/// The chain could not be asked, or gave no usable answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No answer: the endpoint is down, slow, or behind the state already seen.
    #[error("the Solana RPC endpoint does not answer: {0}")]
    Unreachable(String),
    /// The endpoint serves another network than the one this database's receipts belong to.
    #[error(
        "the RPC endpoint serves the network with genesis {found}, but this database belongs to {known}; use another --rpc-url or another database"
    )]
    OtherNetwork {
        /// Genesis hash the endpoint gave, base58.
        found: String,
        /// Genesis hash in the database, base58.
        known: String,
    },
    /// An account of ours does not decode: this server is older than the program, or points at another one.
    #[error("account {account} cannot be decoded: {problem}")]
    Malformed {
        /// Base58 address.
        account: String,
        /// What is wrong.
        problem: String,
    },
}

/// Accounts as they were together at one slot.
#[derive(Debug, Clone)]
pub struct Snapshot<T> {
    /// The slot.
    pub slot: u64,
    /// The chain's clock at that slot, Unix seconds. 0 when the endpoint does not serve the clock account.
    pub chain_secs: i64,
    /// When it was read, wall clock, Unix milliseconds.
    pub read_at_ms: i64,
    /// What was read.
    pub value: T,
}

/// How a simulated transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Simulation {
    /// It would succeed.
    Ok {
        /// Compute units that it would use.
        units: u64,
    },
    /// One of its instructions fails.
    InstructionFails {
        /// Which, from 0.
        index: usize,
        /// The error, in words.
        problem: String,
    },
    /// It fails as a whole, for instance because the payer has no money.
    Fails {
        /// The error, in words.
        problem: String,
    },
}

pub(crate) fn other_network(found: &Key, known: &Key) -> ChainError {
    let text = |key: &Key| bs58::encode(key).into_string();
    ChainError::OtherNetwork { found: text(found), known: text(known) }
}

pub(crate) fn malformed(account: &Key, problem: impl ToString) -> ChainError {
    ChainError::Malformed { account: bs58::encode(account).into_string(), problem: problem.to_string() }
}
