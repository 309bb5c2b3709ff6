//! Moving money from the wallet to another address: SOL by the System program, USDC by the Token program.

use clawos_interface::instruction::{AccountMeta, Instruction, create_associated_token_idempotent};
use clawos_interface::known::{SYSTEM_PROGRAM, TOKEN_PROGRAM};
use clawos_interface::{Currency, Key, pda};
use clawos_solana::COMPUTE_UNITS;
use clawos_solana::assembly::compute_budget;

use super::{Chain, ChainError};

/// The System program's instruction `Transfer`.
const SYSTEM_TRANSFER: u32 = 2;
/// The Token program's instruction `TransferChecked`, which names the mint and its decimals.
const TOKEN_TRANSFER_CHECKED: u8 = 12;

impl Chain {
    /// The instructions that move `amount` base units from `from` to `to`, whose token account is made where it has none.
    ///
    /// # Errors
    /// [`ChainError::Rpc`], or [`ChainError::Absent`] on a chain without the marketplace, whose USDC it is.
    pub async fn transfer(
        &self,
        from: &Key,
        to: &Key,
        amount: u64,
        currency: Currency,
    ) -> Result<Vec<Instruction>, ChainError> {
        let mut instructions = compute_budget(COMPUTE_UNITS, 0);
        match currency {
            Currency::Sol => instructions.push(sol(from, to, amount)),
            Currency::Usdc => {
                let mint = self.config().await?.usdc_mint;
                instructions.push(create_associated_token_idempotent(from, to, &mint));
                instructions.push(tokens(from, to, &mint, amount, currency.decimals()));
            }
        }
        Ok(instructions)
    }
}

fn sol(from: &Key, to: &Key, lamports: u64) -> Instruction {
    let data = [&SYSTEM_TRANSFER.to_le_bytes()[..], &lamports.to_le_bytes()].concat();
    let accounts = vec![AccountMeta::signer_mut(*from), AccountMeta::writable(*to)];
    Instruction { program_id: SYSTEM_PROGRAM, accounts, data }
}

fn tokens(from: &Key, to: &Key, mint: &Key, amount: u64, decimals: u8) -> Instruction {
    let data = [&[TOKEN_TRANSFER_CHECKED][..], &amount.to_le_bytes(), &[decimals]].concat();
    let accounts = vec![
        AccountMeta::writable(pda::ata(from, mint).0),
        AccountMeta::readonly(*mint),
        AccountMeta::writable(pda::ata(to, mint).0),
        AccountMeta::signer(*from),
    ];
    Instruction { program_id: TOKEN_PROGRAM, accounts, data }
}
