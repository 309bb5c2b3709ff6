//! A way to a service (the server, a chain endpoint, a PostgreSQL) on which a test lets things go wrong. It passes bytes on
//! while it is up, and drops every connection while it is down. At texts that a client sends on one connection it can lose
//! what was asked or the answer to it, or halt, so that a test can stop what is behind it in just that moment.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Bytes of a stream that are passed on, and looked at, together.
const WINDOW: usize = 64 * 1024;
/// How long a halt may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is lost, with its connection: the service never sees it.
    LoseRequest,
    /// The answer to it is lost, with its connection.
    LoseAnswer,
    /// It is handed over, and the relay halts. What the service still answers reaches its client later.
    HaltAsked,
    /// Its answer has begun, and the relay halts. It is lost: the client only sees that the connection ends.
    HaltAnswered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Passing,
    Armed,
    Halted,
}

#[derive(Debug)]
struct Shared {
    up: watch::Sender<bool>,
    /// What goes wrong next, and at which texts.
    trap: Mutex<Option<(Vec<String>, Fault)>>,
    phase: watch::Sender<Phase>,
}

/// The way.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A connection that is dropped at once.
struct Dropped;

impl Relay {
    /// A way to the service at `target` (`HOST:PORT`, with `http://` before it or not), up.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn to(target: &str) -> Relay {
        let target = target.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (up, phase) = (watch::channel(true).0, watch::channel(Phase::Passing).0);
        let shared = Arc::new(Shared { up, trap: Mutex::default(), phase });
        let passing = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *passing.up.borrow() {
                    tokio::spawn(pass(client, target.clone(), Arc::clone(&passing)));
                }
            }
        });
        Relay { address, shared }
    }

    /// A way to the PostgreSQL database at `url`, and the database's URL over it.
    ///
    /// # Panics
    /// When it is no such URL, or loopback has no free port.
    pub async fn to_postgres(url: &str) -> (Relay, String) {
        let mut url: reqwest::Url = url.parse().expect("it is a URL");
        let way = Self::to(&format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"))).await;
        url.set_port(Some(way.address.port())).expect("it has a host");
        (way, url.to_string())
    }

    /// Its address for a client of HTTP: `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts the connection (`false`) or lets it through again.
    pub fn set_up(&self, up: bool) {
        self.shared.up.send_replace(up);
    }

    /// From now on, once: `fault` at what holds the last of these texts, on a connection that carried the others before, in
    /// this order.
    pub fn set(&self, texts: &[&str], fault: Fault) {
        *lock(&self.shared.trap) = Some((texts.iter().map(|text| (*text).to_owned()).collect(), fault));
        self.shared.phase.send_replace(Phase::Armed);
    }

    /// Waits until it has halted.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn halted(&self) {
        let mut phase = self.shared.phase.subscribe();
        let halted = tokio::time::timeout(PATIENCE, phase.wait_for(|phase| *phase == Phase::Halted)).await;
        halted.expect("the request comes").expect("the relay goes on");
    }

    /// Passes everything on again, and does not halt any more.
    pub fn go_on(&self) {
        *lock(&self.shared.trap) = None;
        self.shared.phase.send_replace(Phase::Passing);
    }
}

impl Shared {
    /// What goes wrong at these bytes, if they are those that the trap is for; it is then gone. In `seen` is what the client
    /// sent since it was set, at most a window of it.
    fn caught(&self, seen: &mut Vec<u8>, bytes: &[u8]) -> Option<Fault> {
        let mut trap = lock(&self.trap);
        let Some((texts, fault)) = &*trap else {
            seen.clear();
            return None;
        };
        seen.extend_from_slice(bytes);
        let too_long = seen.len().saturating_sub(WINDOW);
        seen.drain(..too_long);
        let mut rest = &seen[..];
        for text in texts {
            let at = rest.windows(text.len()).position(|window| window == text.as_bytes())?;
            rest = &rest[at + text.len()..];
        }
        let fault = *fault;
        *trap = None;
        Some(fault)
    }

    /// Halts, where it was not told to go on meanwhile.
    fn halt(&self) {
        self.phase.send_if_modified(|phase| {
            let armed = *phase == Phase::Armed;
            if armed {
                *phase = Phase::Halted;
            }
            armed
        });
    }

    async fn until_passing(&self) {
        // The sender is in `self`.
        let _ = self.phase.subscribe().wait_for(|phase| *phase == Phase::Passing).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes on what comes on one connection, each way by itself, until both sides have ended or it is dropped.
async fn pass(client: TcpStream, target: String, shared: Arc<Shared>) {
    let Ok(service) = TcpStream::connect(target).await else { return };
    let ((from_client, to_client), (from_service, to_service)) = (client.into_split(), service.into_split());
    // What is wrong with the answer that comes next.
    let fault = Mutex::new(None);
    let both_ways = async {
        tokio::try_join!(
            requests(from_client, to_service, &shared, &fault),
            answers(from_service, to_client, &shared, &fault)
        )
    };
    let mut up = shared.up.subscribe();
    tokio::select! {
        _ = both_ways => {}
        _ = up.wait_for(|up| !up) => {}
    }
}

async fn requests(
    mut client: OwnedReadHalf,
    mut service: OwnedWriteHalf,
    shared: &Shared,
    fault: &Mutex<Option<Fault>>,
) -> Result<(), Dropped> {
    let (mut buffer, mut seen) = (vec![0; WINDOW], Vec::new());
    loop {
        let length = client.read(&mut buffer).await.map_err(|_| Dropped)?;
        if length == 0 {
            return service.shutdown().await.map_err(|_| Dropped);
        }
        let caught = shared.caught(&mut seen, &buffer[..length]);
        match caught {
            None => {}
            Some(Fault::LoseRequest) => return Err(Dropped),
            Some(_) => *lock(fault) = caught,
        }
        service.write_all(&buffer[..length]).await.map_err(|_| Dropped)?;
        if caught == Some(Fault::HaltAsked) {
            shared.halt();
        }
    }
}

async fn answers(
    mut service: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    shared: &Shared,
    fault: &Mutex<Option<Fault>>,
) -> Result<(), Dropped> {
    let mut buffer = vec![0; WINDOW];
    loop {
        let read = service.read(&mut buffer).await;
        let wrong = lock(fault).take();
        match wrong {
            None => {}
            Some(Fault::LoseRequest | Fault::LoseAnswer) => return Err(Dropped),
            Some(Fault::HaltAsked) => shared.until_passing().await,
            Some(Fault::HaltAnswered) => {
                shared.halt();
                shared.until_passing().await;
                return Err(Dropped);
            }
        }
        let length = read.map_err(|_| Dropped)?;
        if length == 0 {
            return client.shutdown().await.map_err(|_| Dropped);
        }
        client.write_all(&buffer[..length]).await.map_err(|_| Dropped)?;
    }
}
