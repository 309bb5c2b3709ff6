//! A way to a service (a chain endpoint, a PostgreSQL server) that a test can cut: it passes bytes on while it is up, and
//! drops every connection while it is down.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The way. Dropping it cuts it for good.
pub struct FaultyRelay {
    address: SocketAddr,
    up: Arc<watch::Sender<bool>>,
}

impl FaultyRelay {
    /// A way to the service at `target` (`HOST:PORT`, with `http://` before it or not), up.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn to(target: &str) -> FaultyRelay {
        let target = target.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let up = Arc::new(watch::channel(true).0);
        let state = Arc::clone(&up);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *state.borrow() {
                    tokio::spawn(pass(client, target.clone(), state.subscribe()));
                }
            }
        });
        FaultyRelay { address, up }
    }

    /// Its address for a client of HTTP: `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port on loopback, for a client of another protocol.
    pub fn port(&self) -> u16 {
        self.address.port()
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
