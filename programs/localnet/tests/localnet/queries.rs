//! Reading accounts, programs and tokens.

use serde_json::{Value, json};
use solana_account_decoder::{UiAccount, UiAccountEncoding, UiDataSliceConfig};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_rpc_client_api::request::TokenAccountsFilter;
use solana_signer::Signer;

use crate::support::{Net, SOL, net, signed};

const TOKEN: Pubkey = Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// Gives `amount` USDC; the owner's token account.
async fn usdc(net: &Net, owner: &Pubkey, amount: u64) -> Pubkey {
    let answer = net.call("requestUsdcAirdrop", json!([owner.to_string(), amount])).await;
    let signature = answer["result"].as_str().unwrap().parse().unwrap();
    assert!(net.rpc.confirm_transaction(&signature).await.unwrap());
    let mint = net.handle.usdc_mint().to_bytes();
    Pubkey::from(clawos_interface::pda::ata(&owner.to_bytes(), &mint).0)
}

#[tokio::test]
async fn usdc_is_a_token_of_six_decimals() {
    let net = net().await;
    let owner = Pubkey::new_unique();
    let account = usdc(&net, &owner, 1_500_000).await;
    assert_eq!(usdc(&net, &owner, 1).await, account);
    let balance = net.rpc.get_token_account_balance(&account).await.unwrap();
    assert_eq!((balance.amount.as_str(), balance.decimals), ("1500001", 6));
    assert_eq!(balance.ui_amount_string, "1.500001");

    for filter in [TokenAccountsFilter::Mint(net.handle.usdc_mint()), TokenAccountsFilter::ProgramId(TOKEN)] {
        let found = net.rpc.get_token_accounts_by_owner(&owner, filter).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].pubkey, account.to_string());
        let shown = serde_json::to_value(&found[0].account.data).unwrap();
        assert_eq!(shown["parsed"]["info"]["tokenAmount"]["amount"], "1500001");
    }
    let supply = net.rpc.get_token_supply(&net.handle.usdc_mint()).await.unwrap();
    assert_eq!((supply.amount.as_str(), supply.decimals), ("1500001", 6));
    let largest = net.rpc.get_token_largest_accounts(&net.handle.usdc_mint()).await.unwrap();
    assert_eq!(largest.len(), 2, "the treasury's is empty");
    assert_eq!((&largest[0].address, largest[0].amount.amount.as_str()), (&account.to_string(), "1500001"));
    let (code, message) = net.refusal("getTokenAccountBalance", json!([net.handle.usdc_mint().to_string()])).await;
    assert_eq!((code, message.as_str()), (-32602, "Invalid param: not a Token account"));
    let filter = json!({ "mint": owner.to_string() });
    let (code, _) = net.refusal("getTokenAccountsByOwner", json!([owner.to_string(), filter])).await;
    assert_eq!(code, -32602);
}

#[tokio::test]
async fn usdc_may_be_asked_for_in_digits() {
    let net = net().await;
    let owner = Pubkey::new_unique();
    let answer = net.call("requestUsdcAirdrop", json!([owner.to_string(), "12345678901"])).await;
    assert!(answer["result"].is_string(), "{answer}");
    let account = usdc(&net, &owner, 1).await;
    assert_eq!(net.rpc.get_token_account_balance(&account).await.unwrap().amount, "12345678902");
}

