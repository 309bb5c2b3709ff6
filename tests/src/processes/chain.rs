//! `clawos-localnet` as a child process: its port and its ledger stay when it is stopped and started again.

use std::path::{Path, PathBuf};

use clawos_receipts::Key;

use super::service::Service;
use super::{Stop, command, free_ports};

/// The local chain.
#[derive(Debug)]
pub struct ChainProcess {
    folder: PathBuf,
    port: u16,
    service: Option<Service>,
}

impl ChainProcess {
    /// A new chain with its ledger, keys and log in `folder`.
    pub fn start(folder: &Path) -> ChainProcess {
        std::fs::create_dir_all(folder).expect("the test's folder can be written");
        let mut chain = ChainProcess { folder: folder.to_owned(), port: free_ports(), service: None };
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
        localnet.arg("--data").arg(&self.folder).args(["--slot-ms", "50", "--port", &self.port.to_string()]);
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
