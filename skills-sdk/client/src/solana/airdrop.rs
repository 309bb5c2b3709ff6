//! Test money. SOL on any development network; USDC on `clawos-localnet` only, by its own method.

use std::time::Duration;

use clawos_interface::{Currency, Key};
use serde_json::json;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::client_error::{Error as RpcError, ErrorKind};
use solana_rpc_client_api::request::{RpcError as RequestError, RpcRequest};
use solana_signature::Signature;

use super::send::Confirmed;
use super::{Chain, ChainError};
use crate::key::to_base58;

/// How long an airdrop may take to be confirmed.
const AIRDROP_TIMEOUT: Duration = Duration::from_secs(30);
/// JSON-RPC's code for a method that the endpoint does not have.
const METHOD_NOT_FOUND: i64 = -32_601;

impl Chain {
    /// Gives `owner` test SOL, in lamports.
    ///
    /// # Errors
    /// [`ChainError::NoFaucet`] on a network without one; [`ChainError::Rpc`], also when its faucet is empty.
    pub async fn airdrop_sol(&self, owner: &Key, lamports: u64) -> Result<Confirmed, ChainError> {
        let answer = self.rpc.request_airdrop(&Pubkey::from(*owner), lamports).await;
        let signature = answer.map_err(|error| self.faucet_error(&error, Currency::Sol))?;
        self.wait_for(&signature, AIRDROP_TIMEOUT).await
    }

    /// Gives `owner` test USDC, in millionths, and makes its token account.
    ///
    /// # Errors
    /// [`ChainError::NoFaucet`] on any chain but localnet.
    pub async fn airdrop_usdc(&self, owner: &Key, amount: u64) -> Result<Confirmed, ChainError> {
        let request = RpcRequest::Custom { method: "requestUsdcAirdrop" };
        let answer: Result<String, _> = self.rpc.send(request, json!([to_base58(owner), amount])).await;
        let text = answer.map_err(|error| self.faucet_error(&error, Currency::Usdc))?;
        let signature: Signature = text
            .parse()
            .map_err(|_| ChainError::Rpc { url: self.url(), reason: format!("`{text}` is not a signature") })?;
        self.wait_for(&signature, AIRDROP_TIMEOUT).await
    }

    /// An endpoint that does not know the method has no faucet.
    fn faucet_error(&self, error: &RpcError, currency: Currency) -> ChainError {
        match error.kind() {
            ErrorKind::RpcError(RequestError::RpcResponseError { code: METHOD_NOT_FOUND, .. }) => {
                ChainError::NoFaucet { url: self.url(), currency }
            }
            _ => self.error(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use solana_rpc_client_api::request::RpcResponseErrorData;

    use super::*;

    #[test]
    fn a_network_without_a_faucet_is_told_from_one_whose_faucet_is_empty() {
        let chain = Chain::new("http://127.0.0.1:9");
        let told = |code| {
            let error =
                RequestError::RpcResponseError { code, message: "no".to_owned(), data: RpcResponseErrorData::Empty };
            chain.faucet_error(&ErrorKind::RpcError(error).into(), Currency::Usdc)
        };
        assert_eq!(told(-32_601).code(), "no_faucet");
        assert!(told(-32_601).to_string().contains("gives no test USDC"));
        assert_eq!(told(-32_603).code(), "rpc_unavailable");
    }
}
