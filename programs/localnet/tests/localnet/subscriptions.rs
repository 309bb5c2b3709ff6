//! Websocket subscriptions through Solana's client, and by hand.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use solana_account_decoder::UiAccountEncoding;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig, RpcSignatureSubscribeConfig,
    RpcTransactionLogsConfig, RpcTransactionLogsFilter,
};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
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
async fn logs_are_told_of_all_or_of_who_is_mentioned() {
    let net = net().await;
    let client = PubsubClient::new(net.handle.websocket_url()).await.unwrap();
    let [from, other] = [net.wallet(2 * SOL).await, net.wallet(SOL).await];
    let config = RpcTransactionLogsConfig { commitment: None };
    let mentions = RpcTransactionLogsFilter::Mentions(vec![from.pubkey().to_string()]);
    let (mut mine, stop) = client.logs_subscribe(mentions, config.clone()).await.unwrap();
    let (mut all, _stop) = client.logs_subscribe(RpcTransactionLogsFilter::All, config).await.unwrap();
    let foreign = net.transfer(&other, &Keypair::new().pubkey(), SOL / 2).await;
    let failing = net.transfer(&from, &Keypair::new().pubkey(), 5 * SOL).await;
    let blind = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    for transaction in [&foreign, &failing] {
        net.rpc.send_transaction_with_config(transaction, blind).await.unwrap();
    }
    let told = timeout(SOON, mine.next()).await.unwrap().unwrap().value;
    assert_eq!(told.signature, failing.signatures[0].to_string(), "the other's transfer does not mention it");
    assert!(told.err.is_some() && told.logs.iter().any(|line| line.contains("insufficient lamports")), "{told:?}");
    for expected in [&foreign, &failing] {
        let told = timeout(SOON, all.next()).await.unwrap().unwrap().value;
        assert_eq!(told.signature, expected.signatures[0].to_string());
    }
    stop().await;
    net.rpc.request_airdrop(&from.pubkey(), SOL).await.unwrap();
    timeout(SOON, all.next()).await.unwrap().unwrap();
    assert!(timeout(SOON, mine.next()).await.unwrap().is_none(), "who unsubscribed hears nothing more");
}

#[tokio::test]
async fn a_program_s_accounts_are_told_when_the_filters_let_them_pass() {
    let net = net().await;
    let client = PubsubClient::new(net.handle.websocket_url()).await.unwrap();
    let [alice, bob] = [Keypair::new().pubkey(), Keypair::new().pubkey()];
    let token = Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
    let owner = RpcFilterType::Memcmp(Memcmp::new_base58_encoded(32, bob.as_ref()));
    let config = |encoding, filters| RpcProgramAccountsConfig {
        filters: Some(filters),
        account_config: RpcAccountInfoConfig { encoding: Some(encoding), ..Default::default() },
        ..Default::default()
    };
    let bobs = config(UiAccountEncoding::JsonParsed, vec![RpcFilterType::DataSize(165), owner]);
    let (mut bobs, _stop) = client.program_subscribe(&token, Some(bobs)).await.unwrap();
    let mints = config(UiAccountEncoding::Base64, vec![RpcFilterType::DataSize(82)]);
    let (mut mints, _stop) = client.program_subscribe(&token, Some(mints)).await.unwrap();
    for (owner, amount) in [(alice, 5), (bob, 7)] {
        let answer = net.call("requestUsdcAirdrop", json!([owner.to_string(), amount])).await;
        assert!(answer["result"].is_string(), "{answer}");
    }
    let told = timeout(SOON, bobs.next()).await.unwrap().unwrap().value;
    let account = Pubkey::from(clawos_interface::pda::ata(&bob.to_bytes(), &net.handle.usdc_mint().to_bytes()).0);
    assert_eq!(told.pubkey, account.to_string());
    let shown = serde_json::to_value(&told.account.data).unwrap();
    assert_eq!(shown["parsed"]["info"]["tokenAmount"]["amount"], "7");
    for _ in [alice, bob] {
        let told = timeout(SOON, mints.next()).await.unwrap().unwrap().value;
        assert_eq!(told.pubkey, net.handle.usdc_mint().to_string(), "the supply grew");
    }
}

#[tokio::test]
async fn roots_are_told_as_they_pass() {
    let net = net_with(|config| config.slot_ms = 50).await;
    let client = PubsubClient::new(net.handle.websocket_url()).await.unwrap();
    let (mut roots, _stop) = client.root_subscribe().await.unwrap();
    let mut last = 0;
    for _ in 0..5 {
        let root = timeout(SOON, roots.next()).await.unwrap().unwrap();
        assert!(root > last, "{root} after {last}");
        last = root;
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
        (call("logsSubscribe", json!([{ "mentions": [key, key] }])).to_string(), -32602),
        (call("logsSubscribe", json!(["some"])).to_string(), -32602),
        (call("programSubscribe", json!([key, { "filters": vec![json!({ "dataSize": 1 }); 5] }])).to_string(), -32602),
        (call("rootSubscribe", json!([1])).to_string(), -32602),
        (call("voteUnsubscribe", json!([1])).to_string(), -32601),
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
