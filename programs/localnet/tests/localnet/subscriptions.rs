//! Websocket subscriptions through Solana's client, and by hand.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use solana_account_decoder::UiAccountEncoding;
use solana_keypair::Keypair;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcSendTransactionConfig, RpcSignatureSubscribeConfig};
use solana_rpc_client_api::response::{ReceivedSignatureResult, RpcSignatureResult};
use solana_signer::Signer;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{FEE, SOL, net, net_with};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_account_is_watched_until_unsubscribed() {
    let net = net().await;
    let client = PubsubClient::new(net.handle.websocket_url()).await.unwrap();
    let watched = Keypair::new();
    let config = RpcAccountInfoConfig { encoding: Some(UiAccountEncoding::Base64), ..Default::default() };
    let (mut changes, unsubscribe) = client.account_subscribe(&watched.pubkey(), Some(config)).await.unwrap();
    net.rpc.request_airdrop(&watched.pubkey(), SOL).await.unwrap();
    net.wallet(SOL).await;
    let drain = net.transfer(&watched, &net.handle.keys().treasury.pubkey(), SOL - FEE).await;
    net.rpc.send_transaction(&drain).await.unwrap();
    let first = timeout(SOON, changes.next()).await.unwrap().unwrap();
    assert_eq!(first.value.lamports, SOL);
    let closed = timeout(SOON, changes.next()).await.unwrap().unwrap();
    assert_eq!(closed.value.lamports, 0);
    assert!(closed.context.slot >= first.context.slot);

    unsubscribe().await;
    net.rpc.request_airdrop(&watched.pubkey(), SOL).await.unwrap();
    assert!(!matches!(timeout(Duration::from_millis(300), changes.next()).await, Ok(Some(_))));
}

#[tokio::test]
async fn a_signature_is_notified_once_whether_it_ran_before_or_after() {
    let net = net().await;
    let client = PubsubClient::new(net.handle.websocket_url()).await.unwrap();
    let from = net.wallet(SOL).await;
    let transaction = net.transfer(&from, &Keypair::new().pubkey(), 5 * SOL).await;
    let signature = transaction.signatures[0];
    let (mut before, _stop) = client.signature_subscribe(&signature, None).await.unwrap();
    let blind = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    net.rpc.send_transaction_with_config(&transaction, blind).await.unwrap();
    let config = RpcSignatureSubscribeConfig { enable_received_notification: Some(true), ..Default::default() };
    let (mut after, _stop) = client.signature_subscribe(&signature, Some(config)).await.unwrap();

    let received = timeout(SOON, after.next()).await.unwrap().unwrap().value;
    assert_eq!(received, RpcSignatureResult::ReceivedSignature(ReceivedSignatureResult::ReceivedSignature));
    for notifications in [&mut before, &mut after] {
        let notified = timeout(SOON, notifications.next()).await.unwrap().unwrap();
        let RpcSignatureResult::ProcessedSignature(result) = notified.value else { panic!("{notified:?}") };
        assert!(result.err.is_some(), "the transfer failed");
        assert!(!matches!(timeout(Duration::from_millis(200), notifications.next()).await, Ok(Some(_))));
    }
}

#[tokio::test]
async fn slots_are_told_as_they_pass() {
    let net = net_with(|config| config.slot_ms = 50).await;
    let client = PubsubClient::new(net.handle.websocket_url()).await.unwrap();
    // Read first: notifications that wait to be taken are of slots before the one that is asked for later.
    let mut last = net.rpc.get_slot().await.unwrap() - 1;
    let (mut slots, _stop) = client.slot_subscribe().await.unwrap();
    for _ in 0..5 {
        let slot = timeout(SOON, slots.next()).await.unwrap().unwrap();
        assert!(slot.slot > last, "{slot:?} after {last}");
        assert_eq!(slot.parent + 1, slot.slot);
        last = slot.slot;
    }
}

#[tokio::test]
async fn the_websocket_refuses_what_it_does_not_have() {
    let net = net().await;
    let (mut socket, _) = tokio_tungstenite::connect_async(net.handle.websocket_url()).await.unwrap();
    let key = net.handle.usdc_mint().to_string();
    let call = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": 4, "method": method, "params": params });
    for (body, code) in [
        (call("blockSubscribe", json!([])).to_string(), -32601),
        (call("getBalance", json!([key])).to_string(), -32601),
        (call("accountSubscribe", json!(["?"])).to_string(), -32602),
        (call("signatureSubscribe", json!([key])).to_string(), -32602),
        (call("accountUnsubscribe", json!([4711])).to_string(), -32602),
        ("[".to_owned(), -32700),
    ] {
        socket.send(Message::text(body.clone())).await.unwrap();
        let answer = timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
        let answer: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
        assert_eq!(answer["error"]["code"], code, "{body}");
    }
    // A notification (kit's keep-alive) gets no answer; the next answer belongs to the next call.
    socket.send(Message::text(r#"{"jsonrpc":"2.0","method":"ping"}"#)).await.unwrap();
    socket.send(Message::text(call("accountSubscribe", json!([key])).to_string())).await.unwrap();
    let answer = timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
    let answer: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
    let id = answer["result"].as_u64().expect("a subscription");
    // The id is an account's, so the other unsubscribe does not know it.
    for (method, accepted) in [("signatureUnsubscribe", false), ("accountUnsubscribe", true)] {
        socket.send(Message::text(call(method, json!([id])).to_string())).await.unwrap();
        let answer = timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
        let answer: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
        assert_eq!(answer["result"] == json!(true), accepted, "{method}: {answer}");
    }
}
