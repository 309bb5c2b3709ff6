//! A way to a service (a chain endpoint, a PostgreSQL server) that a test can cut: it passes bytes on while it is up, and
//! drops every connection while it is down. Of PostgreSQL it can lose one transaction's COMMIT, or the answer to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Bytes of a stream that are looked at together.
const WINDOW: usize = 64 * 1024;

/// What is lost of a COMMIT, with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The COMMIT itself: the database never sees it.
    Commit,
    /// The database's answer to it.
    Answer,
}

/// Which COMMIT is lost: the first on a connection that carried this text before.
type Trap = Arc<Mutex<Option<(&'static str, Lost)>>>;

/// The way. Dropping it cuts it for good.
pub struct FaultyRelay {
    address: SocketAddr,
    up: Arc<watch::Sender<bool>>,
    trap: Trap,
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
        let (up, trap) = (Arc::new(watch::channel(true).0), Trap::default());
        let (state, set) = (Arc::clone(&up), Arc::clone(&trap));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *state.borrow() {
                    tokio::spawn(pass(client, target.clone(), state.subscribe(), Arc::clone(&set)));
                }
            }
        });
        FaultyRelay { address, up, trap }
    }

    /// A way to the PostgreSQL database at `url`, and the database's URL over it.
    ///
    /// # Panics
    /// When it is no such URL, or loopback has no free port.
    pub async fn to_postgres(url: &str) -> (FaultyRelay, String) {
        let mut url: reqwest::Url = url.parse().expect("it is a URL");
        let way = Self::to(&format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"))).await;
        url.set_port(Some(way.port())).expect("it has a host");
        (way, url.to_string())
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

    /// Loses the next COMMIT of a connection that carries `text` before it, or the answer to it: once.
    pub fn lose(&self, text: &'static str, lost: Lost) {
        *self.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some((text, lost));
    }
}

async fn pass(mut client: TcpStream, target: String, mut state: watch::Receiver<bool>, trap: Trap) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    tokio::select! {
        () = relay(&mut client, &mut server, &trap) => {}
        _ = state.wait_for(|up| !up) => {}
    }
}

/// Passes bytes on until one side closes, or the trap is sprung.
async fn relay(client: &mut TcpStream, server: &mut TcpStream, trap: &Trap) {
    let (mut sent, mut received) = (vec![0; WINDOW], vec![0; WINDOW]);
    // What the client sent since the trap was set, at most a window of it.
    let mut seen = Vec::new();
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Some(bytes) = read.ok().filter(|read| *read > 0).map(|read| &sent[..read]) else { return };
                let lost = caught(trap, &mut seen, bytes);
                if lost == Some(Lost::Commit) || server.write_all(bytes).await.is_err() {
                    return;
                }
                if lost == Some(Lost::Answer) {
                    // Once it answers, it has committed.
                    let _ = server.read(&mut received).await;
                    return;
                }
            }
            read = server.read(&mut received) => {
                let Some(bytes) = read.ok().filter(|read| *read > 0).map(|read| &received[..read]) else { return };
                if client.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What is to be lost of the COMMIT in these bytes, if it is the one that the trap is for; the trap is then gone.
fn caught(trap: &Trap, seen: &mut Vec<u8>, bytes: &[u8]) -> Option<Lost> {
    let mut trap = trap.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((text, lost)) = *trap else {
        seen.clear();
        return None;
    };
    seen.extend_from_slice(bytes);
    let too_long = seen.len().saturating_sub(WINDOW);
    seen.drain(..too_long);
    let at = find(seen, text.as_bytes())?;
    find(&seen[at..], b"COMMIT")?;
    *trap = None;
    Some(lost)
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
