//! Token accounts: a balance, and all of an owner.

use solana_account::{AccountSharedData, ReadableAccount};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcContextConfig, RpcTokenAccountsFilter, UiAccountEncoding,
};

use super::accounts::keyed;
use super::error::{RpcError, RpcResult};
use super::params::{Params, check_context, parse_pubkey, with_context};
use crate::bank::Bank;
use crate::token::{TokenAccount, is_token_program, mint_decimals, ui_amount};

pub(super) fn get_token_account_balance(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let key = params.pubkey(0)?;
    let config: RpcContextConfig = params.config(1)?;
    check_context(bank, config.min_context_slot)?;
    let account =
        bank.account(&key).ok_or_else(|| RpcError::invalid_params("Invalid param: could not find account"))?;
    let token =
        TokenAccount::read(account).ok_or_else(|| RpcError::invalid_params("Invalid param: not a Token account"))?;
    let decimals = bank
        .account(&token.mint)
        .and_then(mint_decimals)
        .ok_or_else(|| RpcError::invalid_params("Invalid param: could not find mint"))?;
    with_context(bank, ui_amount(token.amount, decimals))
}

pub(super) fn get_token_accounts_by_owner(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(3)?;
    let owner = params.pubkey(0)?;
    let filter: RpcTokenAccountsFilter = params.required(1, "{\"mint\": …} or {\"programId\": …}")?;
    let config: RpcAccountInfoConfig = params.config(2)?;
    check_context(bank, config.min_context_slot)?;
    let selected = selection(bank, filter)?;
    let mut found: Vec<(&Pubkey, &AccountSharedData)> = bank
        .accounts()
        .filter(|(_, account)| {
            TokenAccount::read(account).is_some_and(|token| token.owner == owner && selected.holds(&token, account))
        })
        .collect();
    found.sort_unstable_by_key(|(key, _)| **key);
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
    with_context(bank, keyed(bank, found, encoding, config.data_slice)?)
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

fn selection(bank: &Bank, filter: RpcTokenAccountsFilter) -> RpcResult<Selection> {
    match filter {
        RpcTokenAccountsFilter::Mint(mint) => {
            let mint = parse_pubkey(&mint)?;
            bank.account(&mint)
                .and_then(mint_decimals)
                .map(|_| Selection::Mint(mint))
                .ok_or_else(|| RpcError::invalid_params("Invalid param: could not find mint"))
        }
        RpcTokenAccountsFilter::ProgramId(program) => {
            let program = parse_pubkey(&program)?;
            let known = is_token_program(&program).then_some(Selection::Program(program));
            known.ok_or_else(|| RpcError::invalid_params("Invalid param: unrecognized Token program id"))
        }
    }
}
