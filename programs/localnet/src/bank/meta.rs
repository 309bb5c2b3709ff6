//! The status of a transaction that ran, as `getTransaction` shows it. It is made once, when the transaction runs.

use litesvm::types::TransactionMetadata;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_message::VersionedMessage;
use solana_message::inner_instruction::InnerInstructionsList;
use solana_message::v0::LoadedAddresses;
use solana_pubkey::Pubkey;
use solana_transaction::TransactionError;
use solana_transaction_status_client_types::option_serializer::OptionSerializer;
use solana_transaction_status_client_types::{
    UiCompiledInstruction, UiInnerInstructions, UiInstruction, UiLoadedAddresses, UiTransactionError,
    UiTransactionReturnData, UiTransactionStatusMeta, UiTransactionTokenBalance,
};

use super::Bank;
use crate::token::{Mint, TokenAccount, ui_amount};

const MEMO_V1: Pubkey = Pubkey::from_str_const("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo");
const MEMO: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/// One execution: its accounts before and after, and what litesvm says about it.
pub(super) struct Run<'a> {
    pub(super) keys: &'a [Pubkey],
    pub(super) loaded: &'a LoadedAddresses,
    pub(super) before: &'a [Option<AccountSharedData>],
    pub(super) after: &'a [Option<AccountSharedData>],
    pub(super) error: Option<&'a TransactionError>,
    pub(super) outcome: &'a TransactionMetadata,
}

/// An error as RPC shows it, in JSON.
pub(super) fn error_json(error: Option<&TransactionError>) -> Option<String> {
    error.map(|error| json(&UiTransactionError::from(error.clone())))
}

/// The status, in JSON.
pub(super) fn status_json(bank: &Bank, run: &Run<'_>) -> String {
    let error = run.error.cloned().map(UiTransactionError::from);
    json(&UiTransactionStatusMeta {
        err: error.clone(),
        status: error.map_or(Ok(()), Err),
        fee: run.outcome.fee,
        pre_balances: lamports(run.before),
        post_balances: lamports(run.after),
        inner_instructions: OptionSerializer::Some(inner_instructions(&run.outcome.inner_instructions)),
        log_messages: OptionSerializer::Some(run.outcome.logs.clone()),
        pre_token_balances: OptionSerializer::Some(token_balances(bank, run.keys, run.before)),
        post_token_balances: OptionSerializer::Some(token_balances(bank, run.keys, run.after)),
        rewards: OptionSerializer::Some(Vec::new()),
        loaded_addresses: OptionSerializer::Some(UiLoadedAddresses::from(run.loaded)),
        return_data: OptionSerializer::or_skip(return_data(run.outcome)),
        compute_units_consumed: OptionSerializer::Some(run.outcome.compute_units_consumed),
        cost_units: OptionSerializer::Skip,
    })
}

/// The inner instructions of each instruction that has any.
pub(crate) fn inner_instructions(list: &InnerInstructionsList) -> Vec<UiInnerInstructions> {
    let with_index = (0..=u8::MAX).zip(list).filter(|(_, inner)| !inner.is_empty());
    with_index
        .map(|(index, inner)| UiInnerInstructions {
            index,
            instructions: inner
                .iter()
                .map(|inner| {
                    let height = Some(u32::from(inner.stack_height));
                    UiInstruction::Compiled(UiCompiledInstruction::from(&inner.instruction, height))
                })
                .collect(),
        })
        .collect()
}

/// What the last program returned, if it did.
pub(crate) fn return_data(outcome: &TransactionMetadata) -> Option<UiTransactionReturnData> {
    let returned = &outcome.return_data;
    (!returned.data.is_empty()).then(|| returned.clone().into())
}

/// Memo texts joined as validators do: `[length] text; …`.
pub(super) fn memo(message: &VersionedMessage) -> Option<String> {
    let keys = message.static_account_keys();
    let memos: Vec<String> = message
        .instructions()
        .iter()
        .filter(|instruction| {
            let program = keys.get(usize::from(instruction.program_id_index));
            program.is_some_and(|program| [MEMO, MEMO_V1].contains(program))
        })
        .map(|instruction| {
            let text = String::from_utf8_lossy(&instruction.data);
            format!("[{}] {text}", instruction.data.len())
        })
        .collect();
    (!memos.is_empty()).then(|| memos.join("; "))
}

/// The balance of each account.
pub(crate) fn lamports(accounts: &[Option<AccountSharedData>]) -> Vec<u64> {
    accounts.iter().map(|account| account.as_ref().map_or(0, ReadableAccount::lamports)).collect()
}

/// The token balances among some accounts of a transaction.
pub(crate) fn token_balances(
    bank: &Bank,
    keys: &[Pubkey],
    accounts: &[Option<AccountSharedData>],
) -> Vec<UiTransactionTokenBalance> {
    (0..=u8::MAX)
        .zip(keys.iter().zip(accounts))
        .filter_map(|(account_index, (_, account))| {
            let account = account.as_ref()?;
            let token = TokenAccount::read(account)?;
            let mint = bank.account(&token.mint).and_then(Mint::read)?;
            Some(UiTransactionTokenBalance {
                account_index,
                mint: token.mint.to_string(),
                ui_token_amount: ui_amount(token.amount, mint.decimals),
                owner: OptionSerializer::Some(token.owner.to_string()),
                program_id: OptionSerializer::Some(account.owner().to_string()),
            })
        })
        .collect()
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("these types are plain data")
}
