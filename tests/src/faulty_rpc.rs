//! A way to an RPC endpoint that a test can cut: it passes bytes on while it is up, and drops every connection while it
//! is down.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The way. Dropping it cuts it for good.
pub struct FaultyRpc {
    url: String,
    up: Arc<watch::Sender<bool>>,
}

impl FaultyRpc {
    /// A way to `target` (`http://HOST:PORT`), up.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn to(target: &str) -> FaultyRpc {
        let target = target.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let up = Arc::new(watch::channel(true).0);
        let state = Arc::clone(&up);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *state.borrow() {
                    tokio::spawn(pass(client, target.clone(), state.subscribe()));
                }
            }
        });
        FaultyRpc { url, up }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Cuts the connection (`false`) or lets it through again.
    pub fn set_up(&self, up: bool) {
        self.up.send_replace(up);
    }
}

async fn pass(mut client: TcpStream, target: String, mut state: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = state.wait_for(|up| !up) => {}
    }
}
