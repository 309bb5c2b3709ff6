//! Token accounts: a balance, all of an owner or a delegate, a mint's supply and largest holders.

use solana_account::{AccountSharedData, ReadableAccount};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcTokenAccountsFilter, UiAccountEncoding};
use solana_rpc_client_api::request::NUM_LARGEST_ACCOUNTS;
use solana_rpc_client_api::response::RpcTokenAccountBalance;

use super::accounts::keyed;
use super::error::{RpcError, RpcResult};
use super::params::{Params, parse_pubkey, with_context};
use crate::bank::{Bank, View};
use crate::token::{Mint, TokenAccount, is_token_program, ui_amount};

pub(super) fn get_token_account_balance(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let key = params.pubkey(0)?;
    let view = params.view(bank, 1)?;
    let account =
        view.account(&key).ok_or_else(|| RpcError::invalid_params("Invalid param: could not find account"))?;
    let token =
        TokenAccount::read(account).ok_or_else(|| RpcError::invalid_params("Invalid param: not a Token account"))?;
    with_context(&view, ui_amount(token.amount, mint(&view, &token.mint)?.decimals))
}

pub(super) fn get_token_supply(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let key = params.pubkey(0)?;
    let view = params.view(bank, 1)?;
    let mint = mint(&view, &key)?;
    with_context(&view, ui_amount(mint.supply, mint.decimals))
}

pub(super) fn get_token_largest_accounts(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let key = params.pubkey(0)?;
    let view = params.view(bank, 1)?;
    let mint = mint(&view, &key)?;
    let held = |account| TokenAccount::read(account).filter(|token| token.mint == key);
    let tokens = view.accounts().filter_map(|(address, account)| Some((held(account)?.amount, address)));
    let mut largest: Vec<(u64, &Pubkey)> = tokens.collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    largest.truncate(NUM_LARGEST_ACCOUNTS);
    let rows = largest.into_iter().map(|(amount, address)| RpcTokenAccountBalance {
        address: address.to_string(),
        amount: ui_amount(amount, mint.decimals),
    });
    with_context(&view, rows.collect::<Vec<_>>())
}

pub(super) fn get_token_accounts_by_owner(bank: &Bank, params: &Params) -> RpcResult {
    let owner = params.pubkey(0)?;
    token_accounts(bank, params, |token| token.owner == owner)
}

pub(super) fn get_token_accounts_by_delegate(bank: &Bank, params: &Params) -> RpcResult {
    let delegate = params.pubkey(0)?;
    token_accounts(bank, params, |token| token.delegate == Some(delegate))
}

fn token_accounts(bank: &Bank, params: &Params, wanted: impl Fn(&TokenAccount) -> bool) -> RpcResult {
    params.at_most(3)?;
    let filter: RpcTokenAccountsFilter = params.required(1, "{\"mint\": …} or {\"programId\": …}")?;
    let config: RpcAccountInfoConfig = params.config(2)?;
    let view = params.view(bank, 2)?;
    let selected = selection(&view, filter)?;
    let mut found: Vec<(&Pubkey, &AccountSharedData)> = view
        .accounts()
        .filter(|(_, account)| {
            TokenAccount::read(account).is_some_and(|token| wanted(&token) && selected.holds(&token, account))
        })
        .collect();
    found.sort_unstable_by_key(|(key, _)| **key);
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
    with_context(&view, keyed(&view, found, encoding, config.data_slice)?)
}

enum Selection {
    Mint(Pubkey),
    Program(Pubkey),
}

impl Selection {
    fn holds(&self, token: &TokenAccount, account: &AccountSharedData) -> bool {
        match self {
            Self::Mint(mint) => token.mint == *mint,
            Self::Program(program) => account.owner() == program,
        }
    }
}

fn selection(view: &View<'_>, filter: RpcTokenAccountsFilter) -> RpcResult<Selection> {
    match filter {
        RpcTokenAccountsFilter::Mint(key) => {
            let key = parse_pubkey(&key)?;
            mint(view, &key).map(|_| Selection::Mint(key))
        }
        RpcTokenAccountsFilter::ProgramId(program) => {
            let program = parse_pubkey(&program)?;
            let known = is_token_program(&program).then_some(Selection::Program(program));
            known.ok_or_else(|| RpcError::invalid_params("Invalid param: unrecognized Token program id"))
        }
    }
}

fn mint(view: &View<'_>, key: &Pubkey) -> RpcResult<Mint> {
    let found = view.account(key).and_then(Mint::read);
    found.ok_or_else(|| RpcError::invalid_params("Invalid param: could not find mint"))
}
