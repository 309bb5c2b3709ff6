//! Errors of reading the chain and sending transactions, with the program's own error names.

use clawos_api::Money;
use clawos_interface::Currency;
use clawos_interface::errors::ProgramError;
use clawos_solana::failure::program_error;
use solana_instruction::error::InstructionError;
use solana_rpc_client_api::client_error::{Error as RpcError, ErrorKind, TransactionError};
use solana_rpc_client_api::request::{RpcError as RequestError, RpcResponseErrorData};

use crate::error::root_cause;

/// Why reading the chain or sending a transaction failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The RPC endpoint cannot be reached, or answered with an error.
    #[error("the request to the Solana RPC at {url} failed: {reason}; check the address and that the node runs")]
    Rpc {
        /// The endpoint's address.
        url: String,
        /// The error of the connection, or the message and code of the answer.
        reason: String,
    },
    /// The endpoint gives no test money of this kind.
    #[error("the network behind {url} gives no test {currency}: send some to the wallet from elsewhere")]
    NoFaucet {
        /// The endpoint's address.
        url: String,
        /// What was asked for.
        currency: Currency,
    },
    /// The program `skill_marketplace` refused.
    #[error("the marketplace program refused ({name}): {message}")]
    Refused {
        /// The error's number, from 6000.
        number: u32,
        /// The error's stable name.
        name: &'static str,
        /// One sentence for people.
        message: &'static str,
    },
    /// The wallet cannot pay the amount, the fee or the rent. Names what it lacks and, where the node logged them, the
    /// amounts: `SOL: need 2.5 SOL, have 1 SOL`.
    #[error("insufficient {0}")]
    Funds(String),
    /// The transaction failed for another reason.
    #[error("the transaction failed: {reason}{}", last_logs(.logs))]
    Failed {
        /// The runtime's error.
        reason: String,
        /// The program's log lines.
        logs: Vec<String>,
    },
    /// It was not confirmed before its blockhash expired, so it never will be.
    #[error("transaction {0} expired before it was confirmed; no money was taken; try again")]
    Expired(String),
    /// It was sent, and the RPC cannot be asked what became of it.
    #[error(
        "transaction {signature} was sent, but its outcome could not be read ({reason}); look it up before trying again"
    )]
    Unknown {
        /// The signature, base58.
        signature: String,
        /// Why it could not be read.
        reason: String,
    },
    /// An account that must be there is not.
    #[error("there is no {0} on this chain")]
    Absent(String),
    /// An account that is not what it should be.
    #[error("the {what} on chain is not valid: {reason}; check that the RPC belongs to the right chain")]
    Account {
        /// The kind of account, such as `licence`.
        what: String,
        /// What does not match, as a clause beginning with `it`.
        reason: String,
    },
    /// Usage of the licence is recorded, and its credit spent, by a key other than the expected meter.
    #[error(
        "usage of this licence is recorded by the key {found}, not by the marketplace's meter {expected}: whoever holds that key can spend your credit; nothing was signed"
    )]
    OtherMeter {
        /// The meter on chain, base58.
        found: String,
        /// Config's, or the one the buyer named, base58.
        expected: String,
    },
    /// Nobody can ever spend money that is sent to this address.
    #[error("money sent to {address} would be lost: {reason}; nothing was signed")]
    LostMoney {
        /// The address, base58.
        address: String,
        /// Why, as a clause, and what to do instead.
        reason: String,
    },
    /// No private key belongs to this address (base58), so only a program can spend money that is sent to it.
    #[error("{0} is no wallet's address but one of a program, which may be unable to spend money; nothing was signed")]
    NotAWallet(String),
    /// The server's transaction is not the one this client built.
    #[error("the server's transaction is not the one this client built ({0}), so nothing was signed")]
    Differs(String),
}

impl ChainError {
    /// A stable code: the program's error name where it refused.
    pub fn code(&self) -> &str {
        match self {
            Self::Rpc { .. } => "rpc_unavailable",
            Self::NoFaucet { .. } => "no_faucet",
            Self::Refused { name, .. } => name,
            Self::Funds(_) => "insufficient_funds",
            Self::Failed { .. } => "transaction_failed",
            Self::Expired(_) => "transaction_expired",
            Self::Unknown { .. } => "transaction_unknown",
            Self::Absent(_) => "account_not_found",
            Self::Account { .. } => "account_invalid",
            Self::OtherMeter { .. } => "wrong_proxy",
            Self::LostMoney { .. } => "recipient_invalid",
            Self::NotAWallet(_) => "recipient_not_wallet",
            Self::Differs(_) => "transaction_differs",
        }
    }

    /// Whether the same call may succeed later, without harm.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Rpc { .. } | Self::Expired(_))
    }

    /// What an RPC error means.
    pub(crate) fn from_rpc(url: &str, error: &RpcError) -> Self {
        let logs = preflight_logs(error);
        if let Some(cause) = error.get_transaction_error() {
            return Self::from_transaction(&cause, logs);
        }
        let reason = match error.kind() {
            ErrorKind::RpcError(RequestError::RpcResponseError { message, code, .. }) => format!("{message} ({code})"),
            kind => root_cause(kind),
        };
        Self::Rpc { url: url.to_owned(), reason }
    }

    /// What a transaction's error means.
    pub(crate) fn from_transaction(error: &TransactionError, logs: Vec<String>) -> Self {
        if let Some(error) = program_error(error) {
            return error.into();
        }
        match error {
            // "Insufficient funds" both in the token and in the system program.
            TransactionError::InstructionError(_, InstructionError::Custom(1)) => {
                Self::Funds(lacking_lamports(&logs).unwrap_or_else(|| "SOL or USDC for this transaction".to_owned()))
            }
            TransactionError::InstructionError(_, InstructionError::Custom(number)) => {
                Self::Failed { reason: format!("custom program error {number}"), logs }
            }
            TransactionError::AccountNotFound => {
                Self::Funds("SOL: the wallet has none, and needs it for the transaction fee".to_owned())
            }
            TransactionError::InsufficientFundsForFee => Self::Funds("SOL for the transaction fee".to_owned()),
            TransactionError::InsufficientFundsForRent { .. } => Self::Funds("SOL for the rent".to_owned()),
            other => Self::Failed { reason: other.to_string(), logs },
        }
    }
}

impl From<ProgramError> for ChainError {
    fn from(error: ProgramError) -> Self {
        Self::Refused { number: error.code(), name: error.name(), message: error.message() }
    }
}

/// The log lines of a refused preflight.
fn preflight_logs(error: &RpcError) -> Vec<String> {
    match error.kind() {
        ErrorKind::RpcError(RequestError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
            ..
        }) => result.logs.clone().unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// What the system program logs when a transfer fails (`Transfer: insufficient lamports HAVE, need NEED`), as SOL.
fn lacking_lamports(logs: &[String]) -> Option<String> {
    let amounts = logs.iter().find_map(|line| line.split_once("insufficient lamports "))?.1;
    let (have, need) = amounts.split_once(", need ")?;
    let sol = |lamports: &str| Some(Money::new(lamports.parse().ok()?, Currency::Sol));
    Some(format!("SOL: need {}, have {}", sol(need)?, sol(have)?))
}

/// The last few log lines, which say where it failed.
fn last_logs(logs: &[String]) -> String {
    let last = logs.len().saturating_sub(4);
    logs[last..].iter().map(|line| format!("\n  {line}")).collect()
}
