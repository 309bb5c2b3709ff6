//! Blockhashes live 150 slots, on both sides of a restart.

use std::time::Duration;

use serde_json::json;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::RpcSendTransactionConfig;
use solana_signer::Signer;

use crate::support::{SOL, net, net_with, open, signed, transfer};

#[tokio::test]
async fn slots_tick_and_the_clock_follows_the_wall() {
    let net = net_with(|config| config.slot_ms = 20).await;
    let first = net.rpc.get_slot().await.unwrap();
    let (hash, last_valid) = net.rpc.get_latest_blockhash_with_commitment(Default::default()).await.unwrap();
    assert!(last_valid >= first + 150);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let later = net.rpc.get_slot().await.unwrap();
    assert!(later >= first + 5, "{first} → {later}");
    assert_ne!(net.rpc.get_latest_blockhash().await.unwrap(), hash);
    assert!(net.rpc.get_block_height().await.unwrap() >= later);
    let clock = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
    let data = net.rpc.get_account(&clock).await.unwrap().data;
    let timestamp = i64::from_le_bytes(data[32..40].try_into().unwrap());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    assert!((now - 2..=now).contains(&timestamp), "{timestamp} is not {now}");
}

#[tokio::test]
async fn a_transaction_under_an_old_blockhash_is_refused() {
    let net = net_with(|config| config.slot_ms = 10).await;
    let from = net.wallet(2 * SOL).await;
    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    assert!(net.rpc.is_blockhash_valid(&hash, Default::default()).await.unwrap());
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    let to = Pubkey::new_unique();
    let in_time = signed(&[transfer(&from.pubkey(), &to, SOL / 2)], &from, hash);
    net.rpc.send_and_confirm_transaction(&in_time).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(!net.rpc.is_blockhash_valid(&hash, Default::default()).await.unwrap());

    let late = signed(&[transfer(&from.pubkey(), &to, SOL / 4)], &from, hash);
    for skip_preflight in [false, true] {
        let config = RpcSendTransactionConfig { skip_preflight, ..Default::default() };
        let error = net.rpc.send_transaction_with_config(&late, config).await.unwrap_err();
        assert!(error.to_string().contains("Blockhash not found"), "{error}");
    }
    let fee = net.call("getFeeForMessage", json!([base64(&late.message)])).await;
    assert_eq!(fee["result"]["value"], json!(null), "{fee}");
    assert_eq!(net.rpc.get_balance(&to).await.unwrap(), SOL / 2);
}

#[tokio::test]
async fn a_blockhash_from_before_a_quick_restart_is_still_good() {
    let net = net().await;
    let from = net.wallet(2 * SOL).await;
    let slot = net.rpc.get_slot().await.unwrap();
    let transaction = net.transfer(&from, &Pubkey::new_unique(), SOL).await;
    let genesis = net.rpc.get_genesis_hash().await.unwrap();
    net.handle.stop().await;

    let handle = open(net.folder.path(), |_| {}).await;
    let rpc = solana_rpc_client::nonblocking::rpc_client::RpcClient::new(handle.rpc_url());
    assert_eq!(rpc.get_genesis_hash().await.unwrap(), genesis);
    assert!(rpc.get_slot().await.unwrap() >= slot);
    rpc.send_and_confirm_transaction(&transaction).await.unwrap();
}

#[tokio::test]
async fn another_slot_length_continues_where_the_old_one_was() {
    let net = net_with(|config| config.slot_ms = 10).await;
    let before = loop {
        let slot = net.rpc.get_slot().await.unwrap();
        if slot > 40 {
            break slot;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    net.handle.stop().await;
    for slot_ms in [60_000, 400] {
        let handle = open(net.folder.path(), |config| config.slot_ms = slot_ms).await;
        let rpc = solana_rpc_client::nonblocking::rpc_client::RpcClient::new(handle.rpc_url());
        let after = rpc.get_slot().await.unwrap();
        assert!((before..before + 10_000).contains(&after), "{before} → {after}");
        handle.stop().await;
    }
}

fn base64(message: &solana_message::Message) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(message.serialize())
}
