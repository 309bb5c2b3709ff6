//! USDC in the world: the mint, token accounts, and what Circle or a holder can do to them.

use clawos_interface::instruction::{AccountMeta, Instruction, create_associated_token_idempotent};
use clawos_interface::known::TOKEN_PROGRAM;
use clawos_interface::{Key, pda};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;

use crate::harness::{WALLET_USDC, World};
use crate::people::{deployer, key, keypair};

/// The Token program's instruction numbers.
const MINT_TO: u8 = 7;
const CLOSE_ACCOUNT: u8 = 9;
const FREEZE_ACCOUNT: u8 = 10;
const TRANSFER: u8 = 3;

impl World {
    /// The tokens in a token account.
    pub fn tokens(&self, address: &Key) -> u64 {
        let data = self.data(address);
        data.get(64..72).map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
    }

    /// The USDC that a wallet has in its associated token account.
    pub fn usdc(&self, owner: &Key) -> u64 {
        self.tokens(&self.ata(owner))
    }

    /// The address of a wallet's associated token account for USDC.
    pub fn ata(&self, owner: &Key) -> Key {
        pda::ata(owner, &self.mint).0
    }

    /// Writes a mint of the Token program; the deployer mints and freezes.
    pub fn make_mint(&mut self, address: Key, decimals: u8) {
        let mut data = vec![0; 82];
        data[0] = 1;
        data[4..36].copy_from_slice(&key(&deployer()));
        data[44] = decimals;
        data[45] = 1;
        data[46] = 1;
        data[50..82].copy_from_slice(&key(&deployer()));
        self.make_token_program_account(&address, data);
    }

    /// Writes a token account of `owner` for `mint` with `amount` tokens at any address.
    pub fn make_token_account(&mut self, address: &Key, owner: &Key, mint: &Key, amount: u64) {
        let mut data = vec![0; 165];
        data[..32].copy_from_slice(mint);
        data[32..64].copy_from_slice(owner);
        data[64..72].copy_from_slice(&amount.to_le_bytes());
        data[108] = 1;
        self.make_token_program_account(address, data);
    }

    /// Writes a token account of `owner`, full of tokens of a mint that anybody could make, to the address of keypair `n`.
    pub fn make_toy_account(&mut self, n: u8, owner: &Key) -> Key {
        let (toy, address) = (key(&keypair(150)), key(&keypair(n)));
        self.make_mint(toy, 6);
        self.make_token_account(&address, owner, &toy, WALLET_USDC);
        address
    }

    fn make_token_program_account(&mut self, address: &Key, data: Vec<u8>) {
        let lamports = self.svm.minimum_balance_for_rent_exemption(data.len());
        let owner = Pubkey::from(TOKEN_PROGRAM);
        self.set_account(address, Account { lamports, data, owner, executable: false, rent_epoch: u64::MAX });
    }

    /// Makes the associated token account of `owner` for USDC.
    pub fn make_ata(&mut self, owner: &Key) {
        let ix = create_associated_token_idempotent(&key(&deployer()), owner, &self.mint);
        self.send(&ix, &[&deployer()]).expect("an associated token account can be made");
    }

    /// Mints USDC into a wallet's associated token account.
    pub fn mint_usdc(&mut self, owner: &Key, amount: u64) {
        let accounts = vec![
            AccountMeta::writable(self.mint),
            AccountMeta::writable(self.ata(owner)),
            AccountMeta::signer(key(&deployer())),
        ];
        self.token(MINT_TO, &amount.to_le_bytes(), accounts, &deployer());
    }

    /// Moves all USDC of a wallet to another one.
    pub fn empty_usdc(&mut self, from: &Keypair, to: &Key) {
        let accounts = vec![
            AccountMeta::writable(self.ata(&key(from))),
            AccountMeta::writable(self.ata(to)),
            AccountMeta::signer(key(from)),
        ];
        self.token(TRANSFER, &self.usdc(&key(from)).to_le_bytes(), accounts, from);
    }

    /// Closes a wallet's empty associated token account.
    pub fn close_ata(&mut self, owner: &Keypair) {
        let accounts = vec![
            AccountMeta::writable(self.ata(&key(owner))),
            AccountMeta::writable(key(owner)),
            AccountMeta::signer(key(owner)),
        ];
        self.token(CLOSE_ACCOUNT, &[], accounts, owner);
    }

    /// Freezes a wallet's associated token account, as Circle can.
    pub fn freeze(&mut self, owner: &Key) {
        let accounts = vec![
            AccountMeta::writable(self.ata(owner)),
            AccountMeta::readonly(self.mint),
            AccountMeta::signer(key(&deployer())),
        ];
        self.token(FREEZE_ACCOUNT, &[], accounts, &deployer());
    }

    fn token(&mut self, tag: u8, arguments: &[u8], accounts: Vec<AccountMeta>, signer: &Keypair) {
        let data = [&[tag], arguments].concat();
        self.send(&Instruction { program_id: TOKEN_PROGRAM, accounts, data }, &[signer])
            .expect("the Token program does it");
    }
}
