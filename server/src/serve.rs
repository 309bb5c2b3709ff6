//! Serving: the listener, the background chores, and an orderly end on SIGTERM or SIGINT.

use crate::app::{App, AppState, StartError, router};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::{connections, execution, identity};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How often expired rows and idle rate-limit state are removed.
const CHORES_EVERY: Duration = Duration::from_secs(60);

/// The server stopped because of this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
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

/// Serves until SIGTERM or SIGINT. Prints one line on stdout when requests are answered.
pub async fn run(mut config: Config) -> Result<(), ServeError> {
    if let Some(parent) = config.listen.exit_with_parent {
        exit_with(parent)?;
    }
    let address = config.listen.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
    // Port 0 has become a real one, which the origin has to name.
    config.listen.listen = listener.local_addr()?;
    let (listen, origin) = (config.listen.listen, config.listen.origin());
    let app = App::open(config, Arc::new(SystemClock)).await?;
    // Both handlers stand before anyone is told that the server is ready.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    println!("clawos-server ready: {origin} (listening on {listen})");
    on(listener, app, async move {
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

/// Serves `app` on `listener` until `stop` resolves; then lets running requests end and flushes what is buffered.
pub async fn on(listener: TcpListener, app: AppState, stop: impl Future<Output = ()> + Send + 'static) {
    execution::start_workers(&app);
    let chores = tokio::spawn(chores(Arc::clone(&app)));
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = connections::serve(listener, router(&app), async move {
        stop.await;
        let _ = stopping.send(());
    });
    let patience = Duration::from_millis(app.config.listen.shutdown_ms);
    let out_of_patience = async move {
        // Without a stop there is no deadline.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(patience).await;
    };
    let ended = async {
        server.await;
        // Those whose clients hung up have no connection any more, and still need the database.
        app.detached.ended().await;
    };
    tokio::select! {
        () = ended => {}
        () = out_of_patience => tracing::warn!("some requests did not end in time and were dropped"),
    }
    chores.abort();
    app.execution.shutdown().await;
    app.db.close().await;
}

async fn chores(app: AppState) {
    let mut tick = tokio::time::interval(CHORES_EVERY);
    loop {
        tick.tick().await;
        app.rate_limits.forget_idle();
        app.metrics.run_upkeep();
        for outcome in [app.idempotency.forget_expired().await, identity::forget_expired(&app).await] {
            if let Err(error) = outcome {
                tracing::warn!(%error, "expired rows were not removed; the next round tries again");
            }
        }
    }
}
