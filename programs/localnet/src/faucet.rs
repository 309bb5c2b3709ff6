//! The transactions that localnet makes itself: giving SOL and USDC away.

use clawos_interface::{instruction as builder, pda};
use clawos_solana::transaction::to_solana;
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{Message, VersionedMessage};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;

use crate::bank::Bank;
use crate::keys::Keys;
use crate::token::TOKEN;

/// The two faucets of a chain.
pub(crate) struct Faucet<'a> {
    pub(crate) keys: &'a Keys,
    pub(crate) usdc_mint: Pubkey,
}

impl Faucet<'_> {
    /// A transfer of SOL, under `hash` if it can be. `None`: this very transfer ran under every valid blockhash already.
    pub(crate) fn sol(
        &self,
        bank: &Bank,
        to: &Pubkey,
        lamports: u64,
        hash: Option<Hash>,
    ) -> Option<VersionedTransaction> {
        let transfer = transfer(&self.keys.faucet.pubkey(), to, lamports);
        unused(bank, hash, &[transfer], &[&self.keys.faucet])
    }

    /// A mint of USDC into the owner's token account. `None` as for SOL.
    pub(crate) fn usdc(&self, bank: &Bank, owner: &Pubkey, amount: u64) -> Option<VersionedTransaction> {
        let create = self.create_token_account(owner);
        let (account, _) = pda::ata(&owner.to_bytes(), &self.usdc_mint.to_bytes());
        let authority = self.keys.mint_authority.pubkey();
        let mint = mint_to(&self.usdc_mint, &Pubkey::from(account), &authority, amount);
        unused(bank, None, &[create, mint], &[&self.keys.faucet, &self.keys.mint_authority])
    }

    /// Makes the owner's USDC account unless it exists; the faucet pays.
    pub(crate) fn create_token_account(&self, owner: &Pubkey) -> Instruction {
        to_solana(&builder::create_associated_token_idempotent(
            &self.keys.faucet.pubkey().to_bytes(),
            &owner.to_bytes(),
            &self.usdc_mint.to_bytes(),
        ))
    }
}

/// Two equal transfers under one blockhash would be one transaction; another blockhash tells them apart.
fn unused(
    bank: &Bank,
    wanted: Option<Hash>,
    instructions: &[Instruction],
    signers: &[&Keypair],
) -> Option<VersionedTransaction> {
    let hashes = wanted.iter().chain(bank.clock().valid(bank.clock().slot()));
    let mut candidates = hashes.map(|hash| signed(instructions, hash, signers));
    candidates.find(|transaction| !bank.history().contains(&transaction.signatures[0]))
}

/// A transaction by these signers, of whom the first pays.
pub(crate) fn signed(instructions: &[Instruction], hash: &Hash, signers: &[&Keypair]) -> VersionedTransaction {
    let payer = signers[0].pubkey();
    let message = Message::new_with_blockhash(instructions, Some(&payer), hash);
    VersionedTransaction::try_new(VersionedMessage::Legacy(message), signers)
        .expect("localnet signs with exactly the keys its instructions name")
}

fn transfer(from: &Pubkey, to: &Pubkey, lamports: u64) -> Instruction {
    const TRANSFER: u32 = 2;
    let mut data = TRANSFER.to_le_bytes().to_vec();
    data.extend_from_slice(&lamports.to_le_bytes());
    Instruction {
        program_id: Pubkey::from(clawos_interface::known::SYSTEM_PROGRAM),
        accounts: vec![AccountMeta::new(*from, true), AccountMeta::new(*to, false)],
        data,
    }
}

fn mint_to(mint: &Pubkey, account: &Pubkey, authority: &Pubkey, amount: u64) -> Instruction {
    const MINT_TO: u8 = 7;
    let mut data = vec![MINT_TO];
    data.extend_from_slice(&amount.to_le_bytes());
    Instruction {
        program_id: TOKEN,
        accounts: vec![
            AccountMeta::new(*mint, false),
            AccountMeta::new(*account, false),
            AccountMeta::new_readonly(*authority, true),
        ],
        data,
    }
}
