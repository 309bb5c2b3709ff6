//! The chain as a cluster: finality lags, transactions get lost, what is old is forgotten, and others pay for priority.

use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client_api::config::{RpcSendTransactionConfig, RpcSignatureSubscribeConfig};
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_status_client_types::TransactionConfirmationStatus::{Confirmed, Finalized, Processed};
use solana_transaction_status_client_types::TransactionStatus;
use tokio::time::timeout;

use crate::support::{FEE, Net, SOL, net_with, signed, transfer};

const LEVELS: [CommitmentConfig; 3] =
    [CommitmentConfig::processed(), CommitmentConfig::confirmed(), CommitmentConfig::finalized()];
const SOON: Duration = Duration::from_secs(20);

/// A cluster that loses nothing.
async fn cluster(slot_ms: u64) -> Net {
    net_with(|config| {
        config.slot_ms = slot_ms;
        config.cluster.cluster = true;
        config.cluster.drop_percent = 0;
    })
    .await
}

/// The status, found without the history.
async fn status(net: &Net, transaction: &Transaction) -> Option<TransactionStatus> {
    net.rpc.get_signature_statuses(&transaction.signatures).await.unwrap().value.remove(0)
}

async fn balance(net: &Net, key: &Pubkey, level: CommitmentConfig) -> u64 {
    net.rpc.get_balance_with_commitment(key, level).await.unwrap().value
}

/// A wallet whose money is final.
async fn wallet(net: &Net, lamports: u64) -> Keypair {
    let wallet = Keypair::new();
    net.rpc.request_airdrop(&wallet.pubkey(), lamports).await.unwrap();
    until(async || balance(net, &wallet.pubkey(), CommitmentConfig::finalized()).await == lamports).await;
    wallet
}

/// Asks again until the answer is yes.
async fn until(mut question: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !question().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, asking).await.expect("this does not happen");
}

#[tokio::test]
async fn a_transaction_is_processed_then_confirmed_then_final() {
    let net = cluster(100).await;
    let [processed, confirmed, finalized] = LEVELS;
    let slot = async |level| net.rpc.get_slot_with_commitment(level).await.unwrap();
    let slots = (slot(finalized).await, slot(confirmed).await, slot(processed).await);
    assert!(slots.0 + 28 <= slots.1 && slots.1 <= slots.2, "{slots:?}");

    let from = wallet(&net, 2 * SOL).await;
    let to = Pubkey::new_unique();
    let transaction = net.transfer(&from, &to, SOL).await;
    net.rpc.send_transaction(&transaction).await.unwrap();
    assert_eq!(balance(&net, &to, processed).await, SOL);
    assert_eq!(balance(&net, &to, finalized).await, 0);
    assert_eq!(balance(&net, &from.pubkey(), finalized).await, 2 * SOL);
    let seen = status(&net, &transaction).await.unwrap();
    assert_ne!(seen.confirmation_status, Some(Finalized));
    assert!(seen.confirmations.is_some());
    let mut reached = Vec::new();
    until(async || {
        let now = status(&net, &transaction).await.unwrap().confirmation_status.unwrap();
        if reached.last() != Some(&now) {
            reached.push(now.clone());
        }
        now == Finalized
    })
    .await;
    assert!([vec![Processed, Confirmed, Finalized], vec![Confirmed, Finalized]].contains(&reached), "{reached:?}");
    assert_eq!(balance(&net, &to, finalized).await, SOL);
    assert_eq!(status(&net, &transaction).await.unwrap().confirmations, None);
}

#[tokio::test]
async fn a_preflight_sees_the_state_of_its_commitment() {
    let net = cluster(100).await;
    let from = Keypair::new();
    net.rpc.request_airdrop(&from.pubkey(), SOL).await.unwrap();
    let hash = net.rpc.get_latest_blockhash_with_commitment(CommitmentConfig::finalized()).await.unwrap().0;
    let transaction = signed(&[transfer(&from.pubkey(), &Pubkey::new_unique(), SOL / 2)], &from, hash);
    let send = async |level: CommitmentConfig| {
        let preflight_commitment = Some(level.commitment);
        let config = RpcSendTransactionConfig { preflight_commitment, ..Default::default() };
        net.rpc.send_transaction_with_config(&transaction, config).await
    };
    let refused = send(CommitmentConfig::finalized()).await.unwrap_err().to_string();
    assert!(refused.contains("no record of a prior credit"), "{refused}");
    assert_eq!(send(CommitmentConfig::processed()).await.unwrap(), transaction.signatures[0]);
    // A blockhash that is too young for the preflight's state is the other classic.
    let young = net.rpc.get_latest_blockhash_with_commitment(CommitmentConfig::processed()).await.unwrap().0;
    let transaction = signed(&[transfer(&from.pubkey(), &Pubkey::new_unique(), 1)], &from, young);
    let config = RpcSendTransactionConfig { preflight_commitment: None, ..Default::default() };
    let text = json!([encoded(&transaction), config]);
    let (code, message) = net.refusal("sendTransaction", text).await;
    assert!(code == -32002 && message.contains("Blockhash not found"), "{message}");
}

#[tokio::test]
async fn what_can_never_land_is_accepted_all_the_same() {
    let net = cluster(10).await;
    let from = wallet(&net, SOL).await;
    let expired = net.transfer(&from, &Pubkey::new_unique(), 1).await;
    let last = net.rpc.get_block_height_with_commitment(CommitmentConfig::processed()).await.unwrap() + 150;
    until(async || net.rpc.get_block_height_with_commitment(CommitmentConfig::finalized()).await.unwrap() > last).await;
    let mut forged = net.transfer(&from, &Pubkey::new_unique(), 1).await;
    forged.signatures[0] = from.sign_message(b"something else");
    let blind = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    for transaction in [expired, forged] {
        let answered = net.rpc.send_transaction_with_config(&transaction, blind).await.unwrap();
        assert_eq!(answered, transaction.signatures[0]);
        assert_eq!(status(&net, &transaction).await, None);
    }
    assert_eq!(balance(&net, &from.pubkey(), CommitmentConfig::processed()).await, SOL);
}

