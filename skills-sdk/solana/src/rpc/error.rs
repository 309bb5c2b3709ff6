//! Why sending did not end in a confirmed transaction.

use solana_rpc_client_api::client_error::{Error as RpcError, ErrorKind, TransactionError};
use solana_signature::Signature;

/// Why a transaction is not confirmed. Only [`SendError::Unknown`] leaves the outcome open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The endpoint refused or could not be reached; no transaction was taken.
    #[error("{}", describe_rpc(.0))]
    Rpc(RpcError),
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
        cause: Option<RpcError>,
    },
}

impl From<RpcError> for SendError {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

/// The error's text without the endpoint's URL: that may hold an API key, and texts get into logs and databases.
pub fn describe_rpc(error: &RpcError) -> String {
    match error.kind() {
        ErrorKind::Reqwest(error) => match error.url() {
            Some(url) => error.to_string().replace(&format!(" for url ({url})"), ""),
            None => error.to_string(),
        },
        ErrorKind::Middleware(_) => "the request could not be sent".to_owned(),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::time::Duration;

    use super::*;
    use crate::rpc::{connect, latest_blockhash};

    #[tokio::test]
    async fn no_text_holds_the_endpoints_url() {
        let rpc = connect("http://127.0.0.1:1/?api-key=secret", Duration::from_secs(5));
        let error = latest_blockhash(&rpc).await.expect_err("nothing listens there");
        assert!(error.to_string().contains("secret"), "{error}: what this test is about");
        let text = describe_rpc(&error);
        assert!(!text.is_empty() && !text.contains("secret") && !text.contains("127.0.0.1"), "{text}");
        let error = SendError::from(error);
        assert_eq!(error.to_string(), text);
        assert!(error.source().is_none(), "who prints the causes would print the URL");
    }
}
