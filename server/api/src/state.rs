//! What handlers reach.

use std::sync::Arc;

use clawos_base::database::DataLock;
use clawos_base::idempotency::Idempotency;
use clawos_base::{Clock, Database};
use clawos_config::{ChainConfig, ListenConfig};
use clawos_execution::Execution;
use clawos_identity::{Identity, RateLimits};
use clawos_licensing::Licensing;
use clawos_registry::Registry;
use clawos_runtime::{RuntimeKind, Sandbox};
use clawos_storage::ArtifactStore;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::detached::Detached;

/// Everything a handler can reach. `server/app` makes it.
pub struct App {
    /// Where the server listens and the origin it is known by.
    pub listen: ListenConfig,
    /// The endpoint that clients are told to read the chain from.
    pub chain: ChainConfig,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The database.
    pub db: Database,
    /// Artifacts by hash.
    pub storage: Arc<dyn ArtifactStore>,
    /// Where modules run.
    pub sandbox: Arc<dyn Sandbox>,
    /// Agents, sessions, keys.
    pub identity: Arc<Identity>,
    /// Skills and versions.
    pub registry: Arc<Registry>,
    /// Licences and the chain.
    pub licensing: Arc<Licensing>,
    /// Calls, receipts and settlement.
    pub execution: Arc<Execution>,
    /// Idempotency keys.
    pub idempotency: Arc<Idempotency>,
    /// Rate limits.
    pub rate_limits: Arc<RateLimits>,
    /// Requests that outlive their connections.
    pub detached: Detached,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
    /// Keeps other servers out of the data folder, as long as a request uses anything of this one.
    pub lock: DataLock,
}

impl App {
    /// Names the engine that runs WASM modules, with its price list; empty where there is none.
    pub fn engine(&self) -> String {
        self.sandbox.engine(RuntimeKind::Wasm).map(|id| id.to_string()).unwrap_or_default()
    }
}

/// The state that axum hands to handlers.
pub type AppState = Arc<App>;
