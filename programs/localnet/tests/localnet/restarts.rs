//! Orderly restarts: what is kept, what is upgraded, what is refused.

use std::path::Path;
use std::process::Command;

use clawos_interface::accounts::Config;
use clawos_localnet::{Error, Localnet, LocalnetConfig, PROGRAM_ID};
use serde_json::json;
use solana_loader_v3_interface::get_program_data_address;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::UiTransactionEncoding;
use solana_signer::Signer;

use crate::support::{Process, SOL, command, net, net_with, open};

#[tokio::test]
async fn a_restart_keeps_accounts_history_and_identity() {
    let net = net().await;
    let from = net.wallet(3 * SOL).await;
    let to = Pubkey::new_unique();
    let transaction = net.transfer(&from, &to, SOL).await;
    let signature = net.rpc.send_and_confirm_transaction(&transaction).await.unwrap();
    let shown = net.rpc.get_transaction(&signature, UiTransactionEncoding::Base64).await.unwrap();
    let history = net.rpc.get_signatures_for_address(&from.pubkey()).await.unwrap();
    let (genesis, mint) = (net.handle.genesis_hash(), net.handle.usdc_mint());
    let (meter, slot) = (net.handle.keys().meter.pubkey(), net.rpc.get_slot().await.unwrap());
    net.handle.stop().await;

    let handle = open(net.folder.path(), |_| {}).await;
    let rpc = RpcClient::new(handle.rpc_url());
    assert_eq!((handle.genesis_hash(), handle.usdc_mint(), handle.keys().meter.pubkey()), (genesis, mint, meter));
    assert!(rpc.get_slot().await.unwrap() >= slot);
    assert_eq!(rpc.get_balance(&to).await.unwrap(), SOL);
    assert_eq!(rpc.get_transaction(&signature, UiTransactionEncoding::Base64).await.unwrap(), shown);
    assert_eq!(rpc.get_signatures_for_address(&from.pubkey()).await.unwrap(), history);
    // Its blockhash is still good, so only the history stands between this and paying twice.
    let again = rpc.send_transaction(&transaction).await.unwrap_err();
    assert!(again.to_string().contains("already been processed"), "{again}");
}

#[tokio::test]
async fn a_clock_that_was_advanced_stays_ahead() {
    const YEAR: i64 = 365 * 86_400;
    let net = net().await;
    let hash = net.rpc.get_latest_blockhash().await.unwrap();
    let before = unix_time(&net.rpc).await;
    let answered = net.call("advanceClock", json!([YEAR])).await["result"].as_i64().unwrap();
    assert!((before + YEAR..before + YEAR + 60).contains(&answered), "{before} {answered}");
    assert!(unix_time(&net.rpc).await >= answered);
    let valid = net.call("isBlockhashValid", json!([hash.to_string()])).await;
    assert_eq!(valid["result"]["value"], true, "slots do not jump");
    let wallet = net.wallet(SOL).await;
    net.handle.stop().await;

    let handle = open(net.folder.path(), |_| {}).await;
    let rpc = RpcClient::new(handle.rpc_url());
    assert!(unix_time(&rpc).await >= answered);
    assert_eq!(rpc.get_balance(&wallet.pubkey()).await.unwrap(), SOL);
}

#[tokio::test]
async fn blocks_keep_their_times_when_the_clock_is_advanced() {
    const YEAR: i64 = 365 * 86_400;
    let net = net_with(|config| config.slot_ms = 50).await;
    let next_slot = async |rpc: &RpcClient| {
        let slot = rpc.get_slot().await.unwrap();
        while rpc.get_slot().await.unwrap() <= slot {
            tokio::task::yield_now().await;
        }
        slot
    };
    let early = next_slot(&net.rpc).await;
    let then = net.rpc.get_block_time(early).await.unwrap();
    let first = net.call("advanceClock", json!([YEAR])).await["result"].as_i64().unwrap();
    next_slot(&net.rpc).await;
    let between = next_slot(&net.rpc).await;
    let second = net.call("advanceClock", json!([YEAR])).await["result"].as_i64().unwrap();
    next_slot(&net.rpc).await;
    let late = next_slot(&net.rpc).await;
    let times = async |rpc: &RpcClient| {
        let mut times = Vec::new();
        for slot in [early, between, late] {
            times.push(rpc.get_block_time(slot).await.unwrap());
        }
        times
    };
    let told = times(&net.rpc).await;
    assert_eq!(told[0], then);
    assert!(
        (first..first + 60).contains(&told[1]) && (second..second + 60).contains(&told[2]),
        "{first} {second} {told:?}"
    );
    net.handle.stop().await;
    let handle = open(net.folder.path(), |config| config.slot_ms = 100).await;
    assert_eq!(times(&RpcClient::new(handle.rpc_url())).await, told, "also after a restart at another speed");
}

