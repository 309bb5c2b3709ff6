//! Blocks, and what the chain says of itself and its network.

use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{RpcBlockConfig, TransactionDetails, UiTransactionEncoding};
use solana_signer::Signer;
use solana_transaction_status_client_types::EncodedTransaction;

use crate::support::{FEE, SOL, net, net_with};

#[tokio::test]
async fn a_block_holds_the_transactions_of_its_slot() {
    let net = net_with(|config| config.slot_ms = 50).await;
    let from = net.wallet(2 * SOL).await;
    let transaction = net.transfer(&from, &Pubkey::new_unique(), SOL).await;
    let signature = net.rpc.send_and_confirm_transaction(&transaction).await.unwrap();
    let slot = net.rpc.get_signature_statuses(&[signature]).await.unwrap().value[0].as_ref().unwrap().slot;

    let block = net.rpc.get_block(slot).await.unwrap();
    assert_eq!((block.parent_slot, block.block_height), (slot - 1, Some(slot)));
    let ours = |found: &EncodedTransaction| found.decode().is_some_and(|found| found.signatures[0] == signature);
    let json = net.call("getBlock", json!([slot, { "encoding": "json", "rewards": false }])).await;
    let listed = json["result"]["transactions"].as_array().unwrap();
    let found = listed.iter().find(|found| found["transaction"]["signatures"][0] == signature.to_string()).unwrap();
    assert_eq!(found["meta"]["fee"], FEE);
    let base64 = RpcBlockConfig { encoding: Some(UiTransactionEncoding::Base64), ..Default::default() };
    let block = net.rpc.get_block_with_config(slot, base64).await.unwrap();
    assert!(block.transactions.unwrap().iter().any(|found| ours(&found.transaction)));
    let names = RpcBlockConfig { transaction_details: Some(TransactionDetails::Signatures), ..Default::default() };
    let block = net.rpc.get_block_with_config(slot, names).await.unwrap();
    assert!(block.signatures.unwrap().contains(&signature.to_string()));
    let details = json!([slot, { "transactionDetails": "accounts" }]);
    let accounts = net.call("getBlock", details).await["result"]["transactions"].clone();
    assert!(accounts.to_string().contains(&from.pubkey().to_string()));

    // Each block follows the one before it, and is known by the blockhash that was handed out in its slot.
    while net.rpc.get_slot().await.unwrap() <= slot {
        tokio::task::yield_now().await;
    }
    let next = net.call("getBlock", json!([slot + 1, { "transactionDetails": "none" }])).await;
    assert_eq!(next["result"]["previousBlockhash"], json["result"]["blockhash"]);
    assert_eq!(net.rpc.get_block_time(slot).await.unwrap(), block.block_time.unwrap());
    let now = net.rpc.get_slot().await.unwrap();
    assert_eq!(net.refusal("getBlock", json!([now + 1_000])).await.0, -32004);
    assert_eq!(net.refusal("getBlock", json!([3])).await.0, -32001);
}

#[tokio::test]
async fn blocks_are_listed_from_the_first_that_is_kept() {
    let net = net().await;
    let first = net.rpc.get_first_available_block().await.unwrap();
    assert_eq!(net.rpc.minimum_ledger_slot().await.unwrap(), first);
    let listed = net.rpc.get_blocks(0, None).await.unwrap();
    assert_eq!(listed[0], first);
    assert!(listed.is_sorted() && *listed.last().unwrap() <= net.rpc.get_slot().await.unwrap());
    assert_eq!(net.rpc.get_blocks(first, Some(first)).await.unwrap(), [first]);
    assert_eq!(net.rpc.get_blocks_with_limit(0, 1).await.unwrap(), [first]);
    assert!(net.rpc.get_blocks(first + 1_000_000, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn money_and_transactions_are_counted() {
    let net = net().await;
    let before = net.rpc.get_transaction_count().await.unwrap();
    let supply = net.rpc.supply().await.unwrap().value;
    net.wallet(SOL).await;
    assert_eq!(net.rpc.get_transaction_count().await.unwrap(), before + 1);
    let after = net.rpc.supply().await.unwrap().value;
    assert_eq!(after.total, supply.total - FEE, "an airdrop moves money, and its fee is burnt");
    let largest = net.rpc.get_largest_accounts_with_config(Default::default()).await.unwrap().value;
    assert_eq!(largest[0].address, net.handle.keys().faucet.pubkey().to_string());
    assert!(largest.len() <= 20 && largest.is_sorted_by(|a, b| a.lamports >= b.lamports));
    assert!(net.rpc.get_recent_performance_samples(None).await.unwrap().is_empty(), "no minute has passed");
}

#[tokio::test]
async fn one_node_leads_every_slot_without_votes_or_inflation() {
    let net = net().await;
    let identity = net.rpc.get_identity().await.unwrap();
    let slot = net.rpc.get_slot().await.unwrap();
    assert_eq!(net.rpc.get_slot_leaders(slot, 3).await.unwrap(), [identity; 3]);
    assert_eq!(net.call("getSlotLeader", json!([])).await["result"], identity.to_string());
    let epoch = net.rpc.get_epoch_info().await.unwrap();
    let schedule = net.rpc.get_leader_schedule(None).await.unwrap().unwrap();
    assert_eq!(schedule[&identity.to_string()].len() as u64, epoch.slots_in_epoch);
    let far = net.call("getLeaderSchedule", json!([slot + 100_000_000])).await;
    assert_eq!(far["result"], Value::Null);
    assert_eq!(net.rpc.get_epoch_schedule().await.unwrap().get_epoch(slot), epoch.epoch);
    let nodes = net.rpc.get_cluster_nodes().await.unwrap();
    assert_eq!((nodes.len(), nodes[0].pubkey.as_str()), (1, identity.to_string().as_str()));
    let production = net.rpc.get_block_production().await.unwrap().value;
    let (first, last) = (production.range.first_slot, production.range.last_slot);
    assert!(first <= slot && last >= slot);
    let slots = (last - first + 1) as usize;
    assert_eq!(production.by_identity, [(identity.to_string(), (slots, slots))].into());
    let two =
        json!([{ "range": { "firstSlot": slot - 1, "lastSlot": slot }, "identity": Pubkey::new_unique().to_string() }]);
    assert_eq!(
        net.call("getBlockProduction", two).await["result"]["value"]["byIdentity"],
        json!({}),
        "of another node"
    );
    let commitment = net.rpc.get_block_commitment(slot).await.unwrap();
    assert_eq!((commitment.commitment, commitment.total_stake), (None, 0));
    let votes = net.rpc.get_vote_accounts().await.unwrap();
    assert!(votes.current.is_empty() && votes.delinquent.is_empty());
    assert_eq!(net.rpc.get_inflation_rate().await.unwrap().total, 0.0);
    assert_eq!(net.rpc.get_inflation_governor().await.unwrap().initial, 0.0);
    assert_eq!(net.rpc.get_inflation_reward(&[identity], None).await.unwrap(), [None]);
}
