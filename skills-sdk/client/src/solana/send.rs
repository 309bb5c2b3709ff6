//! Sends transactions through `clawos_solana` and maps its errors to [`ChainError`].

use std::time::Duration;

use clawos_interface::instruction::Instruction;
pub use clawos_solana::rpc::Confirmed;
use clawos_solana::rpc::{self, SendError};
use solana_signature::Signature;

use super::{Chain, ChainError};
use crate::wallet::Wallet;

impl Chain {
    /// Builds, signs and sends `instructions`; the wallet is the only signer and pays the fees. Their compute budget is
    /// replaced by one that fits, with this chain's priority fee.
    ///
    /// # Errors
    /// See [`ChainError`]; only [`ChainError::Unknown`] leaves the outcome open.
    pub async fn send(&self, wallet: &Wallet, instructions: &[Instruction]) -> Result<Confirmed, ChainError> {
        let fitted = rpc::with_fitting_budget(&self.rpc, &wallet.key(), instructions, self.priority_fee).await;
        let sent = rpc::send_and_confirm(&self.rpc, wallet.signing_key(), &fitted).await;
        sent.map_err(|error| self.send_error(error))
    }

    /// Waits for a signature that someone else made (an airdrop).
    pub(super) async fn wait_for(&self, signature: &Signature, timeout: Duration) -> Result<Confirmed, ChainError> {
        rpc::wait_for(&self.rpc, signature, timeout).await.map_err(|error| self.send_error(error))
    }

    fn send_error(&self, error: SendError) -> ChainError {
        match error {
            SendError::Rpc(error) => self.error(&error),
            SendError::Failed(error) => ChainError::from_transaction(&error, Vec::new()),
            SendError::Expired(signature) => ChainError::Expired(signature.to_string()),
            SendError::Unknown { signature, cause } => {
                let reason = cause.map(|cause| self.error(&cause).to_string());
                let reason = reason.unwrap_or_else(|| "no status before the time limit".to_owned());
                ChainError::Unknown { signature: signature.to_string(), reason }
            }
            other => ChainError::Failed { reason: other.to_string(), logs: Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use clawos_interface::instruction::set_compute_unit_limit;
    use serde_json::json;
    use solana_instruction::error::InstructionError;
    use solana_rpc_client_api::client_error::{ErrorKind, TransactionError};
    use solana_rpc_client_api::request::{RpcError, RpcResponseErrorData};

    use super::*;

    #[test]
    fn a_refusal_is_final_and_carries_the_program_s_name_for_it() {
        let result = json!({ "err": { "InstructionError": [0, { "Custom": 6028 }] }, "logs": ["log line"] });
        let result = serde_json::from_value(result).expect("a simulation's result");
        let refusal = RpcError::RpcResponseError {
            code: -32002,
            message: "simulation failed".to_owned(),
            data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
        };
        let chain = Chain::new("http://127.0.0.1:9");
        let error = chain.send_error(SendError::Rpc(ErrorKind::RpcError(refusal).into()));
        assert_eq!((error.code(), error.retryable()), ("TermsChanged", false));
    }

    #[test]
    fn a_wallet_without_enough_lamports_is_told_both_amounts() {
        let error = TransactionError::InstructionError(0, InstructionError::Custom(1));
        let logs = vec!["Transfer: insufficient lamports 1000000000, need 2500000000".to_owned()];
        let told = ChainError::from_transaction(&error, logs);
        assert_eq!(
            (told.code(), told.to_string().as_str()),
            ("insufficient_funds", "insufficient SOL: need 2.5 SOL, have 1 SOL")
        );
    }

    #[tokio::test]
    async fn an_unreachable_node_is_an_error_at_once() {
        let chain = Chain::new("http://127.0.0.1:9");
        let error = chain.send(&Wallet::generate(), &[set_compute_unit_limit(1)]).await.expect_err("nobody there");
        assert_eq!((error.code(), error.retryable()), ("rpc_unavailable", true));
        // Nor is what cannot be read taken for what is not there.
        let error = chain.account(&[1; 32]).await.expect_err("nobody there");
        assert_eq!(error.code(), "rpc_unavailable");
        assert!(!error.to_string().contains("AccountNotFound"), "{error}");
    }
}