#[tokio::test]
async fn a_delegate_finds_what_he_may_spend() {
    let net = net().await;
    let (owner, delegate) = (net.wallet(SOL).await, Pubkey::new_unique());
    let account = usdc(&net, &owner.pubkey(), 10).await;
    let mint = net.handle.usdc_mint();
    let mine = async || {
        let filter = TokenAccountsFilter::Mint(mint);
        net.rpc.get_token_accounts_by_delegate(&delegate, filter).await.unwrap()
    };
    assert!(mine().await.is_empty());
    let approve = Instruction {
        program_id: TOKEN,
        accounts: vec![
            AccountMeta::new(account, false),
            AccountMeta::new_readonly(delegate, false),
            AccountMeta::new_readonly(owner.pubkey(), true),
        ],
        data: [&[4][..], &3_u64.to_le_bytes()].concat(),
    };
    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    let signature = net.rpc.send_and_confirm_transaction(&signed(&[approve], &owner, hash)).await.unwrap();
    let found = mine().await;
    assert_eq!((found.len(), found[0].pubkey.as_str()), (1, account.to_string().as_str()));
    let answer = net.call("getTransaction", json!([signature.to_string(), { "encoding": "jsonParsed" }])).await;
    let instruction = &answer["result"]["transaction"]["message"]["instructions"][0];
    assert_eq!((&instruction["program"], &instruction["parsed"]["type"]), (&json!("spl-token"), &json!("approve")));
    assert_eq!(instruction["parsed"]["info"]["delegate"], delegate.to_string());
}

#[tokio::test]
async fn a_token_transaction_shows_its_balances() {
    let net = net().await;
    let owner = Pubkey::new_unique();
    usdc(&net, &owner, 5).await;
    let account = usdc(&net, &owner, 7).await;
    let signature = net.rpc.get_signatures_for_address(&account).await.unwrap()[0].signature.clone();
    let answer = net.call("getTransaction", json!([signature, { "encoding": "jsonParsed" }])).await;
    let meta = &answer["result"]["meta"];
    let amount = |when: &str| meta[when][0]["uiTokenAmount"]["amount"].clone();
    assert_eq!((amount("preTokenBalances"), amount("postTokenBalances")), (json!("5"), json!("12")));
    assert_eq!(meta["postTokenBalances"][0]["owner"], owner.to_string());
    assert!(meta["logMessages"].as_array().unwrap().len() > 4);
    let parsed = |instruction: &Value| (instruction["program"].clone(), instruction["parsed"]["type"].clone());
    let outer = &answer["result"]["transaction"]["message"]["instructions"];
    assert_eq!(parsed(&outer[0]), (json!("spl-associated-token-account"), json!("createIdempotent")));
    assert_eq!(parsed(&outer[1]), (json!("spl-token"), json!("mintTo")));
    // The account's own creation, by the first of the two airdrops, happened inside of that instruction.
    let first = net.rpc.get_signatures_for_address(&account).await.unwrap()[1].signature.clone();
    let answer = net.call("getTransaction", json!([first, { "encoding": "jsonParsed" }])).await;
    let inner = answer["result"]["meta"]["innerInstructions"][0]["instructions"].as_array().unwrap();
    assert!(inner.iter().any(|inner| parsed(inner) == (json!("system"), json!("createAccount"))), "{answer:#}");
}

#[tokio::test]
async fn program_accounts_are_filtered_and_sliced() {
    let net = net().await;
    let owners: Vec<Pubkey> = (0..3).map(|_| Keypair::new().pubkey()).collect();
    let mut accounts = Vec::new();
    for (owner, amount) in owners.iter().zip(1..) {
        accounts.push(usdc(&net, owner, amount).await);
    }
    let query = |filters: Vec<RpcFilterType>, slice| RpcProgramAccountsConfig {
        filters: Some(filters),
        account_config: RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            data_slice: slice,
            ..Default::default()
        },
        ..Default::default()
    };
    let mint = RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, net.handle.usdc_mint().as_ref()));
    let all = [RpcFilterType::DataSize(165), mint.clone()].to_vec();
    let found = net.rpc.get_program_ui_accounts_with_config(&TOKEN, query(all, None)).await.unwrap();
    // The treasury has one from the start.
    assert_eq!(found.len(), 4);
    assert!(accounts.iter().all(|account| found.iter().any(|(key, _)| key == account)));

    let owner = RpcFilterType::Memcmp(Memcmp::new_base58_encoded(32, owners[1].as_ref()));
    let amount = UiDataSliceConfig { offset: 64, length: 8 };
    let found =
        net.rpc.get_program_ui_accounts_with_config(&TOKEN, query(vec![mint, owner], Some(amount))).await.unwrap();
    assert_eq!(found.len(), 1);
    let data = found[0].1.data.decode().unwrap();
    assert_eq!((found[0].0, data), (accounts[1], 2_u64.to_le_bytes().to_vec()));
    let none = query(vec![RpcFilterType::DataSize(1)], None);
    assert!(net.rpc.get_program_ui_accounts_with_config(&TOKEN, none).await.unwrap().is_empty());

    let answer =
        net.call("getProgramAccounts", json!([TOKEN.to_string(), { "withContext": true, "encoding": "base64" }])).await;
    assert!(answer["result"]["context"]["slot"].is_u64());
    let five = json!({ "filters": vec![json!({ "dataSize": 1 }); 5] });
    assert_eq!(net.refusal("getProgramAccounts", json!([TOKEN.to_string(), five])).await.0, -32602);
}

