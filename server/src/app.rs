//! The only place that wires things together: opens every part, and puts the domains' routes on one router.

use crate::clock::Clock;
use crate::config::{Config, ServerKeyError};
use crate::database::{DataLock, Database, DatabaseError, Kind, LockError};
use crate::execution::{self, Execution, ExecutionError};
use crate::http::detach::Detached;
use crate::http::idempotency::Idempotency;
use crate::http::rate_limit::RateLimits;
use crate::http::vault::Vault;
use crate::identity::{self, Credentials};
use crate::licensing::{self, Licensing, LicensingError};
use crate::registry::{self, Registry};
use crate::storage::{ArtifactStore, DiskStore, Staging, StorageError, StoredModules};
use crate::{audit, http};
use clawos_runtime::wasm::{CompilerCommand, WasmConfig, WasmSandbox};
use clawos_runtime::{Dispatcher, RuntimeKind, Sandbox};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// Everything a handler can reach.
pub struct App {
    /// What the server was told.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The database.
    pub db: Database,
    /// Artifacts by hash.
    pub storage: Arc<dyn ArtifactStore>,
    /// Modules that are being checked.
    pub staging: Staging,
    /// Where modules run.
    pub sandbox: Arc<dyn Sandbox>,
    /// Skills and versions.
    pub registry: Arc<Registry>,
    /// Licences and the chain.
    pub licensing: Arc<Licensing>,
    /// Calls, receipts and settlement.
    pub execution: Arc<Execution>,
    /// Recently seen credentials.
    pub credentials: Credentials,
    /// Idempotency keys.
    pub idempotency: Arc<Idempotency>,
    /// Rate limits.
    pub rate_limits: Arc<RateLimits>,
    /// Requests that outlive their connections.
    pub detached: Detached,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
    /// Keeps other servers out of the data folder.
    _lock: DataLock,
}

/// The state that axum hands to handlers.
pub type AppState = Arc<App>;

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder cannot be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The key for stored answers cannot be used.
    #[error(transparent)]
    ServerKey(#[from] ServerKeyError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A statement at start-up failed.
    #[error("the database failed at start-up: {0}")]
    Sql(#[from] sqlx::Error),
    /// The artifact store cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The sandbox cannot be used.
    #[error("the sandbox cannot start: {0}")]
    Sandbox(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The chain side cannot start.
    #[error(transparent)]
    Licensing(#[from] LicensingError),
    /// The execution side cannot start.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
}

impl App {
    /// Opens every part. Background work starts with [`crate::serve::on`].
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<AppState, StartError> {
        let lock = DataLock::acquire(&config.data)?;
        let vault = Vault::new(&config.data.load_server_key()?);
        let db = Database::open(&config.data).await?;
        db.check_server_key(&vault).await?;
        let storage: Arc<dyn ArtifactStore> = Arc::new(DiskStore::open(config.data.artifacts())?);
        let staging = Staging::default();
        let modules = StoredModules { store: Arc::clone(&storage), staging: staging.clone() };
        let sandbox = open_sandbox(&config, modules)?;
        let registry = Arc::new(Registry::new(db.clone()));
        let idempotency = Arc::new(Idempotency::new(db.clone(), vault, Arc::clone(&clock)));
        if db.kind() == Kind::Sqlite {
            idempotency.drop_dead_claims().await?;
        }
        let rate_limits = Arc::new(RateLimits::new(&config.limits));
        let licensing = Licensing::open(&config, db.clone(), Arc::clone(&clock)).await?;
        let ports = execution::Ports {
            db: db.clone(),
            clock: Arc::clone(&clock),
            licensing: Arc::clone(&licensing),
            sandbox: Arc::clone(&sandbox),
            registry: Arc::clone(&registry),
            idempotency: Arc::clone(&idempotency),
            rate_limits: Arc::clone(&rate_limits),
        };
        let execution = Execution::open(&config, ports).await?;
        Ok(Arc::new(App {
            config,
            clock,
            db,
            storage,
            staging,
            sandbox,
            registry,
            licensing,
            execution,
            credentials: Credentials::default(),
            idempotency,
            rate_limits,
            detached: Detached::default(),
            metrics: http::ops::recorder(),
            _lock: lock,
        }))
    }

    /// Names the engine that runs WASM modules, with its price list.
    pub(crate) fn engine(&self) -> String {
        self.sandbox.engine(RuntimeKind::Wasm).map(|id| id.to_string()).unwrap_or_default()
    }
}

fn open_sandbox(config: &Config, modules: StoredModules) -> Result<Arc<dyn Sandbox>, StartError> {
    let mut wasm = WasmConfig::new(config.data.data.join("compiled"));
    wasm.max_concurrent = config.sandbox.sandbox_slots;
    if let Some(program) = &config.sandbox.compiler {
        wasm.compiler = CompilerCommand { program: program.clone(), ..CompilerCommand::this_program() };
    }
    let sandbox = WasmSandbox::new(wasm, Arc::new(modules)).map_err(|error| StartError::Sandbox(error.into()))?;
    Ok(Arc::new(Dispatcher::new(vec![Arc::new(sandbox)])))
}

/// Every route with its documentation.
fn api() -> OpenApiRouter<AppState> {
    let domains = OpenApiRouter::new()
        .merge(identity::routes())
        .merge(audit::routes())
        .merge(registry::routes())
        .merge(licensing::routes())
        .merge(execution::routes());
    OpenApiRouter::with_openapi(http::openapi::base())
        .nest("/api/v1", domains)
        .merge(licensing::well_known())
        .merge(http::routes())
}

/// The whole HTTP surface.
pub fn router(app: &AppState) -> axum::Router {
    let (router, document) = api().split_for_parts();
    let router = router.merge(http::openapi::routes(document));
    http::wrap(router, app).with_state(Arc::clone(app))
}

/// The OpenAPI document, as served at `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().into_openapi()
}
