//! `clawos-localnet` as a child process: its port, its ledger and its behaviour stay when it is stopped and started again.

use std::path::{Path, PathBuf};

use clawos_receipts::Key;

use super::service::Service;
use super::{Stop, command, free_ports};

/// How the local chain behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainMode {
    /// What is answered is final.
    Final,
    /// As a cluster: finality lags, others pay priority fees, and some of what is sent gets lost.
    Cluster {
        /// Percentage of sent transactions that never run.
        lost: u8,
        /// Decides which.
        seed: u64,
    },
}

impl ChainMode {
    /// What `CLAWOS_TEST_CHAIN` asks for: nothing, `cluster`, or `cluster:SEED`.
    ///
    /// # Panics
    /// When it asks for anything else.
    pub fn asked_for() -> ChainMode {
        let Ok(asked) = std::env::var("CLAWOS_TEST_CHAIN") else { return ChainMode::Final };
        let seed = match asked.split_once(':') {
            None => (asked == "cluster").then_some(0),
            Some((word, seed)) => seed.parse().ok().filter(|_| word == "cluster"),
        };
        let seed = seed.unwrap_or_else(|| panic!("CLAWOS_TEST_CHAIN={asked}: there are `cluster` and `cluster:SEED`"));
        ChainMode::Cluster { lost: 10, seed }
    }

    fn flags(self) -> Vec<String> {
        let flags = match self {
            ChainMode::Final => "--slot-ms 50".to_owned(),
            // Slots so long that a blockhash is good for several attempts.
            ChainMode::Cluster { lost, seed } => {
                format!("--slot-ms 100 --cluster --drop-percent {lost} --drop-seed {seed}")
            }
        };
        flags.split(' ').map(str::to_owned).collect()
    }
}

/// The local chain.
#[derive(Debug)]
pub struct ChainProcess {
    folder: PathBuf,
    port: u16,
    mode: ChainMode,
    service: Option<Service>,
}

impl ChainProcess {
    /// A new chain with its ledger, keys and log in `folder`, behaving as the tests are asked to have it.
    pub fn start(folder: &Path) -> ChainProcess {
        ChainProcess::start_as(folder, ChainMode::asked_for())
    }

    /// A new chain with its ledger, keys and log in `folder`.
    pub fn start_as(folder: &Path, mode: ChainMode) -> ChainProcess {
        std::fs::create_dir_all(folder).expect("the test's folder can be written");
        let mut chain = ChainProcess { folder: folder.to_owned(), port: free_ports(), mode, service: None };
        chain.run();
        chain
    }

    /// Runs it, if it does not run.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn run(&mut self) {
        if self.service.is_some() {
            return;
        }
        let mut localnet = command("clawos-localnet");
        localnet.arg("--data").arg(&self.folder).args(["--port", &self.port.to_string()]).args(self.mode.flags());
        let started = Service::start(&mut localnet, &self.folder.with_extension("log"));
        let service = started.unwrap_or_else(|words| panic!("the local chain does not start: {words}"));
        assert!(service.ready.starts_with(&format!("localnet ready: {}", self.rpc_url())), "{}", service.ready);
        self.service = Some(service);
    }

    /// Stops it, if it runs.
    pub fn stop(&mut self, how: Stop) {
        if let Some(mut service) = self.service.take() {
            let status = service.stop(how);
            assert!(how == Stop::Kill || status.success(), "the chain ended with {status}: {}", service.last_words());
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `ws://127.0.0.1:PORT`
    pub fn websocket_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port + 1)
    }

    /// The file of one of its keys: `meter`, `treasury`, …
    pub fn key_file(&self, name: &str) -> PathBuf {
        self.folder.join("keys").join(name).with_extension("json")
    }

    /// The address of one of its keys.
    pub fn address(&self, name: &str) -> Key {
        let text = std::fs::read(self.key_file(name)).expect("the chain has made its keys");
        let bytes: Vec<u8> = serde_json::from_slice(&text).expect("a keypair file");
        bytes[32..].try_into().expect("a keypair has 64 bytes")
    }
}
