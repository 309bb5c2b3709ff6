//! SPL token accounts and mints, as far as RPC answers and transaction metas need them.

use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::parse_account_data::SplTokenAdditionalDataV2;
use solana_account_decoder::parse_token::token_amount_to_ui_amount_v3;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::response::UiTokenAmount;

/// The classic token program.
pub(crate) const TOKEN: Pubkey = Pubkey::new_from_array(clawos_interface::known::TOKEN_PROGRAM);
const TOKEN_2022: Pubkey = Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// Length of an account without extensions, in bytes; Token-2022 keeps the account's type behind it.
const ACCOUNT_LEN: usize = 165;
/// Length of a mint without extensions, in bytes.
const MINT_LEN: usize = 82;
/// The account type byte of Token-2022.
const TYPE_MINT: u8 = 1;
const TYPE_ACCOUNT: u8 = 2;

/// Whether this is one of the two token programs.
pub(crate) fn is_token_program(key: &Pubkey) -> bool {
    *key == TOKEN || *key == TOKEN_2022
}

/// The fields of a token account that RPC answers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenAccount {
    pub(crate) mint: Pubkey,
    pub(crate) owner: Pubkey,
    pub(crate) amount: u64,
    /// Who may spend of it besides the owner.
    pub(crate) delegate: Option<Pubkey>,
}

impl TokenAccount {
    /// Reads an initialised token account of either program; `None` for anything else.
    pub(crate) fn read(account: &AccountSharedData) -> Option<Self> {
        let data = account.data();
        let is_account = data.len() == ACCOUNT_LEN
            || (*account.owner() == TOKEN_2022 && data.get(ACCOUNT_LEN) == Some(&TYPE_ACCOUNT));
        const STATE: usize = 108;
        // A tag of four bytes, then the key.
        const DELEGATE: usize = 72;
        if !is_token_program(account.owner()) || !is_account || data[STATE] == 0 {
            return None;
        }
        Some(Self {
            mint: key_at(data, 0)?,
            owner: key_at(data, 32)?,
            amount: amount_at(data, 64)?,
            delegate: if data[DELEGATE] == 1 { key_at(data, DELEGATE + 4) } else { None },
        })
    }
}

/// The fields of a mint that RPC answers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mint {
    pub(crate) supply: u64,
    pub(crate) decimals: u8,
}

impl Mint {
    /// Reads an initialised mint of either program; `None` for anything else.
    pub(crate) fn read(account: &AccountSharedData) -> Option<Self> {
        const SUPPLY: usize = 36;
        const DECIMALS: usize = 44;
        const INITIALISED: usize = 45;
        let data = account.data();
        let is_mint =
            data.len() == MINT_LEN || (*account.owner() == TOKEN_2022 && data.get(ACCOUNT_LEN) == Some(&TYPE_MINT));
        if !is_token_program(account.owner()) || !is_mint || data[INITIALISED] != 1 {
            return None;
        }
        Some(Self { supply: amount_at(data, SUPPLY)?, decimals: data[DECIMALS] })
    }
}

/// An amount as RPC shows it.
pub(crate) fn ui_amount(amount: u64, decimals: u8) -> UiTokenAmount {
    token_amount_to_ui_amount_v3(amount, &SplTokenAdditionalDataV2::with_decimals(decimals))
}

fn amount_at(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(data.get(at..at + 8)?.try_into().ok()?))
}

fn key_at(data: &[u8], at: usize) -> Option<Pubkey> {
    Pubkey::try_from(data.get(at..at + 32)?).ok()
}
