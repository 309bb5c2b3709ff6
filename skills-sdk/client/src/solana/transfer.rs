//! Moving money from the wallet to another address: SOL by the System program, USDC by the Token program.

use clawos_interface::instruction::{AccountMeta, Instruction, create_associated_token_idempotent};
use clawos_interface::known::{SYSTEM_PROGRAM, TOKEN_PROGRAM};
use clawos_interface::{Currency, Key, pda};
use clawos_solana::COMPUTE_UNITS;
use clawos_solana::assembly::compute_budget;
use ed25519_dalek::VerifyingKey;

use super::read::{RawAccount, TOKEN_ACCOUNT_BYTES};
use super::{Chain, ChainError};
use crate::key::to_base58;

/// The System program's instruction `Transfer`.
const SYSTEM_TRANSFER: u32 = 2;
/// The Token program's instruction `TransferChecked`, which names the mint and its decimals.
const TOKEN_TRANSFER_CHECKED: u8 = 12;
/// Where a token account has its owner, in bytes.
const TOKEN_OWNER: std::ops::Range<usize> = 32..64;

impl Chain {
    /// Checks that somebody can spend money, SOL or tokens, that is sent to `to`: a wallet, which need not have any money
    /// yet, or with `allow_program` a program too.
    ///
    /// # Errors
    /// [`ChainError::LostMoney`] for what belongs to the Token program, [`ChainError::NotAWallet`] for an address that a
    /// program owns or derived; [`ChainError::Rpc`].
    pub async fn check_recipient(&self, to: &Key, allow_program: bool) -> Result<(), ChainError> {
        let account = self.account(to).await?.value;
        if let Some(account) = account.as_ref().filter(|account| account.owner == TOKEN_PROGRAM) {
            return Err(ChainError::LostMoney { address: to_base58(to), reason: of_token_program(account) });
        }
        // The addresses that programs derive have no private key, since they are no points of the curve.
        let is_point = VerifyingKey::from_bytes(to).is_ok();
        let is_wallet = is_point && account.is_none_or(|account| account.owner == SYSTEM_PROGRAM);
        if is_wallet || allow_program { Ok(()) } else { Err(ChainError::NotAWallet(to_base58(to))) }
    }

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

/// Why an account of the Token program cannot get money by its address.
fn of_token_program(account: &RawAccount) -> String {
    let owner = account.data.get(TOKEN_OWNER).and_then(|owner| Key::try_from(owner).ok());
    match owner.filter(|_| account.data.len() == TOKEN_ACCOUNT_BYTES) {
        Some(owner) => format!("it is a token account; send to its owner {}", to_base58(&owner)),
        None => "the Token program owns it; send to a wallet".to_owned(),
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
