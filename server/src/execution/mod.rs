//! Execution: calls of skills, their receipts, and the settlement of what they used.
//!
//! A call is checked (`plan.rs`), reserves what it may use (`reservation.rs`), runs in the sandbox, and leaves a receipt
//! that is durable before the answer leaves (`group_commit.rs`). Usage is settled on chain in batches (`settle/`).
//!
//! A call that fails costs nothing. Kill the process at any moment: receipts that were answered exist, reservations are
//! gone, nothing is charged twice.

mod answer;
mod columns;
mod error;
mod failure;
mod failure_budget;
mod free_calls;
mod group_commit;
mod in_flight;
mod invoke;
mod plan;
mod receipt;
mod receipts;
mod reservation;
mod reserve;
mod schemas;
mod settle;
mod spending;
#[cfg(test)]
mod testing;
mod types;

pub use error::ExecutionError;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clawos_runtime::Sandbox;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::clock::Clock;
use crate::config::{Config, SettleConfig};
use crate::database::{Database, Kind};
use crate::http::idempotency::Idempotency;
use crate::http::rate_limit::RateLimits;
use crate::licensing::Licensing;
use crate::registry::Registry;
use failure_budget::FailureBudget;
use free_calls::FreeCalls;
use group_commit::{GroupCommit, Writer};
use in_flight::InFlight;
use reserve::Pools;
use schemas::Schemas;
use settle::Settler;
use spending::Spending;

/// What execution needs of the rest of the server.
#[derive(Clone)]
pub struct Ports {
    /// The database.
    pub db: Database,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Licences and the chain.
    pub licensing: Arc<Licensing>,
    /// Where modules run.
    pub sandbox: Arc<dyn Sandbox>,
    /// Skills and versions.
    pub registry: Arc<Registry>,
    /// Idempotency keys.
    pub idempotency: Arc<Idempotency>,
    /// Rate limits.
    pub rate_limits: Arc<RateLimits>,
}

/// Calls, receipts and settlement of one process.
pub struct Execution {
    ports: Ports,
    settle_config: SettleConfig,
    /// Names this process among those that share the database.
    server: String,
    calls: InFlight,
    schemas: Schemas,
    failures: FailureBudget,
    free_calls: FreeCalls,
    spending: Arc<Spending>,
    pools: Pools,
    group_commit: GroupCommit,
    settler: Mutex<Option<Running>>,
}

/// The settler's task and how to stop it.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Execution {
    /// Opens the execution side. On a database that only this server uses, what dead processes held is freed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(config: &Config, ports: Ports) -> Result<Arc<Execution>, ExecutionError> {
        if ports.db.kind() == Kind::Sqlite {
            reserve::release_leases(&ports.db, None).await?;
            settle::take_over(&ports.db).await?;
        }
        let (db, clock) = (ports.db.clone(), Arc::clone(&ports.clock));
        let server = clawos_receipts::new_id("srv");
        let writer = Writer {
            db: db.clone(),
            clock: Arc::clone(&clock),
            idempotency: Arc::clone(&ports.idempotency),
            key: ports.licensing.receipt_key().clone(),
            server: server.clone(),
        };
        Ok(Arc::new(Execution {
            settle_config: config.settle.clone(),
            calls: InFlight::new(in_flight::MAX_CALLS),
            schemas: Schemas::new(),
            failures: FailureBudget::new(),
            free_calls: FreeCalls::new(db.clone(), Arc::clone(&clock)),
            spending: Spending::new(db.clone(), Arc::clone(&clock)),
            pools: Pools::new(db, clock, server.clone()),
            group_commit: GroupCommit::start(writer),
            settler: Mutex::default(),
            server,
            ports,
        }))
    }

    /// Ends settlement in an orderly way and gives leased units back. Call it when no call is running any more; receipts
    /// need no flush, since every answered one is durable.
    pub async fn shutdown(&self) {
        let running = self.settler.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { stop, task }) = running {
            // Nobody listens when the task has ended already.
            let _ = stop.send(true);
            if let Err(error) = task.await {
                tracing::error!(%error, "the settler did not end in an orderly way; the next start goes on from the database");
            }
        }
        if let Err(error) = self.pools.release().await {
            tracing::warn!(%error, "leased units were not given back; they are free again once their lease lapses");
        }
    }

    /// Unix milliseconds, for receipts.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.ports.clock.now_ms()).unwrap_or(0)
    }
}

/// Starts the settler.
pub fn start_workers(app: &AppState) {
    let execution = &app.execution;
    let (stop, stopped) = watch::channel(false);
    let settler = Settler {
        db: execution.ports.db.clone(),
        clock: Arc::clone(&execution.ports.clock),
        licensing: Arc::clone(&execution.ports.licensing),
        config: execution.settle_config.clone(),
        server: execution.server.clone(),
        in_flight: tokio::sync::Mutex::new(HashMap::new()),
    };
    let task = tokio::spawn(settler.run(stopped));
    *execution.settler.lock().unwrap_or_else(PoisonError::into_inner) = Some(Running { stop, task });
}

/// The routes of this domain.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(invoke::execute)).merge(receipts::routes()).merge(settle::routes())
}
