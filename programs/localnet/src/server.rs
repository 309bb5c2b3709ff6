//! Listening: the HTTP and websocket ports, and the handle that stops them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::LocalnetConfig;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::node::Node;
use crate::{http, ws};

/// Attempts to find two free ports in a row when the configuration leaves the choice to the system.
const PORT_ATTEMPTS: usize = 32;

/// How long a stop waits for clients. Answered transactions are safe in any case.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// A localnet that serves. Dropping it stops serving.
pub struct Handle {
    node: Arc<Node>,
    rpc: SocketAddr,
    websocket: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

pub(crate) async fn start(node: Arc<Node>, config: &LocalnetConfig) -> Result<Handle> {
    let (rpc, websocket) = listeners(config).await?;
    let (stop, stopped) = watch::channel(false);
    let address = |listener: &TcpListener| listener.local_addr().expect("a bound listener has an address");
    let addresses = (address(&rpc), address(&websocket));
    let tasks = vec![
        tokio::spawn(serve(rpc, http::router(node.clone()), stopped.clone())),
        tokio::spawn(serve(websocket, ws::router(node.clone(), stopped.clone()), stopped)),
    ];
    Ok(Handle { node, rpc: addresses.0, websocket: addresses.1, stop, tasks })
}

async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        // An error means that the handle is gone, which is a stop too.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "localnet stopped listening");
    }
}

async fn listeners(config: &LocalnetConfig) -> Result<(TcpListener, TcpListener)> {
    if config.port != 0 {
        let rpc = bind(config, config.port).await?;
        return Ok((rpc, bind(config, config.port + 1).await?));
    }
    let mut attempt = 1;
    loop {
        let rpc = bind(config, 0).await?;
        let next = rpc.local_addr().ok().and_then(|address| address.port().checked_add(1));
        if let Some(next) = next {
            match bind(config, next).await {
                Ok(websocket) => return Ok((rpc, websocket)),
                Err(error) if attempt == PORT_ATTEMPTS => return Err(error),
                Err(_) => {}
            }
        }
        attempt += 1;
    }
}

async fn bind(config: &LocalnetConfig, port: u16) -> Result<TcpListener> {
    let address = SocketAddr::new(config.bind, port);
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => Error::PortInUse { port, address, source },
        _ => Error::Listen { address, source },
    })
}

impl Handle {
    /// Where JSON-RPC is served, such as `http://127.0.0.1:8899`.
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.rpc)
    }

    /// Where subscriptions are served, such as `ws://127.0.0.1:8900`.
    pub fn websocket_url(&self) -> String {
        format!("ws://{}", self.websocket)
    }

    /// The keypairs of `DIR/keys`.
    pub fn keys(&self) -> &Keys {
        self.node.keys()
    }

    /// The genesis hash, which names the chain.
    pub fn genesis_hash(&self) -> Hash {
        self.node.bank().genesis()
    }

    /// The local USDC mint (classic SPL token, 6 decimals).
    pub fn usdc_mint(&self) -> Pubkey {
        self.node.usdc_mint()
    }

    /// Stops listening and waits until the requests at work are answered, at most a few seconds.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let finished = async {
            for task in &mut self.tasks {
                // A task that panicked has stopped too.
                let _ = task.await;
            }
        };
        if tokio::time::timeout(STOP_PATIENCE, finished).await.is_err() {
            tracing::warn!("a client kept its connection open; stopped anyway");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}
