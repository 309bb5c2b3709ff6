//! What a transaction takes from the wallet beside the price, in SOL: the rent of the accounts that it makes, and the fees.

use clawos_api::Money;
use clawos_interface::instruction::Instruction;
use clawos_interface::{Currency, Key};
use clawos_solana::COMPUTE_UNITS;
use clawos_solana::costs::{FEE_PER_SIGNATURE, TOKEN_ACCOUNT_BYTES, token_accounts};

use super::{Chain, ChainError};

/// Micro-lamports in a lamport.
const MICRO: u64 = 1_000_000;

impl Chain {
    /// The lamports that the transaction takes for rent and fees: of accounts of the sizes in `made`, in bytes, and of those
    /// token accounts of its instructions that are not there yet. The priority fee is the highest that can be asked.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn rent_and_fees(&self, instructions: &[Instruction], made: &[usize]) -> Result<u64, ChainError> {
        let priority = u64::from(COMPUTE_UNITS).saturating_mul(self.priority_fee).div_ceil(MICRO);
        let mut lamports = FEE_PER_SIGNATURE.saturating_add(priority);
        for bytes in made {
            lamports = lamports.saturating_add(self.rent(*bytes).await?);
        }
        let mut missing = 0;
        for account in token_accounts(instructions) {
            missing += u64::from(self.account(&account).await?.value.is_none());
        }
        if missing > 0 {
            lamports = lamports.saturating_add(self.rent(TOKEN_ACCOUNT_BYTES).await?.saturating_mul(missing));
        }
        Ok(lamports)
    }

    /// Checks that a wallet has so many lamports.
    ///
    /// # Errors
    /// [`ChainError::Funds`] with both amounts.
    pub async fn check_lamports(&self, owner: &Key, needed: u64) -> Result<(), ChainError> {
        let present = self.sol(owner).await?;
        if present >= needed {
            return Ok(());
        }
        let sol = |lamports| Money::new(lamports, Currency::Sol);
        Err(ChainError::Funds(format!("SOL: need {}, have {}", sol(needed), sol(present))))
    }
}
