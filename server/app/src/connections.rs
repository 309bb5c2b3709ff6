//! Accepting connections: their number is bounded, and each must send its request's headers in time.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service;

/// How long a connection may take to send the headers of a request, and may be idle before it.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Connections at a time where the system limits nothing: each costs some kilobytes.
const MAX_CONNECTIONS: u64 = 16_384;
/// How long a peer may take nothing of what it is sent: an answer holds a place, and often a file.
const STALL_TIME: Duration = Duration::from_secs(30);
/// How long to wait after the system refused a connection, for want of memory or of open files.
const ACCEPT_BACKOFF: Duration = Duration::from_secs(1);

/// Serves at most `all` connections at a time until `stop` resolves, and then until the requests that are running have
/// ended.
pub(crate) async fn serve(listener: TcpListener, router: Router, all: u32, stop: impl Future<Output = ()>) {
    let mut router = router.into_make_service_with_connect_info::<SocketAddr>();
    let places = Arc::new(Semaphore::new(all as usize));
    let (stopping, stopped) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        let Ok(service) = router.call(peer).await;
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            let _place = place;
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME);
            let mut connection = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                _ = stopped.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "a connection broke off");
            }
        });
    }
    drop((listener, stopping));
    // Every place is free again when every connection has ended.
    let _ = places.acquire_many(all).await;
}

/// Connections of operators and their monitors at a time.
pub(crate) const MAX_OPERATIONS: u32 = 64;

/// Public connections at a time: a third of the files this process may open. A download takes another, and the rest is for
/// the database, the chain and the operators.
pub(crate) fn max_public() -> u32 {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    u32::try_from((files / 3).clamp(1, MAX_CONNECTIONS)).expect("the largest number of connections is small")
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = SockRef::from(&stream).set_tcp_user_timeout(Some(STALL_TIME)) {
                    tracing::debug!(%peer, %error, "a connection may stall");
                }
                return (stream, peer, place);
            }
            // It hung up before it was its turn.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}
