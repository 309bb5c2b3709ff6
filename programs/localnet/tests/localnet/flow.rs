//! A wallet's day: airdrop, transfer, confirm, history; and transactions that go wrong.

use clawos_interface::accounts::Config;
use clawos_interface::instruction as builder;
use clawos_localnet::PROGRAM_ID;
use clawos_solana::transaction::to_solana;
use serde_json::json;
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::client_error::{Error, ErrorKind};
use solana_rpc_client_api::config::{
    RpcSendTransactionConfig, RpcSimulateTransactionAccountsConfig, RpcSimulateTransactionConfig, RpcTransactionConfig,
    UiAccountEncoding, UiTransactionEncoding,
};
use solana_rpc_client_api::request::{RpcError, RpcResponseErrorData};
use solana_rpc_client_api::response::RpcSimulateTransactionResult;
use solana_signer::Signer;
use solana_transaction::TransactionError;
use solana_transaction_status_client_types::TransactionConfirmationStatus;

use crate::support::{FEE, SOL, memo, net, signed, transfer};

#[tokio::test]
async fn a_transfer_is_confirmed_and_in_the_history() {
    let net = net().await;
    let from = net.wallet(2 * SOL).await;
    let to = Pubkey::new_unique();
    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    let instructions = [transfer(&from.pubkey(), &to, SOL), memo("for lunch")];
    let transaction = signed(&instructions, &from, hash);
    let fee = net.rpc.get_fee_for_message(&transaction.message).await.unwrap();
    assert_eq!(fee, FEE);

    let signature = net.rpc.send_and_confirm_transaction(&transaction).await.unwrap();
    assert_eq!(net.rpc.get_balance(&to).await.unwrap(), SOL);
    assert_eq!(net.rpc.get_balance(&from.pubkey()).await.unwrap(), SOL - FEE);

    let statuses = net.rpc.get_signature_statuses(&[signature, Default::default()]).await.unwrap();
    let status = statuses.value[0].clone().unwrap();
    assert_eq!(status.confirmation_status, Some(TransactionConfirmationStatus::Finalized));
    assert_eq!((status.err, status.confirmations), (None, None));
    assert_eq!(statuses.value[1], None);

    let history = net.rpc.get_signatures_for_address(&from.pubkey()).await.unwrap();
    assert_eq!(history.len(), 2, "the airdrop and the transfer");
    assert_eq!(history[0].signature, signature.to_string());
    assert_eq!(history[0].memo.as_deref(), Some("[9] for lunch"));
    let config = GetConfirmedSignaturesForAddress2Config { until: Some(signature), ..Default::default() };
    let newer = net.rpc.get_signatures_for_address_with_config(&from.pubkey(), config).await.unwrap();
    assert!(newer.is_empty());
    let unknown = json!([from.pubkey().to_string(), { "before": "1".repeat(64) }]);
    assert_eq!(net.refusal("getSignaturesForAddress", unknown).await.0, -32020);
}

#[tokio::test]
async fn a_transaction_is_shown_in_every_encoding() {
    let net = net().await;
    let from = net.wallet(2 * SOL).await;
    let to = Pubkey::new_unique();
    let transaction = net.transfer(&from, &to, SOL).await;
    let signature = net.rpc.send_and_confirm_transaction(&transaction).await.unwrap();
    for encoding in [UiTransactionEncoding::Base64, UiTransactionEncoding::Base58] {
        let found = net.rpc.get_transaction(&signature, encoding).await.unwrap();
        let decoded = found.transaction.transaction.decode().unwrap();
        assert_eq!(decoded, transaction.clone().into());
        let meta = found.transaction.meta.unwrap();
        assert_eq!((meta.err, meta.fee), (None, FEE));
        assert_eq!(meta.pre_balances[0] - meta.post_balances[0], SOL + FEE);
        assert!(found.block_time.unwrap() > 1_700_000_000);
    }
    for encoding in ["json", "jsonParsed"] {
        let answer = net.call("getTransaction", json!([signature.to_string(), { "encoding": encoding }])).await;
        let message = &answer["result"]["transaction"]["message"];
        let instruction = &message["instructions"][0];
        if encoding == "json" {
            assert_eq!(message["accountKeys"][0], from.pubkey().to_string());
            assert_eq!(instruction["programIdIndex"], 2);
        } else {
            assert_eq!(message["accountKeys"][0]["signer"], true);
            assert_eq!(
                (&instruction["program"], &instruction["parsed"]["type"]),
                (&json!("system"), &json!("transfer"))
            );
            let info = json!({ "source": from.pubkey().to_string(), "destination": to.to_string(), "lamports": SOL });
            assert_eq!(instruction["parsed"]["info"], info);
        }
    }
    let config = RpcTransactionConfig { max_supported_transaction_version: Some(0), ..Default::default() };
    let found = net.rpc.get_transaction_with_config(&signature, config).await.unwrap();
    assert!(found.transaction.version.is_some());
}

