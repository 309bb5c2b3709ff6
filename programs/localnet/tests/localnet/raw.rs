//! JSON-RPC as such: batches, notifications, and everything malformed.

use clawos_localnet::{Error, Localnet, LocalnetConfig};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::support::{SOL, net};

#[tokio::test]
async fn a_batch_is_answered_in_order_without_its_notifications() {
    let net = net().await;
    let batch = json!([
        { "jsonrpc": "2.0", "id": "a", "method": "getHealth" },
        { "jsonrpc": "2.0", "method": "getHealth" },
        { "jsonrpc": "2.0", "id": 7, "method": "getNothing" },
        17,
    ]);
    let answers: Vec<Value> = serde_json::from_str(&net.post(&batch.to_string()).await).unwrap();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0], json!({ "jsonrpc": "2.0", "id": "a", "result": "ok" }));
    assert_eq!((&answers[1]["id"], &answers[1]["error"]["code"]), (&json!(7), &json!(-32601)));
    assert_eq!((&answers[2]["id"], &answers[2]["error"]["code"]), (&json!(null), &json!(-32600)));
    assert_eq!(net.post(r#"{"jsonrpc":"2.0","method":"getHealth"}"#).await, "");
    let long = vec![json!({ "jsonrpc": "2.0", "id": 1, "method": "getHealth" }); 1_001];
    for batch in [json!(long), json!([])] {
        let answer: Value = serde_json::from_str(&net.post(&batch.to_string()).await).unwrap();
        assert_eq!(answer["error"]["code"], -32600);
    }
}

#[tokio::test]
async fn malformed_calls_get_the_right_code() {
    let net = net().await;
    for (body, code) in [
        ("{", -32700),
        ("\"text\"", -32600),
        (r#"{"id":1,"method":"getHealth"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getBlocker"}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getBalance","params":{"key":1}}"#, -32602),
    ] {
        let answer: Value = serde_json::from_str(&net.post(body).await).unwrap();
        assert_eq!(answer["error"]["code"], code, "{body}");
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let net = net().await;
    let key = Pubkey::new_unique().to_string();
    let many = vec![key.clone(); 300];
    for (method, params, names) in [
        ("getBalance", json!([]), "address"),
        ("getBalance", json!(["0OIl"]), "0OIl"),
        ("getBalance", json!([17]), "address"),
        ("getBalance", json!([key, {}, 3]), "at most 2"),
        ("getBalance", json!([key, { "commitment": "certain" }]), "certain"),
        ("getAccountInfo", json!([key, { "encoding": "base32" }]), "base32"),
        ("getAccountInfo", json!([key, { "minContextSlot": "1" }]), "config"),
        ("getProgramAccounts", json!([key, { "filters": [{ "memcmp": { "offset": 0, "bytes": "0" } }] }]), "base58"),
        ("getTransaction", json!(["abc"]), "abc"),
        ("getTransaction", json!(["1".repeat(64), { "commitment": "processed" }]), "below `confirmed`"),
        ("getSignatureStatuses", json!([many]), "max 256"),
        ("getSignaturesForAddress", json!([key, { "limit": 1001 }]), "max 1000"),
        ("getMinimumBalanceForRentExemption", json!([u64::MAX]), "at most"),
        ("isBlockhashValid", json!(["xyz!"]), "xyz!"),
        ("getFeeForMessage", json!(["AAAA"]), "message"),
        ("requestAirdrop", json!([key]), "lamports"),
        ("requestAirdrop", json!([key, -5]), "lamports"),
        ("requestUsdcAirdrop", json!([key, 1.5]), "base units"),
        ("requestUsdcAirdrop", json!([key, "1.5"]), "whole number"),
        ("getBlocksWithLimit", json!([0, 500_001]), "max 500000"),
        ("getBlock", json!([600, { "commitment": "processed" }]), "below `confirmed`"),
        ("getBlockCommitment", json!([]), "a slot"),
        (
            "getBlockProduction",
            json!([{ "range": { "firstSlot": 2, "lastSlot": 1 } }]),
            "cannot be less than firstSlot",
        ),
        ("getBlockProduction", json!([{ "range": { "firstSlot": 0, "lastSlot": u64::MAX } }]), "is too large"),
        ("getSlotLeaders", json!([600, 5_001]), "max 5000"),
        ("getRecentPerformanceSamples", json!([721]), "max 720"),
        ("getTokenSupply", json!([key]), "could not find mint"),
        ("advanceClock", json!([]), "seconds"),
        ("advanceClock", json!([-1]), "seconds"),
        ("advanceClock", json!([u64::MAX]), "at most 316224000 seconds more"),
        ("sendTransaction", json!(["!!"]), "base58"),
        ("sendTransaction", json!(["AAAA", { "encoding": "base64" }]), "VersionedTransaction"),
        ("sendTransaction", json!(["A".repeat(2000), { "encoding": "base64" }]), "too large"),
        ("sendTransaction", json!(["1".repeat(5000)]), "too large"),
        ("sendTransaction", json!(["AAAA", { "encoding": "json" }]), "unsupported encoding"),
        ("getHealth", json!([1]), "at most 0"),
    ] {
        let (code, message) = net.refusal(method, params.clone()).await;
        assert_eq!(code, -32602, "{method} {params}: {message}");
        assert!(message.contains(names), "{method} {params}: {message}");
    }
}

#[tokio::test]
async fn a_later_context_slot_is_not_reached() {
    let net = net().await;
    let key = net.handle.usdc_mint().to_string();
    let slot = net.rpc.get_slot().await.unwrap();
    let later = json!({ "minContextSlot": slot + 1_000 });
    for (method, params) in [
        ("getSlot", json!([later])),
        ("getBalance", json!([key, later])),
        ("getAccountInfo", json!([key, later])),
        ("getLatestBlockhash", json!([later])),
    ] {
        let answer = net.call(method, params).await;
        assert_eq!(answer["error"]["code"], -32016, "{method}");
        assert!(answer["error"]["data"]["contextSlot"].as_u64().unwrap() >= slot);
    }
    let reached = json!([key, { "minContextSlot": slot, "commitment": "processed" }]);
    assert!(net.call("getBalance", reached).await["result"]["context"]["slot"].as_u64().unwrap() >= slot);
}

#[tokio::test]
async fn http_that_is_no_call_is_refused() {
    let net = net().await;
    let client = reqwest::Client::new();
    let url = net.handle.rpc_url();
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
    assert_eq!(client.get(format!("{url}/else")).send().await.unwrap().status(), 404);
    assert_eq!(client.post(&url).body("{}").send().await.unwrap().status(), 415);
    let large = client.post(&url).header("content-type", "application/json").body(vec![b' '; 300 << 10]);
    assert_eq!(large.send().await.unwrap().status(), 413);
    let preflight = client.request(reqwest::Method::OPTIONS, &url).send().await.unwrap();
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn many_connections_at_once_are_all_answered() {
    let net = net().await;
    let wallets: Vec<Pubkey> = (0..200).map(|_| Pubkey::new_unique()).collect();
    let airdrops = wallets.iter().map(|wallet| net.call("requestAirdrop", json!([wallet.to_string(), SOL])));
    let answers = futures::future::join_all(airdrops).await;
    assert!(answers.iter().all(|answer| answer["result"].is_string()), "{answers:?}");
    for wallet in wallets {
        assert_eq!(net.rpc.get_balance(&wallet).await.unwrap(), SOL);
    }
    let faucet = net.rpc.get_balance(&net.handle.keys().faucet.pubkey()).await.unwrap();
    assert!(faucet > 400_000_000 * SOL);
}

#[tokio::test]
async fn settings_out_of_range_are_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let refused = |change: fn(&mut LocalnetConfig)| {
        let mut config = LocalnetConfig::new(folder.path());
        change(&mut config);
        match Localnet::open(config) {
            Err(Error::Config(message)) => message,
            other => panic!("{:?}", other.err()),
        }
    };
    assert!(refused(|config| config.bind = "0.0.0.0".parse().unwrap()).contains("loopback"));
    assert!(refused(|config| config.slot_ms = 1).contains("--slot-ms"));
    assert!(refused(|config| config.port = u16::MAX).contains("--port"));
    assert!(refused(|config| config.cluster.finalize_slots = 101).contains("--finalize-slots"));
    assert!(refused(|config| config.cluster.confirm_slots = 33).contains("--confirm-slots"));
    assert!(refused(|config| config.cluster.drop_percent = 91).contains("--drop-percent"));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was made");
}
