//! kill -9, torn and damaged files, a full disk: nothing answered is lost, nothing is half there.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clawos_localnet::{Error, Localnet, LocalnetConfig};
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::support::{FEE, Process, SOL};

/// What the faucet has left.
async fn faucet_balance(process: &Process, folder: &Path) -> u64 {
    let text = std::fs::read_to_string(folder.join("keys/faucet.json")).unwrap();
    let bytes: Vec<u8> = serde_json::from_str(&text).unwrap();
    let faucet = Pubkey::try_from(&bytes[32..]).unwrap();
    process.rpc().get_balance(&faucet).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_amid_traffic_loses_no_answered_transaction() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut answered: Vec<(Pubkey, Signature)> = Vec::new();
    let mut asked: Vec<Pubkey> = Vec::new();
    let mut start = None;
    for round in 0..3 {
        let mut process = Process::start(folder.path());
        if start.is_none() {
            start = Some(faucet_balance(&process, folder.path()).await);
        }
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..4).map(|_| tokio::spawn(ask(process.rpc(), stop.clone()))).collect();
        tokio::time::sleep(Duration::from_millis(250 + 130 * round)).await;
        process.kill();
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            let (all, some) = client.await.unwrap();
            asked.extend(all);
            answered.extend(some);
        }
    }
    assert!(answered.len() > 30, "only {} airdrops were answered", answered.len());

    let process = Process::start(folder.path());
    let rpc = process.rpc();
    let (wallets, signatures): (Vec<Pubkey>, Vec<Signature>) = answered.iter().copied().unzip();
    for signatures in signatures.chunks(256) {
        let statuses = rpc.get_signature_statuses(signatures).await.unwrap().value;
        assert!(statuses.into_iter().all(|status| status.is_some_and(|status| status.err.is_none())));
    }
    for wallets in wallets.chunks(100) {
        let accounts = rpc.get_multiple_accounts(wallets).await.unwrap();
        assert!(accounts.into_iter().all(|account| account.is_some_and(|account| account.lamports == SOL)));
    }
    // Those that were asked for but not answered happened wholly or not at all.
    let mut happened = answered.len() as u64;
    for wallet in asked.iter().filter(|wallet| !wallets.contains(wallet)) {
        let balance = rpc.get_balance(wallet).await.unwrap();
        let history = rpc.get_signatures_for_address(wallet).await.unwrap().len();
        assert!(matches!((balance, history), (0, 0) | (SOL, 1)), "{balance} lamports, {history} transactions");
        happened += history as u64;
    }
    let left = faucet_balance(&process, folder.path()).await;
    assert_eq!(start.unwrap() - left, happened * (SOL + FEE));
}

/// Asks for airdrops to new wallets until the server is gone: every wallet asked for, and those with an answer.
async fn ask(
    rpc: solana_rpc_client::nonblocking::rpc_client::RpcClient,
    stop: std::sync::Arc<AtomicBool>,
) -> (Vec<Pubkey>, Vec<(Pubkey, Signature)>) {
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let wallet = solana_keypair::Keypair::new();
        let wallet = solana_signer::Signer::pubkey(&wallet);
        asked.push(wallet);
        match rpc.request_airdrop(&wallet, SOL).await {
            Ok(signature) => answered.push((wallet, signature)),
            Err(_) => break,
        }
    }
    (asked, answered)
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_damage_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let journal = folder.path().join("journal");
    let wallets: Vec<Pubkey> = (0..3).map(|_| Pubkey::new_unique()).collect();
    let mut process = Process::start(folder.path());
    let mut ends = Vec::new();
    for wallet in &wallets {
        process.rpc().request_airdrop(wallet, SOL).await.unwrap();
        ends.push(std::fs::metadata(&journal).unwrap().len());
    }
    process.kill();

    // Half a frame, as a kill within write(2) leaves it.
    OpenOptions::new().write(true).open(&journal).unwrap().set_len(ends[2] - 7).unwrap();
    let mut process = Process::start(folder.path());
    assert_eq!(process.rpc().get_balance(&wallets[1]).await.unwrap(), SOL);
    assert_eq!(process.rpc().get_balance(&wallets[2]).await.unwrap(), 0);
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), ends[1]);
    process.rpc().request_airdrop(&wallets[2], SOL).await.unwrap();
    process.kill();

    // Rubbish behind the last frame.
    OpenOptions::new().append(true).open(&journal).unwrap().write_all(&[0xA5; 3000]).unwrap();
    let mut process = Process::start(folder.path());
    assert_eq!(process.rpc().get_balance(&wallets[2]).await.unwrap(), SOL);
    process.kill();

    // One flipped byte in the middle: cutting there would lose what follows.
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes[ends[0] as usize / 2] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();
    let refused = Localnet::open(LocalnetConfig::new(folder.path()));
    assert!(matches!(refused, Err(Error::Damaged { offset: 0, .. })), "{:?}", refused.err());
    assert_eq!(std::fs::read(&journal).unwrap(), bytes, "a refused file is left alone");
}

#[tokio::test]
async fn a_damaged_snapshot_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    Process::start(folder.path()).kill();
    let snapshot = folder.path().join("snapshot");
    let whole = std::fs::read(&snapshot).unwrap();
    for end in [whole.len() - 1, whole.len() / 2, 10] {
        std::fs::write(&snapshot, &whole[..end]).unwrap();
        let refused = Localnet::open(LocalnetConfig::new(folder.path()));
        assert!(matches!(refused, Err(Error::Damaged { .. } | Error::Unreadable { .. })), "{end} bytes");
    }
    std::fs::write(&snapshot, &whole).unwrap();
    assert!(Localnet::open(LocalnetConfig::new(folder.path())).is_ok());
}

#[tokio::test]
async fn a_write_that_fails_undoes_the_transaction() {
    let folder = tempfile::TempDir::new().unwrap();
    Process::start(folder.path()).kill();
    // This process may write files of 4 KiB at most, enough for a few records in the empty journal; the signal for it is ignored, so that
    // write(2) fails as it does on a full disk.
    let script = format!(
        "trap '' XFSZ; ulimit -f 8; exec '{}' --data '{}' --port 0",
        env!("CARGO_BIN_EXE_clawos-localnet"),
        folder.path().display()
    );
    let mut command = Command::new("sh");
    // Its stderr too could be a file above the limit.
    command.args(["-c", &script]).stderr(Stdio::null());
    let mut process = Process::spawn(command);
    let rpc = process.rpc();
    let mut kept = Vec::new();
    let refused = loop {
        let wallet = Pubkey::new_unique();
        match process.airdrop(&wallet, SOL).await {
            Ok(_) => kept.push(wallet),
            Err(message) => {
                assert!(message.contains("journal"), "{message}");
                break wallet;
            }
        }
        assert!(kept.len() < 100, "the limit did not bite");
    };
    assert!(!kept.is_empty());
    assert_eq!(rpc.get_balance(&refused).await.unwrap(), 0);
    assert!(rpc.get_signatures_for_address(&refused).await.unwrap().is_empty());
    process.kill();

    let process = Process::start(folder.path());
    for wallet in kept {
        assert_eq!(process.rpc().get_balance(&wallet).await.unwrap(), SOL);
    }
    process.rpc().request_airdrop(&refused, SOL).await.unwrap();
    assert_eq!(process.rpc().get_balance(&refused).await.unwrap(), SOL);
}
