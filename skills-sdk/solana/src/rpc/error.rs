//! Why sending did not end in a confirmed transaction.

use solana_rpc_client_api::client_error::{Error as RpcError, TransactionError};
use solana_signature::Signature;

/// Why a transaction is not confirmed. Only [`SendError::Unknown`] leaves the outcome open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The endpoint refused or could not be reached; no transaction was taken.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// It is on chain as failed: it changed nothing but the payer's fee.
    #[error("the transaction failed: {0}")]
    Failed(TransactionError),
    /// An equal transaction was sent before, and no newer blockhash came that would tell the two apart.
    #[error("the chain makes no new blocks")]
    NoNewBlock,
    /// It was not confirmed before its blockhash expired, so it never will be.
    #[error("transaction {0} was not confirmed before its blockhash expired")]
    Expired(Signature),
    /// It was sent, and what became of it could not be read.
    #[error("the outcome of transaction {signature} is unknown")]
    Unknown {
        /// Its signature.
        signature: Signature,
        /// Why it could not be read; none when no status came in time.
        #[source]
        cause: Option<RpcError>,
    },
}
