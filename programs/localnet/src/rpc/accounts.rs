//! Reading accounts: one, several, all of a program.

use serde_json::Value;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::parse_account_data::{AccountAdditionalDataV3, SplTokenAdditionalDataV2};
use solana_account_decoder::{MAX_BASE58_BYTES, encode_ui_account};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, UiAccountEncoding, UiDataSliceConfig,
};
use solana_rpc_client_api::filter::RpcFilterType;
use solana_rpc_client_api::request::{MAX_GET_PROGRAM_ACCOUNT_FILTERS, MAX_MULTIPLE_ACCOUNTS};
use solana_rpc_client_api::response::{RpcKeyedAccount, UiAccount};

use super::error::{RpcError, RpcResult};
use super::params::{Params, parse_pubkey, to_value, with_context};
use crate::bank::{Bank, View};
use crate::token::{Mint, TokenAccount};

/// Largest account on Solana, in bytes.
const MAX_ACCOUNT_LEN: u64 = 10 << 20;

pub(super) fn get_balance(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let key = params.pubkey(0)?;
    let view = params.view(bank, 1)?;
    with_context(&view, view.account(&key).map_or(0, ReadableAccount::lamports))
}

pub(super) fn get_account_info(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let key = params.pubkey(0)?;
    let view = params.view(bank, 1)?;
    let config: RpcAccountInfoConfig = params.config(1)?;
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
    with_context(&view, existing(&view, &key, encoding, config.data_slice)?)
}

pub(super) fn get_multiple_accounts(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let keys: Vec<String> = params.required(0, "an array of addresses")?;
    let config: RpcAccountInfoConfig = params.config(1)?;
    if keys.len() > MAX_MULTIPLE_ACCOUNTS {
        let message = format!("Too many inputs provided; max {MAX_MULTIPLE_ACCOUNTS}");
        return Err(RpcError::invalid_params(message));
    }
    let view = params.view(bank, 1)?;
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Base64);
    let accounts = keys.iter().map(|key| existing(&view, &parse_pubkey(key)?, encoding, config.data_slice));
    with_context(&view, accounts.collect::<RpcResult<Vec<_>>>()?)
}

pub(super) fn get_program_accounts(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let program = params.pubkey(0)?;
    let config: RpcProgramAccountsConfig = params.config(1)?;
    let filters = config.filters.unwrap_or_default();
    check_filters(&filters)?;
    let RpcAccountInfoConfig { encoding, data_slice, .. } = config.account_config;
    let view = params.view(bank, 1)?;
    let encoding = encoding.unwrap_or(UiAccountEncoding::Binary);
    let mut found: Vec<(&Pubkey, &AccountSharedData)> = view
        .accounts()
        .filter(|(_, account)| *account.owner() == program)
        .filter(|(_, account)| filters.iter().all(|filter| matches(filter, account)))
        .collect();
    found.sort_unstable_by_key(|(key, _)| **key);
    let accounts = keyed(&view, found, encoding, data_slice)?;
    if config.with_context.unwrap_or(false) { with_context(&view, accounts) } else { to_value(accounts) }
}

pub(super) fn get_minimum_balance(bank: &Bank, params: &Params) -> RpcResult {
    params.at_most(2)?;
    let len: u64 = params.required(0, "a data length")?;
    params.view(bank, 1)?;
    if len > MAX_ACCOUNT_LEN {
        let message = format!("Invalid params: an account holds at most {MAX_ACCOUNT_LEN} bytes");
        return Err(RpcError::invalid_params(message));
    }
    Ok(Value::from(bank.rent_minimum(len as usize)))
}

/// Accounts with their addresses.
pub(super) fn keyed(
    view: &View<'_>,
    accounts: Vec<(&Pubkey, &AccountSharedData)>,
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> RpcResult<Vec<RpcKeyedAccount>> {
    let keyed = accounts.into_iter().map(|(key, account)| {
        let account = ui_account(view, key, account, encoding, slice)?;
        Ok(RpcKeyedAccount { pubkey: key.to_string(), account })
    });
    keyed.collect()
}

fn existing(
    view: &View<'_>,
    key: &Pubkey,
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> RpcResult<Option<UiAccount>> {
    let account = view.account(key);
    account.map(|account| ui_account(view, key, account, encoding, slice)).transpose()
}

/// An account as RPC shows it.
///
/// # Errors
/// Base58 of more than 128 bytes, as on a validator.
pub(crate) fn ui_account(
    view: &View<'_>,
    key: &Pubkey,
    account: &AccountSharedData,
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> RpcResult<UiAccount> {
    let len = account.data().len();
    let shown = slice.map_or(len, |slice| len.saturating_sub(slice.offset).min(slice.length));
    if matches!(encoding, UiAccountEncoding::Binary | UiAccountEncoding::Base58) && shown > MAX_BASE58_BYTES {
        return Err(RpcError::invalid_request(format!(
            "Encoded binary (base 58) data should be less than {MAX_BASE58_BYTES} bytes, please use Base64 encoding."
        )));
    }
    // Only the parsed form of a token account needs its mint.
    let mint = TokenAccount::read(account)
        .filter(|_| encoding == UiAccountEncoding::JsonParsed)
        .and_then(|token| view.account(&token.mint).and_then(Mint::read));
    let additional = mint.map(|mint| AccountAdditionalDataV3 {
        spl_token_additional_data: Some(SplTokenAdditionalDataV2::with_decimals(mint.decimals)),
    });
    Ok(encode_ui_account(key, account, encoding, additional, slice))
}

/// Refuses too many filters, and those that cannot be applied.
pub(crate) fn check_filters(filters: &[RpcFilterType]) -> RpcResult<()> {
    if filters.len() > MAX_GET_PROGRAM_ACCOUNT_FILTERS {
        let message = format!("Too many filters provided; max {MAX_GET_PROGRAM_ACCOUNT_FILTERS}");
        return Err(RpcError::invalid_params(message));
    }
    for filter in filters {
        filter.verify().map_err(|error| RpcError::invalid_params(format!("Invalid param: {error}")))?;
    }
    Ok(())
}

/// Whether a filter lets an account pass.
pub(crate) fn matches(filter: &RpcFilterType, account: &AccountSharedData) -> bool {
    match filter {
        RpcFilterType::DataSize(size) => account.data().len() as u64 == *size,
        RpcFilterType::Memcmp(compare) => compare.bytes_match(account.data()),
        RpcFilterType::TokenAccountState => TokenAccount::read(account).is_some(),
    }
}
