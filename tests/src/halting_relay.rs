//! A way to a service, such as PostgreSQL, that halts at a request, so that a test can stop what is behind it in just that
//! moment. Whoever asks waits meanwhile; other connections go on.
//!
//! A request is what a client sends on a connection after the last answer on it, as in PostgreSQL's protocol and in HTTP/1.1.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Bytes that are passed on at a time.
const BUFFER: usize = 64 << 10;
/// How long a halt may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// When it is halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has been handed over. What the service still answers reaches its client later.
    Asked,
    /// Its answer has begun. It is lost: the client only sees that the connection ends.
    Answered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Passing,
    Armed,
    Halted,
}

#[derive(Debug)]
struct Shared {
    next: Mutex<Option<(String, Moment)>>,
    phase: watch::Sender<Phase>,
}

/// The way.
#[derive(Debug)]
pub struct HaltingRelay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl HaltingRelay {
    /// A way to the service at `target` (`HOST:PORT`), which passes everything on.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn to(target: &str) -> HaltingRelay {
        let target = target.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { next: Mutex::default(), phase: watch::channel(Phase::Passing).0 });
        let passing = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target.clone(), Arc::clone(&passing)));
            }
        });
        HaltingRelay { address, shared }
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it halts at the first request whose bytes hold this text.
    pub fn halt(&self, text: &str, moment: Moment) {
        *self.shared.next.lock().expect("nobody panics with it") = Some((text.to_owned(), moment));
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
        *self.shared.next.lock().expect("nobody panics with it") = None;
        self.shared.phase.send_replace(Phase::Passing);
    }
}

impl Shared {
    /// Whether to halt at a request that begins with `bytes`; only once.
    fn is_next(&self, bytes: &[u8]) -> Option<Moment> {
        let mut next = self.next.lock().expect("nobody panics with it");
        let (text, moment) = next.as_ref()?;
        let (found, moment) = (bytes.windows(text.len()).any(|window| window == text.as_bytes()), *moment);
        if found {
            *next = None;
        }
        found.then_some(moment)
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

/// Passes on what comes on one connection, both ways, until both sides have ended.
async fn pass(client: TcpStream, target: String, shared: Arc<Shared>) {
    let Ok(service) = TcpStream::connect(target).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_service, mut to_service) = service.into_split();
    // Whether what the client sends next begins a request; whether the relay halts at this connection; and whether it loses
    // the answer.
    let (begins, halting, losing) = (AtomicBool::new(true), AtomicBool::new(false), AtomicBool::new(false));
    let requests = async {
        let mut buffer = vec![0; BUFFER];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            let begun = begins.swap(false, Ordering::SeqCst);
            let moment = begun.then(|| shared.is_next(&buffer[..length])).flatten();
            halting.fetch_or(moment.is_some(), Ordering::SeqCst);
            losing.fetch_or(moment == Some(Moment::Answered), Ordering::SeqCst);
            if to_service.write_all(&buffer[..length]).await.is_err() {
                break;
            }
            if moment == Some(Moment::Asked) {
                shared.halt();
            }
        }
        // A side that is gone needs no end.
        let _ = to_service.shutdown().await;
    };
    let answers = async {
        let mut buffer = vec![0; BUFFER];
        loop {
            let length = from_service.read(&mut buffer).await.unwrap_or(0);
            let lost = losing.load(Ordering::SeqCst);
            if lost {
                shared.halt();
            }
            if halting.load(Ordering::SeqCst) {
                shared.until_passing().await;
                halting.store(false, Ordering::SeqCst);
            }
            if lost || length == 0 {
                break;
            }
            begins.store(true, Ordering::SeqCst);
            if to_client.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
        // A side that is gone needs no end.
        let _ = to_client.shutdown().await;
    };
    tokio::join!(requests, answers);
}
