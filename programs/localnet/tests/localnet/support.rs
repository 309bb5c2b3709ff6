//! Starting a localnet, in this process or as a child, and making transactions for it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use clawos_localnet::{Handle, Localnet, LocalnetConfig};
use serde_json::{Value, json};
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;
use solana_transaction::Transaction;
use tempfile::TempDir;

pub(crate) const SOL: u64 = 1_000_000_000;
/// What a transaction with one signature costs, in lamports.
pub(crate) const FEE: u64 = 5_000;

/// A localnet in this process, in a folder of its own.
pub(crate) struct Net {
    pub(crate) handle: Handle,
    pub(crate) rpc: RpcClient,
    pub(crate) folder: TempDir,
}

pub(crate) async fn net() -> Net {
    net_with(|_| {}).await
}

pub(crate) async fn net_with(change: impl FnOnce(&mut LocalnetConfig)) -> Net {
    let folder = TempDir::new().unwrap();
    let handle = open(folder.path(), change).await;
    let rpc = RpcClient::new(handle.rpc_url());
    Net { handle, rpc, folder }
}

/// Serves a folder on free ports.
pub(crate) async fn open(folder: &Path, change: impl FnOnce(&mut LocalnetConfig)) -> Handle {
    let mut config = LocalnetConfig { port: 0, ..LocalnetConfig::new(folder) };
    change(&mut config);
    Localnet::open(config).unwrap().start().await.unwrap()
}

impl Net {
    /// A new wallet with some SOL.
    pub(crate) async fn wallet(&self, lamports: u64) -> Keypair {
        let wallet = Keypair::new();
        let signature = self.rpc.request_airdrop(&wallet.pubkey(), lamports).await.unwrap();
        assert!(self.rpc.confirm_transaction(&signature).await.unwrap());
        wallet
    }

    /// A signed transfer under the latest blockhash.
    pub(crate) async fn transfer(&self, from: &Keypair, to: &Pubkey, lamports: u64) -> Transaction {
        let hash = self.rpc.get_latest_blockhash().await.unwrap();
        signed(&[transfer(&from.pubkey(), to, lamports)], from, hash)
    }

    /// One call in plain JSON; the whole answer.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.post(&body.to_string()).await;
        serde_json::from_str(&answer).unwrap()
    }

    /// The `error.code` and `error.message` that a call gets.
    pub(crate) async fn refusal(&self, method: &str, params: Value) -> (i64, String) {
        let answer = self.call(method, params).await;
        let error = &answer["error"];
        assert!(error.is_object(), "{method} was not refused: {answer}");
        (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
    }

    /// One HTTP body; the answer's body.
    pub(crate) async fn post(&self, body: &str) -> String {
        let request = reqwest::Client::new()
            .post(self.handle.rpc_url())
            .header("content-type", "application/json")
            .body(body.to_owned());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    }
}

pub(crate) fn transfer(from: &Pubkey, to: &Pubkey, lamports: u64) -> Instruction {
    let data = [&2_u32.to_le_bytes()[..], &lamports.to_le_bytes()].concat();
    let accounts = vec![AccountMeta::new(*from, true), AccountMeta::new(*to, false)];
    Instruction { program_id: Pubkey::default(), accounts, data }
}

pub(crate) fn memo(text: &str) -> Instruction {
    let program_id = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
    Instruction { program_id, accounts: Vec::new(), data: text.as_bytes().to_vec() }
}

pub(crate) fn signed(instructions: &[Instruction], payer: &Keypair, hash: Hash) -> Transaction {
    let message = Message::new(instructions, Some(&payer.pubkey()));
    Transaction::new(&[payer], message, hash)
}

/// A localnet as a process of its own, killed (with SIGKILL) when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    /// The line it announces itself with.
    pub(crate) line: String,
}

impl Process {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::spawn(command(folder))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("it did not announce itself: {line:?}")).to_owned();
        Self { child, url, line }
    }

    pub(crate) fn rpc(&self) -> RpcClient {
        RpcClient::new(self.url.clone())
    }

    /// An airdrop with the reason when it is refused, which Solana's client swallows.
    pub(crate) async fn airdrop(&self, to: &Pubkey, lamports: u64) -> Result<String, String> {
        let params = json!([to.to_string(), lamports]);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "requestAirdrop", "params": params });
        let response = reqwest::Client::new().post(&self.url).json(&body).send().await.unwrap();
        let answer: Value = response.json().await.unwrap();
        match answer["result"].as_str() {
            Some(signature) => Ok(signature.to_owned()),
            None => Err(answer["error"]["message"].as_str().unwrap().to_owned()),
        }
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As `kill`, then waits for its end.
    pub(crate) fn terminate(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary on free ports over `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clawos-localnet"));
    command.arg("--data").arg(folder).args(["--port", "0"]);
    command
}
