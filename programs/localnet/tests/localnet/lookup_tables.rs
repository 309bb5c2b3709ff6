//! Versioned transactions with an address lookup table, made on this chain.

use std::time::Duration;

use serde_json::json;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{AddressLookupTableAccount, VersionedMessage, v0};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{RpcTransactionConfig, UiTransactionEncoding};
use solana_signer::Signer;
use solana_transaction::versioned::{TransactionVersion, VersionedTransaction};

use crate::support::{Net, SOL, net_with, signed, transfer};

const LOOKUP_TABLES: Pubkey = Pubkey::from_str_const("AddressLookupTab1e1111111111111111111111111");

#[tokio::test]
async fn a_looked_up_account_is_paid_recorded_and_shown() {
    let net = net_with(|config| config.slot_ms = 50).await;
    let from = net.wallet(3 * SOL).await;
    let to = Pubkey::new_unique();
    let table = table(&net, &from, &[to]).await;

    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    let instructions = [transfer(&from.pubkey(), &to, SOL)];
    let message = v0::Message::try_compile(&from.pubkey(), &instructions, &[table], hash).unwrap();
    assert!(!message.account_keys.contains(&to), "the receiver is looked up");
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), &[&from]).unwrap();
    let signature = net.rpc.send_and_confirm_transaction(&transaction).await.unwrap();
    assert_eq!(net.rpc.get_balance(&to).await.unwrap(), SOL);
    assert_eq!(net.rpc.get_signatures_for_address(&to).await.unwrap().len(), 1);

    let (code, _) = net.refusal("getTransaction", json!([signature.to_string()])).await;
    assert_eq!(code, -32015, "an old client must not be surprised by a new version");
    let config = RpcTransactionConfig {
        encoding: Some(UiTransactionEncoding::JsonParsed),
        max_supported_transaction_version: Some(0),
        ..Default::default()
    };
    let json = json!([signature.to_string(), { "maxSupportedTransactionVersion": 0 }]);
    let loaded = net.call("getTransaction", json).await["result"]["meta"]["loadedAddresses"].clone();
    assert_eq!(loaded, json!({ "writable": [to.to_string()], "readonly": [] }));
    let found = net.rpc.get_transaction_with_config(&signature, config).await.unwrap();
    assert_eq!(found.transaction.version, Some(TransactionVersion::Number(0)));
    let shown = serde_json::to_value(&found.transaction).unwrap();
    let instruction = &shown["transaction"]["message"]["instructions"][0];
    assert_eq!(instruction["parsed"]["info"]["destination"], to.to_string());
    let keys = shown["transaction"]["message"]["accountKeys"].as_array().unwrap();
    let receiver = keys.iter().find(|key| key["pubkey"] == to.to_string()).unwrap();
    assert_eq!((&receiver["source"], &receiver["writable"]), (&json!("lookupTable"), &json!(true)));
}

#[tokio::test]
async fn a_transaction_with_a_table_that_is_not_there_is_malformed() {
    let net = net_with(|config| config.slot_ms = 50).await;
    let from = net.wallet(SOL).await;
    let to = Pubkey::new_unique();
    let table = AddressLookupTableAccount { key: Pubkey::new_unique(), addresses: vec![to] };
    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    let message = v0::Message::try_compile(&from.pubkey(), &[transfer(&from.pubkey(), &to, 1)], &[table], hash);
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message.unwrap()), &[&from]).unwrap();
    let error = net.rpc.send_transaction(&transaction).await.unwrap_err().to_string();
    assert!(error.contains("-32602") && error.contains("invalid transaction"), "{error}");
}

/// A table holding `addresses`, ready for use.
async fn table(net: &Net, payer: &Keypair, addresses: &[Pubkey]) -> AddressLookupTableAccount {
    // The recent slot must be a past one.
    let slot = net.rpc.get_slot().await.unwrap() - 1;
    let seeds = [payer.pubkey().as_ref().to_vec(), slot.to_le_bytes().to_vec()];
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let (key, bump) = Pubkey::find_program_address(&seeds, &LOOKUP_TABLES);
    let create = [&0_u32.to_le_bytes()[..], &slot.to_le_bytes(), &[bump]].concat();
    let mut extend = [&2_u32.to_le_bytes()[..], &(addresses.len() as u64).to_le_bytes()].concat();
    for address in addresses {
        extend.extend_from_slice(address.as_ref());
    }
    let instruction = |data| Instruction {
        program_id: LOOKUP_TABLES,
        accounts: vec![
            AccountMeta::new(key, false),
            AccountMeta::new_readonly(payer.pubkey(), true),
            AccountMeta::new(payer.pubkey(), true),
            AccountMeta::new_readonly(Pubkey::default(), false),
        ],
        data,
    };
    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    let both = signed(&[instruction(create), instruction(extend)], payer, hash);
    net.rpc.send_and_confirm_transaction(&both).await.unwrap();
    // New entries can be used from the next slot on.
    tokio::time::sleep(Duration::from_millis(120)).await;
    AddressLookupTableAccount { key, addresses: addresses.to_vec() }
}