#[tokio::test]
async fn a_transaction_runs_once() {
    let net = net().await;
    let from = net.wallet(2 * SOL).await;
    let to = Pubkey::new_unique();
    let transaction = net.transfer(&from, &to, SOL / 4).await;
    let signature = net.rpc.send_and_confirm_transaction(&transaction).await.unwrap();

    let (reason, _) = preflight(net.rpc.send_transaction(&transaction).await.unwrap_err());
    assert!(reason.contains("already been processed"), "{reason}");
    // Sent blindly again, as clients do that retry: the same signature and nothing more.
    let blind = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    let again = net.rpc.send_transaction_with_config(&transaction, blind).await.unwrap();
    assert_eq!(again, signature);
    assert_eq!(net.rpc.get_balance(&to).await.unwrap(), SOL / 4);

    let (first, second) = (net.wallet(SOL).await, Keypair::new());
    for _ in 0..3 {
        net.rpc.request_airdrop(&second.pubkey(), SOL).await.unwrap();
    }
    assert_eq!(net.rpc.get_balance(&second.pubkey()).await.unwrap(), 3 * SOL, "equal airdrops are not one");
    assert_eq!(net.rpc.get_balance(&first.pubkey()).await.unwrap(), SOL);
}

#[tokio::test]
async fn a_bad_signature_is_refused_with_and_without_preflight() {
    let net = net().await;
    let from = net.wallet(2 * SOL).await;
    let mut transaction = net.transfer(&from, &Pubkey::new_unique(), SOL).await;
    transaction.signatures[0] = from.sign_message(b"something else");
    for skip_preflight in [false, true] {
        let config = RpcSendTransactionConfig { skip_preflight, ..Default::default() };
        let error = net.rpc.send_transaction_with_config(&transaction, config).await.unwrap_err();
        let (_, result) = preflight(error);
        assert_eq!(result.err.map(TransactionError::from), Some(TransactionError::SignatureFailure));
    }
    assert_eq!(net.rpc.get_balance(&from.pubkey()).await.unwrap(), 2 * SOL);
}