#[tokio::test]
async fn accounts_come_in_every_encoding() {
    let net = net().await;
    let mint = net.handle.usdc_mint();
    let missing = Pubkey::new_unique();
    let expected = net.rpc.get_account(&mint).await.unwrap();
    assert_eq!((expected.owner, expected.data.len()), (TOKEN, 82));
    for encoding in ["base58", "base64", "base64+zstd"] {
        let answer = net.call("getAccountInfo", json!([mint.to_string(), { "encoding": encoding }])).await;
        let account: UiAccount = serde_json::from_value(answer["result"]["value"].clone()).unwrap();
        assert_eq!(account.to_account().unwrap(), expected, "{encoding}");
    }
    let parsed = json!([mint.to_string(), { "encoding": "jsonParsed" }]);
    let answer = net.call("getAccountInfo", parsed).await;
    assert_eq!(answer["result"]["value"]["data"]["parsed"]["info"]["decimals"], 6);
    // An unknown program's account comes back in base64, as on a validator.
    let config = Pubkey::from(clawos_interface::pda::config().0).to_string();
    let answer = net.call("getAccountInfo", json!([config, { "encoding": "jsonParsed" }])).await;
    assert_eq!(answer["result"]["value"]["data"][1], "base64");
    let (code, message) = net.refusal("getAccountInfo", json!([config, { "encoding": "base58" }])).await;
    assert_eq!(code, -32600);
    assert!(message.contains("base 58"), "{message}");

    let found = net.rpc.get_multiple_accounts(&[mint, missing]).await.unwrap();
    assert_eq!(found, [Some(expected), None]);
    let answer = net.call("getAccountInfo", json!([missing.to_string()])).await;
    assert_eq!(answer["result"]["value"], Value::Null);
    let many = vec![missing.to_string(); 101];
    assert_eq!(net.refusal("getMultipleAccounts", json!([many])).await.0, -32602);
}

#[tokio::test]
async fn the_chain_describes_itself() {
    let net = net().await;
    assert!(net.rpc.get_health().await.is_ok());
    let version = net.rpc.get_version().await.unwrap();
    assert_eq!(version.solana_core, "4.2.2");
    assert!(version.feature_set.is_some_and(|set| set > 0));
    assert_eq!(net.rpc.get_genesis_hash().await.unwrap(), net.handle.genesis_hash());
    assert_eq!(net.rpc.get_minimum_balance_for_rent_exemption(0).await.unwrap(), 890_880);
    assert_eq!(net.rpc.get_minimum_balance_for_rent_exemption(165).await.unwrap(), 2_039_280);
    let epoch = net.rpc.get_epoch_info().await.unwrap();
    assert_eq!(epoch.absolute_slot, epoch.block_height);
    assert_eq!(epoch.transaction_count, Some(2), "genesis made two");
    let fees = net.rpc.get_recent_prioritization_fees(&[net.handle.usdc_mint()]).await.unwrap();
    assert!(!fees.is_empty() && fees.len() <= 150);
    let health = reqwest::get(format!("{}/health", net.handle.rpc_url())).await.unwrap();
    assert_eq!(health.text().await.unwrap(), "ok");
    let airdrop = net.rpc.request_airdrop(&Pubkey::new_unique(), SOL).await.unwrap();
    assert!(net.rpc.confirm_transaction(&airdrop).await.unwrap());
}
