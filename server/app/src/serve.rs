//! Serving: the listeners, and an orderly end on SIGTERM or SIGINT.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clawos_base::failpoint::UnknownFailpoint;
use clawos_base::{Failpoint, SystemClock};
use clawos_config::{Config, ListenConfig};
use clawos_server_api::{operations_router, router};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::connections;
use crate::wiring::{Server, StartError};
use crate::workers::Workers;

/// The server stopped because of this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It was told to end at a point that it does not have.
    #[error("--end-at: {0}")]
    Failpoint(#[from] UnknownFailpoint),
    /// It could not listen.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Io(#[from] io::Error),
}

/// Where a server takes connections.
#[derive(Debug)]
pub struct Listeners {
    /// Everybody's.
    pub public: TcpListener,
    /// Those of operators and their monitors.
    pub operations: TcpListener,
}

impl Listeners {
    /// Binds both addresses. A port 0 in `config` becomes the real one, which the origin has to name.
    ///
    /// # Errors
    /// [`ServeError::Listen`], [`ServeError::Io`].
    pub async fn bind(config: &mut ListenConfig) -> Result<Listeners, ServeError> {
        let bind = async |address: &mut SocketAddr| {
            let bound = TcpListener::bind(*address).await;
            let listener = bound.map_err(|source| ServeError::Listen { address: *address, source })?;
            *address = listener.local_addr()?;
            Ok::<_, ServeError>(listener)
        };
        let public = bind(&mut config.listen).await?;
        Ok(Listeners { public, operations: bind(&mut config.operations_listen).await? })
    }
}

/// Serves until SIGTERM or SIGINT. Prints one line on stdout when requests are answered.
pub async fn run(mut config: Config) -> Result<(), ServeError> {
    if let Some(parent) = config.listen.exit_with_parent {
        exit_with(parent)?;
    }
    if let Some(point) = &config.end_at {
        Failpoint::choose(point)?;
        tracing::warn!(point, "this server ends where this point is reached");
    }
    let listeners = Listeners::bind(&mut config.listen).await?;
    let (listen, origin) = (config.listen.listen, config.listen.origin());
    let server = Server::open(config, Arc::new(SystemClock)).await?;
    // Both handlers stand before anyone is told that the server is ready.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    println!("clawos-server ready: {origin} (listening on {listen})");
    on(listeners, server, async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new requests, running ones end");
    })
    .await;
    Ok(())
}

/// Asks for a SIGTERM when the parent ends; an error when it has ended already.
fn exit_with(parent: i32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if getppid().map(Pid::as_raw_pid) == Some(parent) {
        return Ok(());
    }
    Err(io::Error::other("the process that started this one has ended"))
}

/// How long operators' connections may take to end when everything else has.
const LAST_WATCH: Duration = Duration::from_secs(1);

/// Serves on `listeners` until `stop` resolves; then lets running requests end and drains the workers. Operators are answered
/// until that is done, and no longer than a second after.
pub async fn on(listeners: Listeners, server: Server, stop: impl Future<Output = ()> + Send + 'static) {
    let Listeners { public, operations } = listeners;
    let (ending, ended) = tokio::sync::oneshot::channel::<()>();
    let watched = connections::serve(operations, operations_router(&server.app), connections::MAX_OPERATIONS, async {
        let _ = ended.await;
    });
    let work = async {
        serve_public(public, server, stop).await;
        // Nobody listens when it has ended already.
        let _ = ending.send(());
        tokio::time::sleep(LAST_WATCH).await;
    };
    tokio::select! {
        () = watched => {}
        () = work => tracing::warn!("some connections of the operations listener did not end in time and were dropped"),
    }
}

async fn serve_public(public: TcpListener, server: Server, stop: impl Future<Output = ()> + Send + 'static) {
    let Server { app, workers, shutdown_ms } = server;
    let workers = Workers::start(workers);
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = connections::serve(public, router(&app), connections::max_public(), async move {
        stop.await;
        let _ = stopping.send(());
    });
    let deadline = async move {
        // Without a stop there is no deadline.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(shutdown_ms)).await;
    };
    let ended = async {
        serving.await;
        // Those whose clients hung up have no connection any more, and still need the database.
        app.detached.ended().await;
    };
    tokio::select! {
        () = ended => {}
        () = deadline => tracing::warn!("some requests did not end in time and were dropped"),
    }
    workers.stop().await;
    app.execution.release_leases().await;
    app.db.close().await;
}
