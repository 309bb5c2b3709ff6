//! Opens every part of the server and hands each what it needs. The only place that knows them all.

use std::sync::Arc;
use std::time::Duration;

use clawos_base::Clock;
use clawos_base::database::{DataLock, Database, DatabaseError, LockError};
use clawos_base::idempotency::Idempotency;
use clawos_base::server_id::{self, ServerIdError};
use clawos_base::server_key::{self, ServerKeyError};
use clawos_base::vault::Vault;
use clawos_base::worker::Worker;
use clawos_config::Config;
use clawos_execution::{Execution, ExecutionError, ExecutionPorts, Grants};
use clawos_identity::{DailyCaps, Identity, IdentityPorts, RateLimits};
use clawos_licensing::{Licensing, OpenError};
use clawos_registry::{ArtifactsError, Registry, RegistryPorts};
use clawos_runtime::wasm::{CompilerCommand, WasmConfig, WasmSandbox};
use clawos_runtime::{Dispatcher, Sandbox};
use clawos_server_api::routes::operations;
use clawos_server_api::{App, AppState, Detached};
use clawos_storage::{ArtifactStore, DiskStore, Staging, StorageError, StoredModules};

use crate::{summary, workers};

/// An opened server, which serves nothing yet.
pub struct Server {
    /// What handlers reach.
    pub app: AppState,
    /// What goes on beside the requests.
    pub(crate) workers: Vec<Worker>,
    /// How long running requests may take when it stops (milliseconds).
    pub(crate) shutdown_ms: u64,
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder is in use or cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// This server's id cannot be used.
    #[error(transparent)]
    ServerId(#[from] ServerIdError),
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
    Licensing(#[from] OpenError),
    /// The folder of artifacts is not this database's.
    #[error(transparent)]
    Artifacts(#[from] ArtifactsError),
    /// The execution side cannot start.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
}

impl Server {
    /// Opens every part. Nothing is served, and no worker runs, before [`crate::serve::on`].
    ///
    /// # Errors
    /// [`StartError`]: which part cannot be used, and what to do.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Server, StartError> {
        let (effective, lock) = (config.clone(), DataLock::acquire(&config.data)?);
        let server = server_id::load(&config.data.data)?;
        let vault = Vault::new(&server_key::load(&config.data)?);
        let db = Database::open(&config.data).await?;
        db.check_server_key(&vault).await?;
        let idempotency = Arc::new(Idempotency::new(db.clone(), vault.clone(), Arc::clone(&clock), server.clone()));
        idempotency.drop_dead_claims().await?;
        let storage: Arc<dyn ArtifactStore> = Arc::new(DiskStore::open(config.data.artifacts())?);
        let (staging, grants) = (Staging::default(), Grants::new());
        let modules = StoredModules { store: Arc::clone(&storage), staging: staging.clone() };
        let sandbox = open_sandbox(&config, modules, &grants)?;
        let licensing = open_licensing(&config, db.clone(), Arc::clone(&clock)).await?;
        let rate_limits = Arc::new(RateLimits::new(&config.limits));
        let identity = Arc::new(open_identity(&config, &db, &clock, &licensing, &rate_limits));
        let registry = Arc::new(Registry::new(RegistryPorts {
            db: db.clone(),
            clock: Arc::clone(&clock),
            storage: Arc::clone(&storage),
            staging,
            sandbox: Arc::clone(&sandbox),
            listings: licensing.clone(),
            max_limits: config.sandbox.max_limits(),
        }));
        registry.check_artifacts().await?;
        let ports = ExecutionPorts {
            db: db.clone(),
            clock: Arc::clone(&clock),
            licensing: Arc::clone(&licensing),
            sandbox: Arc::clone(&sandbox),
            grants,
            registry: Arc::clone(&registry),
            idempotency: Arc::clone(&idempotency),
            rate_limits: Arc::clone(&rate_limits),
            vault,
            server,
        };
        let (execution, execution_workers) = Execution::open(&config.settle, &config.limits, ports).await?;
        let app = Arc::new(App {
            listen: config.listen,
            chain: config.chain,
            clock,
            db,
            storage,
            sandbox,
            identity,
            registry,
            licensing,
            execution,
            idempotency,
            rate_limits,
            detached: Detached::default(),
            metrics: operations::recorder(),
            lock,
        });
        summary::log(&effective, &app);
        // In the order they are stopped and drained.
        let workers = [workers::housekeeping(&app)].into_iter().chain(execution_workers).collect();
        Ok(Server { workers, shutdown_ms: app.listen.shutdown_ms, app })
    }
}

fn open_identity(
    config: &Config,
    db: &Database,
    clock: &Arc<dyn Clock>,
    licensing: &Arc<Licensing>,
    rate_limits: &Arc<RateLimits>,
) -> Identity {
    let (sol, usdc) = (config.limits.default_daily_cap_sol, config.limits.default_daily_cap_usdc);
    Identity::new(IdentityPorts {
        db: db.clone(),
        clock: Arc::clone(clock),
        chain: Arc::clone(licensing) as _,
        rate_limits: Arc::clone(rate_limits),
        origin: config.listen.origin(),
        default_daily_caps: DailyCaps { sol, usdc },
    })
}

async fn open_licensing(config: &Config, db: Database, clock: Arc<dyn Clock>) -> Result<Arc<Licensing>, OpenError> {
    let settle_secs = clawos_execution::longest_settlement_secs(&config.settle);
    Ok(Arc::new(Licensing::open(&config.chain, &config.data.data, settle_secs, db, clock).await?))
}

fn open_sandbox(config: &Config, modules: StoredModules, grants: &Grants) -> Result<Arc<dyn Sandbox>, StartError> {
    let mut wasm = WasmConfig::new(config.data.data.join("compiled"));
    wasm.max_concurrent = config.sandbox.sandbox_slots;
    wasm.max_loaded_bytes = config.sandbox.loaded_code_mib << 20;
    wasm.max_cached_bytes = config.sandbox.compiled_cache_mib << 20;
    wasm.compile_wall = Duration::from_secs(config.sandbox.compile_wall_secs);
    wasm.offers = grants.offers();
    // Until skills may call skills.
    wasm.max_nested = 0;
    if let Some(program) = &config.sandbox.compiler {
        wasm.compiler = CompilerCommand { program: program.clone(), ..CompilerCommand::this_program() };
    }
    let sandbox = WasmSandbox::new(wasm, Arc::new(modules)).map_err(|error| StartError::Sandbox(error.into()))?;
    Ok(Arc::new(Dispatcher::new(vec![Arc::new(sandbox)])))
}