#[tokio::test]
async fn a_failing_transaction_is_stopped_by_preflight_and_otherwise_costs_its_fee() {
    let net = net().await;
    let from = net.wallet(SOL).await;
    let to = Pubkey::new_unique();
    let transaction = net.transfer(&from, &to, 5 * SOL).await;
    let (_, result) = preflight(net.rpc.send_transaction(&transaction).await.unwrap_err());
    let insufficient = TransactionError::InstructionError(0, InstructionError::Custom(1));
    assert_eq!(result.err.map(TransactionError::from), Some(insufficient.clone()));
    assert!(result.logs.unwrap().iter().any(|line| line.contains("insufficient lamports")));
    assert_eq!(result.units_consumed, Some(150));
    assert_eq!(net.rpc.get_balance(&from.pubkey()).await.unwrap(), SOL);

    let blind = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    let signature = net.rpc.send_transaction_with_config(&transaction, blind).await.unwrap();
    let status = net.rpc.get_signature_status(&signature).await.unwrap().unwrap();
    assert_eq!(status, Err(insufficient));
    assert_eq!(net.rpc.get_balance(&from.pubkey()).await.unwrap(), SOL - FEE);
    assert_eq!(net.rpc.get_balance(&to).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wallet_without_sol_cannot_pay_and_is_told_even_without_preflight() {
    let net = net().await;
    let broke = Keypair::new();
    let transaction = net.transfer(&broke, &Pubkey::new_unique(), 1).await;
    for skip_preflight in [false, true] {
        let config = RpcSendTransactionConfig { skip_preflight, ..Default::default() };
        let error = net.rpc.send_transaction_with_config(&transaction, config).await.unwrap_err();
        let (_, result) = preflight(error);
        assert_eq!(result.err.map(TransactionError::from), Some(TransactionError::AccountNotFound));
    }
    let statuses = net.rpc.get_signature_statuses(&transaction.signatures).await.unwrap();
    assert_eq!(statuses.value, [None]);
}

#[tokio::test]
async fn a_simulation_shows_what_would_be_and_changes_nothing() {
    let net = net().await;
    let from = net.wallet(2 * SOL).await;
    let to = Pubkey::new_unique();
    let mut transaction = net.transfer(&from, &to, SOL).await;
    transaction.signatures[0] = Default::default();
    transaction.message.recent_blockhash = Default::default();
    let accounts = RpcSimulateTransactionAccountsConfig {
        encoding: Some(UiAccountEncoding::Base64),
        addresses: vec![to.to_string()],
    };
    let config = RpcSimulateTransactionConfig {
        replace_recent_blockhash: true,
        accounts: Some(accounts),
        inner_instructions: true,
        ..Default::default()
    };
    let result = net.rpc.simulate_transaction_with_config(&transaction, config.clone()).await.unwrap().value;
    assert_eq!((result.err, result.units_consumed), (None, Some(150)));
    assert_eq!(result.accounts.unwrap()[0].as_ref().unwrap().lamports, SOL);
    assert!(result.replacement_blockhash.is_some());
    assert_eq!(result.fee, Some(FEE));
    assert_eq!(result.pre_balances.unwrap()[..2], [2 * SOL, 0]);
    assert_eq!(result.post_balances.unwrap()[..2], [SOL - FEE, SOL]);
    // The wallet has no data, the receiver does not exist, the system program's data is its name.
    assert_eq!(result.loaded_accounts_data_size, Some(64 + 64 + "solana_system_program".len() as u32));
    assert_eq!(net.rpc.get_balance(&to).await.unwrap(), 0);

    let strict = RpcSimulateTransactionConfig { sig_verify: true, ..Default::default() };
    let result = net.rpc.simulate_transaction_with_config(&transaction, strict).await.unwrap().value;
    assert_eq!(result.err.map(TransactionError::from), Some(TransactionError::SignatureFailure));
    let stale = RpcSimulateTransactionConfig::default();
    let result = net.rpc.simulate_transaction_with_config(&transaction, stale).await.unwrap().value;
    assert_eq!(result.err.map(TransactionError::from), Some(TransactionError::BlockhashNotFound));
}

#[tokio::test]
async fn the_program_is_initialised_and_its_errors_come_through() {
    let net = net().await;
    let (config, _) = clawos_interface::pda::config();
    let account = net.rpc.get_account(&Pubkey::from(config)).await.unwrap();
    assert_eq!(account.owner, PROGRAM_ID);
    let config = Config::decode(&account.data).unwrap();
    let keys = net.handle.keys();
    assert_eq!(config.meter, keys.meter.pubkey().to_bytes());
    assert_eq!(config.treasury, keys.treasury.pubkey().to_bytes());
    assert_eq!(config.usdc_mint, net.handle.usdc_mint().to_bytes());

    let stranger = net.wallet(SOL).await;
    let pause = |signer: &Keypair| to_solana(&builder::pause(&signer.pubkey().to_bytes(), 1));
    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    let refused = net.rpc.send_transaction(&signed(&[pause(&stranger)], &stranger, hash)).await;
    let (_, result) = preflight(refused.unwrap_err());
    let error = result.err.map(TransactionError::from);
    assert!(
        matches!(error, Some(TransactionError::InstructionError(0, InstructionError::Custom(6000..)))),
        "{error:?}"
    );
    assert!(result.logs.unwrap().iter().any(|line| line.contains(&PROGRAM_ID.to_string())));
    let allowed = signed(&[pause(&keys.guardian)], &keys.guardian, hash);
    net.rpc.send_and_confirm_transaction(&allowed).await.unwrap();
}

fn code(error: &Error) -> i64 {
    match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError { code, .. }) => *code,
        other => panic!("not an answer: {other:?}"),
    }
}

/// The message and data of a -32002, as Solana's client reads them.
fn preflight(error: Error) -> (String, RpcSimulateTransactionResult) {
    assert_eq!(code(&error), -32002, "{error}");
    match *error.kind {
        ErrorKind::RpcError(RpcError::RpcResponseError {
            message,
            data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
            ..
        }) => (message, result),
        other => panic!("no simulation in the error: {other:?}"),
    }
}
