//! Which chain the server reads, and the keys it signs with.

use std::fmt;
use std::path::{Path, PathBuf};

/// Solana RPC and keys.
#[derive(Clone, clap::Args)]
pub struct ChainConfig {
    /// Solana JSON-RPC endpoint the server uses.
    #[arg(long, env = "CLAWOS_RPC_URL", hide_env_values = true, default_value = "http://127.0.0.1:8899")]
    pub rpc_url: String,
    /// The endpoint shown to clients in `/.well-known/clawos.json`. Default: the one above where it is on this machine,
    /// else none.
    #[arg(long, env = "CLAWOS_PUBLIC_RPC_URL")]
    pub public_rpc_url: Option<String>,
    /// Keypair of the on-chain meter (Solana JSON form, mode 0600). Default: `meter.json` in the data folder, made on the first
    /// start where the RPC endpoint is on this machine.
    #[arg(long, env = "CLAWOS_METER_KEY")]
    pub meter_key: Option<PathBuf>,
    /// Keypair that signs receipts (same form and mode). Default: `receipt.json` in the data folder, made when absent.
    #[arg(long, env = "CLAWOS_RECEIPT_KEY")]
    pub receipt_key: Option<PathBuf>,
    /// How long a licence read from the chain is used without reading it again (seconds).
    #[arg(long, env = "CLAWOS_LICENCE_TTL_SECS", default_value_t = 30)]
    pub licence_ttl_secs: u64,
    /// How long a known licence still counts while the RPC endpoint is down (seconds).
    #[arg(long, env = "CLAWOS_GRACE_SECS", default_value_t = 60)]
    pub grace_secs: u64,
}

impl fmt::Debug for ChainConfig {
    /// Without the URL, which may hold an API key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { public_rpc_url, licence_ttl_secs, grace_secs, .. } = self;
        let mut shown = f.debug_struct("ChainConfig");
        shown.field("public_rpc_url", public_rpc_url).field("licence_ttl_secs", licence_ttl_secs);
        shown.field("grace_secs", grace_secs).finish_non_exhaustive()
    }
}

impl ChainConfig {
    /// The endpoint that clients are told: the public one, else the server's own on this machine. Another one may carry
    /// the operator's API key and stays private.
    pub fn public_rpc_url(&self) -> Option<&str> {
        self.public_rpc_url.as_deref().or_else(|| self.is_local().then_some(self.rpc_url.as_str()))
    }

    /// Whether the RPC endpoint is on this machine: the local chain, or a node of one's own.
    pub fn is_local(&self) -> bool {
        is_local(&self.rpc_url)
    }

    /// The RPC endpoint without what may be an API key: scheme, host and port.
    pub fn rpc_shown(&self) -> String {
        url::Url::parse(&self.rpc_url).map_or_else(|_| "no URL".to_owned(), |url| url.origin().ascii_serialization())
    }

    /// Where the meter key is, given the data folder.
    pub fn meter_key(&self, data: &Path) -> PathBuf {
        self.meter_key.clone().unwrap_or_else(|| data.join("meter.json"))
    }

    /// Where the receipt key is, given the data folder.
    pub fn receipt_key(&self, data: &Path) -> PathBuf {
        self.receipt_key.clone().unwrap_or_else(|| data.join("receipt.json"))
    }
}

fn is_local(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_may_carry_a_key_is_not_shown() {
        assert!(is_local("http://127.0.0.1:8899") && is_local("http://localhost:8899"));
        assert!(!is_local("https://rpc.example.com/?api-key=secret") && !is_local("http://10.0.0.1:8899"));
    }
}
