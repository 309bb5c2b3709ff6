//! The WASM back end: components on wasmtime, precompiled by a child process, one fresh instance per call.

pub mod bindings;
mod cache;
pub mod compile;
mod engine;
mod failure;
mod footprint;
mod instance;
mod kv;
mod lane;
mod modules;
pub mod validate;
mod wasi;
mod watch;

use std::{collections::BTreeSet, num::NonZeroU8, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Semaphore;

pub use compile::CompilerCommand;
pub use engine::{COSTS, Cpu};

use crate::{
    Engine, Invocation, Limits, ModuleInfo, ModuleRef, ModuleSource, Outcome, Permission, RuntimeKind, Sandbox,
    Unavailable, limits::MAX_MEMORY_BYTES,
};
use lane::SlowLane;
use modules::Modules;

/// The answer to one call too many. What its caller should wait is about as long as a short call takes.
const FULL: Unavailable = Unavailable::PoolFull { retry_after: Duration::from_millis(100) };

/// How a [`WasmSandbox`] is set up.
#[derive(Clone, Debug)]
pub struct WasmConfig {
    /// Folder of the compiled-code cache. It becomes private to this user (0700).
    pub cache_dir: PathBuf,
    /// How to start the compile child.
    pub compiler: CompilerCommand,
    /// Most calls at once; one more is told to try again. Each may take up to its memory limit.
    pub max_concurrent: u32,
    /// Most nested calls at once, beside those; one more is told to try again. With 0 every nested call is.
    pub max_nested: u32,
    /// Most bytes of compiled code kept in memory. The least recently used goes first.
    pub max_loaded_bytes: u64,
    /// Most bytes of compiled code kept in the cache folder. What was not read for longest goes first.
    pub max_cached_bytes: u64,
    /// Most processor time of one compilation, in seconds.
    pub compile_cpu_secs: NonZeroU8,
    /// Most wall-clock time of one compilation. On a busy host it is more than its processor time.
    pub compile_wall: Duration,
    /// For which processors to compile.
    pub cpu: Cpu,
    /// Which permissions modules may use here: what their interfaces need is linked, and a call still has to be granted
    /// it. By default none.
    pub offers: BTreeSet<Permission>,
}

impl WasmConfig {
    /// The defaults, with the compiled-code cache in `cache_dir` and this program's own `compile` as compiler.
    #[must_use]
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            compiler: CompilerCommand::this_program(),
            max_concurrent: 64,
            // A chain of nested calls has room on the smallest host.
            max_nested: 8,
            max_loaded_bytes: 512 * 1024 * 1024,
            // A hundred of the largest guests (40 MB each), or thousands of small ones.
            max_cached_bytes: 4 * 1024 * 1024 * 1024,
            compile_cpu_secs: const { NonZeroU8::new(60).expect("more than none") },
            compile_wall: Duration::from_secs(120),
            cpu: Cpu::default(),
            offers: BTreeSet::new(),
        }
    }
}

/// The sandbox for WASM components.
pub struct WasmSandbox {
    modules: Modules,
    engine: Engine,
    /// A permit for each call that may run.
    calls: Arc<Semaphore>,
    /// A permit for each nested call that may run. Nested calls take no permit of `calls`: their parents hold those, and
    /// would wait for ever when all did.
    nested: Arc<Semaphore>,
    /// A permit for each instance that may be tried out beside the calls.
    trials: Arc<Semaphore>,
    slow_lane: SlowLane,
}

impl WasmSandbox {
    /// Starts the engine, its instance pool and its clock.
    ///
    /// # Errors
    /// [`Unavailable::Host`] when the cache folder cannot be used or the pool's address space cannot be had.
    pub fn new(config: WasmConfig, source: Arc<dyn ModuleSource>) -> Result<Self, Unavailable> {
        let calls = Arc::new(Semaphore::new(config.max_concurrent as usize));
        let nested = Arc::new(Semaphore::new(config.max_nested as usize));
        let trials = Arc::new(Semaphore::new(engine::SPARE_INSTANCES as usize));
        let slow_lane =
            SlowLane::start().map_err(|error| Unavailable::Host(format!("no threads for guests: {error}")))?;
        let engine = Engine { kind: RuntimeKind::Wasm, id: engine::id().into() };
        Ok(Self { modules: Modules::new(config, source)?, engine, calls, nested, trials, slow_lane })
    }

    fn check_kind(&self, module: &ModuleRef) -> Result<(), Unavailable> {
        if module.kind == self.engine.kind {
            Ok(())
        } else {
            Err(Unavailable::unsupported(module.kind, &self.engines()))
        }
    }
}

fn host(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::Host(error.to_string())
}

/// Why the engine could not make an instance: for want of a slot, or by a fault of its own.
fn no_instance(error: wasmtime::Error) -> Unavailable {
    if error.is::<wasmtime::PoolConcurrencyLimitError>() { FULL } else { host(error) }
}

#[async_trait]
impl Sandbox for WasmSandbox {
    async fn run(&self, module: &ModuleRef, invocation: Invocation) -> Result<Outcome, Unavailable> {
        self.check_kind(module)?;
        // The module first: who waits for the compiler must not keep those out who need not.
        let module = tokio::select! {
            biased;
            module = self.modules.get(module) => module?,
            reason = invocation.wait_until_too_late() => return Err(reason),
        };
        if let Some(reason) = invocation.too_late() {
            return Err(reason);
        }
        let places = if invocation.parent.is_some() { &self.nested } else { &self.calls };
        let permit = places.clone().try_acquire_owned().map_err(|_| FULL)?;
        let engine = self.engine.id.clone();
        let call = async move {
            let outcome = module.call(invocation, engine).await;
            drop(permit);
            outcome
        };
        self.slow_lane.run(call).await.map_err(host)?.map_err(no_instance)
    }

    async fn prepare(&self, module: &ModuleRef) -> Result<ModuleInfo, Unavailable> {
        self.check_kind(module)?;
        let (info, module) = self.modules.prepare(module).await?;
        let permit = self.trials.clone().acquire_owned().await.map_err(host)?;
        let limits = Limits { memory_bytes: MAX_MEMORY_BYTES, ..Limits::default() };
        let instance = async move {
            let tried = module.try_instance(limits).await;
            drop(permit);
            tried
        };
        let tried = self.slow_lane.run(instance).await.map_err(host)?;
        tried.map_err(no_instance)?.map_err(Unavailable::InvalidModule)?;
        Ok(info)
    }

    fn engines(&self) -> Vec<Engine> {
        vec![self.engine.clone()]
    }
}
