//! Where the server listens and the origin it is known by.

use std::net::SocketAddr;

use url::Url;

/// Addresses and public origin.
#[derive(Clone, Debug, clap::Args)]
pub struct ListenConfig {
    /// Address to listen on.
    #[arg(long, env = "CLAWOS_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address for operators and their monitors: `/healthz`, `/readyz`, `/metrics` and `/version`, without credentials and in
    /// plain HTTP. Keep it off the public network.
    #[arg(long, env = "CLAWOS_OPERATIONS_LISTEN", default_value = "127.0.0.1:8081")]
    pub operations_listen: SocketAddr,
    /// The origin that clients use, as they type it. Challenges name it, so a signature made for one server is
    /// worth nothing on another. Default: `http://` and the listen address.
    #[arg(long, env = "CLAWOS_PUBLIC_URL")]
    pub public_url: Option<Url>,
    /// Take the caller's address from the last entry of `X-Forwarded-For`. Only behind a proxy that sets it.
    #[arg(long, env = "CLAWOS_TRUST_FORWARDED_FOR")]
    pub trust_forwarded_for: bool,
    /// How long running requests may take after SIGTERM before they are dropped (milliseconds).
    #[arg(long, env = "CLAWOS_SHUTDOWN_MS", default_value_t = 35_000)]
    pub shutdown_ms: u64,
    /// Stop when the process with this number, which started this one, ends, however it ends.
    #[arg(long, hide = true, value_name = "PID")]
    pub exit_with_parent: Option<i32>,
}

impl ListenConfig {
    /// The public origin without a trailing slash, as challenges and `/.well-known/clawos.json` show it.
    pub fn origin(&self) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.listen),
        }
    }
}