#[tokio::test]
async fn a_lost_transaction_lands_when_it_is_sent_again() {
    let net = net_with(|config| {
        config.slot_ms = 100;
        config.cluster.cluster = true;
        config.cluster.drop_percent = 50;
    })
    .await;
    let from = wallet(&net, SOL).await;
    let mut lost = 0;
    for lamports in 1..=20 {
        let transaction = net.transfer(&from, &Pubkey::new_unique(), SOL / 1_000 + lamports).await;
        let blind = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
        while status(&net, &transaction).await.is_none() {
            net.rpc.send_transaction_with_config(&transaction, blind).await.unwrap();
            lost += u32::from(status(&net, &transaction).await.is_none());
        }
        // Once it is in, sending it again changes nothing.
        net.rpc.send_transaction_with_config(&transaction, blind).await.unwrap();
    }
    let sums = (1..=20).map(|lamports| SOL / 1_000 + lamports + FEE).sum::<u64>();
    assert_eq!(balance(&net, &from.pubkey(), CommitmentConfig::processed()).await, SOL - sums);
    assert!((5..60).contains(&lost), "{lost} were lost");
}

#[tokio::test]
async fn an_old_signature_is_known_to_the_history_only() {
    let net = cluster(10).await;
    let from = wallet(&net, SOL).await;
    let transaction = net.transfer(&from, &Pubkey::new_unique(), SOL / 2).await;
    net.rpc.send_transaction(&transaction).await.unwrap();
    let slot = status(&net, &transaction).await.unwrap().slot;
    let late = slot + 300;
    until(async || net.rpc.get_slot_with_commitment(CommitmentConfig::finalized()).await.unwrap() > late).await;
    assert_eq!(status(&net, &transaction).await, None);
    let found = net.rpc.get_signature_statuses_with_history(&transaction.signatures).await.unwrap();
    assert_eq!(found.value[0].as_ref().unwrap().slot, slot);
    // Who subscribes now is never told.
    let client = PubsubClient::new(net.handle.websocket_url()).await.unwrap();
    let (mut told, _stop) = client.signature_subscribe(&transaction.signatures[0], None).await.unwrap();
    let (mut slots, _stop) = client.slot_subscribe().await.unwrap();
    for _ in 0..10 {
        slots.next().await.unwrap();
    }
    assert!(futures::poll!(told.next()).is_pending());
}

#[tokio::test]
async fn subscriptions_wait_for_their_commitment() {
    let net = cluster(50).await;
    let from = wallet(&net, SOL).await;
    let client = PubsubClient::new(net.handle.websocket_url()).await.unwrap();
    let transaction = net.transfer(&from, &Pubkey::new_unique(), SOL / 2).await;
    let subscribe = async |level| {
        let config = RpcSignatureSubscribeConfig { commitment: Some(level), ..Default::default() };
        client.signature_subscribe(&transaction.signatures[0], Some(config)).await.unwrap()
    };
    let (mut first, _stop) = subscribe(CommitmentConfig::processed()).await;
    let (mut last, _stop) = subscribe(CommitmentConfig::finalized()).await;
    let (mut roots, _stop) = client.root_subscribe().await.unwrap();
    net.rpc.send_transaction(&transaction).await.unwrap();
    let slot = timeout(SOON, first.next()).await.unwrap().unwrap().context.slot;
    assert!(futures::poll!(last.next()).is_pending());
    assert_eq!(timeout(SOON, last.next()).await.unwrap().unwrap().context.slot, slot);
    assert!(net.rpc.get_slot_with_commitment(CommitmentConfig::finalized()).await.unwrap() >= slot);
    let root = timeout(SOON, roots.next()).await.unwrap().unwrap();
    assert!(root < net.rpc.get_slot_with_commitment(CommitmentConfig::processed()).await.unwrap() - 30);
}

#[tokio::test]
async fn priority_costs_what_others_pay() {
    let net = cluster(50).await;
    let from = wallet(&net, SOL).await;
    let fees = net.rpc.get_recent_prioritization_fees(&[from.pubkey()]).await.unwrap();
    let price = fees[0].prioritization_fee;
    assert!(price > 0 && fees.iter().all(|fee| fee.prioritization_fee == price));
    let budget = |data: Vec<u8>| Instruction {
        program_id: Pubkey::from_str_const("ComputeBudget111111111111111111111111111111"),
        accounts: Vec::new(),
        data,
    };
    let limit = budget([&[2][..], &100_000_u32.to_le_bytes()].concat());
    let unit_price = budget([&[3][..], &price.to_le_bytes()].concat());
    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    let to = Pubkey::new_unique();
    let transaction = signed(&[limit, unit_price, transfer(&from.pubkey(), &to, SOL / 2)], &from, hash);
    assert_eq!(net.rpc.get_fee_for_message(&transaction.message).await.unwrap(), FEE + 100);
    net.rpc.send_transaction(&transaction).await.unwrap();
    let left = balance(&net, &from.pubkey(), CommitmentConfig::processed()).await;
    assert_eq!(left, SOL / 2 - FEE - 100, "100,000 units at 1,000 micro-lamports are 100 lamports");
}

fn encoded(transaction: &Transaction) -> String {
    bs58::encode(wincode::serialize(transaction).unwrap()).into_string()
}
