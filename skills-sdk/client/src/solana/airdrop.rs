//! Test money. SOL on any development network; USDC on `clawos-localnet` only, by its own method.

use std::time::Duration;

use clawos_interface::Key;
use serde_json::json;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::request::RpcRequest;
use solana_signature::Signature;

use super::send::Confirmed;
use super::{Chain, ChainError};
use crate::key::to_base58;

/// How long an airdrop may take to be confirmed.
const AIRDROP_TIMEOUT: Duration = Duration::from_secs(30);

impl Chain {
    /// Gives `owner` test SOL, in lamports.
    ///
    /// # Errors
    /// [`ChainError::Rpc`] where the network has no faucet.
    pub async fn airdrop_sol(&self, owner: &Key, lamports: u64) -> Result<Confirmed, ChainError> {
        let answer = self.rpc.request_airdrop(&Pubkey::from(*owner), lamports).await;
        let signature = answer.map_err(|error| self.error(&error))?;
        self.wait_for(&signature, AIRDROP_TIMEOUT).await
    }

    /// Gives `owner` test USDC, in millionths, and makes its token account.
    ///
    /// # Errors
    /// [`ChainError::Rpc`] on any chain but localnet.
    pub async fn airdrop_usdc(&self, owner: &Key, amount: u64) -> Result<Confirmed, ChainError> {
        let request = RpcRequest::Custom { method: "requestUsdcAirdrop" };
        let answer: Result<String, _> = self.rpc.send(request, json!([to_base58(owner), amount])).await;
        let text = answer.map_err(|error| self.error(&error))?;
        let signature: Signature = text
            .parse()
            .map_err(|_| ChainError::Rpc { url: self.url(), reason: format!("`{text}` is not a signature") })?;
        self.wait_for(&signature, AIRDROP_TIMEOUT).await
    }
}