/// The chain's time, seconds since 1970.
async fn unix_time(rpc: &RpcClient) -> i64 {
    let clock = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
    let data = rpc.get_account(&clock).await.unwrap().data;
    i64::from_le_bytes(data[32..40].try_into().unwrap())
}

#[tokio::test]
async fn another_program_is_put_in_place_and_its_accounts_stay() {
    let net = net().await;
    let (config, _) = clawos_interface::pda::config();
    let config = Pubkey::from(config);
    let before = net.rpc.get_account(&config).await.unwrap();
    let data_address = get_program_data_address(&PROGRAM_ID);
    let first = net.rpc.get_account(&data_address).await.unwrap().data;
    let authority = net.handle.keys().upgrade_authority.pubkey();
    assert_eq!(&first[13..45], authority.as_ref(), "ProgramData names the upgrade authority");
    net.handle.stop().await;

    // Bytes after the ELF change nothing but the comparison.
    let file = net.folder.path().join("other.so");
    std::fs::write(&file, [&first[45..], &[0; 8]].concat()).unwrap();
    let handle = open(net.folder.path(), |settings| settings.program = Some(file)).await;
    let rpc = RpcClient::new(handle.rpc_url());
    let second = rpc.get_account(&data_address).await.unwrap().data;
    assert_eq!(second.len(), first.len() + 8);
    assert_eq!(&second[13..45], authority.as_ref());
    assert_eq!(rpc.get_account(&config).await.unwrap(), before);
    assert!(Config::decode(&before.data).is_ok());
    handle.stop().await;

    let handle = open(net.folder.path(), |_| {}).await;
    let third = RpcClient::new(handle.rpc_url()).get_account(&data_address).await.unwrap().data;
    assert_eq!(third[45..], first[45..], "the built-in one is back");
    handle.stop().await;

    let rubbish = net.folder.path().join("rubbish.so");
    std::fs::write(&rubbish, b"not a program").unwrap();
    let settings = LocalnetConfig { program: Some(rubbish), ..LocalnetConfig::new(net.folder.path()) };
    assert!(matches!(Localnet::open(settings), Err(Error::Program(_))));
    // A program that does not load must not have replaced the one that does.
    let handle = open(net.folder.path(), |_| {}).await;
    let fourth = RpcClient::new(handle.rpc_url()).get_account(&data_address).await.unwrap().data;
    assert_eq!(fourth[45..], first[45..]);
}

#[tokio::test]
async fn a_folder_serves_one_process_and_is_free_afterwards() {
    let folder = tempfile::TempDir::new().unwrap();
    let first = Process::start(folder.path());
    let second = command(folder.path()).output().unwrap();
    assert!(!second.status.success());
    let message = String::from_utf8_lossy(&second.stderr);
    assert!(message.contains("in use by another localnet (process ") && message.contains("--data"), "{message}");
    let in_process = Localnet::open(LocalnetConfig::new(folder.path()));
    assert!(matches!(in_process, Err(Error::Locked { .. })));
    assert!(first.line.starts_with("localnet ready: http://127.0.0.1:"), "{}", first.line);
    assert!(first.line.contains(&format!(" program {PROGRAM_ID} usdc ")), "{}", first.line);
    assert!(first.terminate().success(), "SIGTERM is an orderly end");
    Process::start(folder.path());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let net = net().await;
    let port = net.handle.rpc_url().rsplit(':').next().unwrap().to_owned();
    let other = tempfile::TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_clawos-localnet"));
    let output = command.arg("--data").arg(other.path()).args(["--port", &port]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains(&format!("port {port} is in use")) && message.contains("--port"), "{message}");
}

#[tokio::test]
async fn key_files_are_private_and_solanas() {
    let net = net().await;
    let names =
        ["upgrade-authority", "authority", "guardian", "arbiter", "treasury", "meter", "mint-authority", "faucet"];
    for name in names {
        let path = net.handle.keys().folder().join(format!("{name}.json"));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let bytes: Vec<u8> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(bytes.len(), 64, "{name}");
    }
    net.handle.stop().await;

    let meter = net.folder.path().join("keys/meter.json");
    let kept = std::fs::read(&meter).unwrap();
    std::fs::write(&meter, "[1,2,3]").unwrap();
    assert!(matches!(reopen(net.folder.path()), Err(Error::Key { path, .. }) if path == meter));
    std::fs::write(&meter, kept).unwrap();
    // Keys of another ledger would leave nobody able to mint.
    let mint_authority = net.folder.path().join("keys/mint-authority.json");
    std::fs::remove_file(mint_authority).unwrap();
    assert!(matches!(reopen(net.folder.path()), Err(Error::Config(message)) if message.contains("keys")));
}

fn reopen(folder: &Path) -> clawos_localnet::Result<Localnet> {
    Localnet::open(LocalnetConfig::new(folder))
}
