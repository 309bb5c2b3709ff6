//! The rival: wasmtime as its documentation says to use it for speed (`InstancePre`, instance pool, a fresh store for
//! each call), with nothing around it: no limits, no clock, no log, no bill. The guarded one has what a host cannot do
//! without that runs strangers' code beside its own work: async calls, epochs and a limit of memory.

use std::time::Duration;

use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, Lower};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreLimits, StoreLimitsBuilder,
};

/// Instances in the pool; one is used at a time.
const INSTANCES: u32 = 4;
/// Fuel of a call: more than any of the cases needs.
const FUEL: u64 = 1_000_000_000;

/// Memory of a guarded call, in bytes: the default of the runtime.
const MEMORY: usize = 64 << 20;
/// Time between two looks at the epoch, as in the runtime.
const TICK: Duration = Duration::from_millis(2);

/// What a rival does beside running the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    None,
    Fuel,
    /// Fuel, and for [`Raw::call_guarded`].
    Guarded,
}

/// A component, ready to be called.
pub(crate) struct Raw {
    pre: InstancePre<StoreLimits>,
    run: ComponentExportIndex,
    care: Care,
}

/// `enum error-code` of `clawos:skill/types`.
#[derive(Clone, Copy, Debug, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "its values come from guests only")]
enum ErrorCode {
    #[component(name = "bad-request")]
    BadRequest,
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "unavailable")]
    Unavailable,
    #[component(name = "internal")]
    Internal,
}

/// `record skill-error` of `clawos:skill/types`.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct SkillError {
    #[component(name = "code")]
    code: ErrorCode,
    #[component(name = "message")]
    message: String,
}

/// `record context` of `clawos:skill/types`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
struct Context {
    #[component(name = "call-id")]
    call_id: &'static str,
    #[component(name = "tier")]
    tier: Option<&'static str>,
    #[component(name = "fuel-limit")]
    fuel_limit: u64,
    #[component(name = "memory-limit")]
    memory_limit: u64,
}

/// What the runtime tells every call, too.
const CONTEXT: Context = Context { call_id: crate::CALL_ID, tier: None, fuel_limit: FUEL, memory_limit: MEMORY as u64 };

/// What `run` takes: endpoint, payload and context.
type Call<'a> = (&'a str, &'a str, &'a Context);

impl Raw {
    /// Compiles `component` for an engine that takes this much care.
    pub(crate) fn new(component: &[u8], care: Care) -> wasmtime::Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        // As in the runtime, so that both clean up after a call in the same way.
        pool.total_component_instances(INSTANCES)
            .max_memory_size(256 << 20)
            .table_elements(20_000)
            .linear_memory_keep_resident(1 << 20)
            .table_keep_resident(64 << 10);
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .concurrency_support(false)
            .consume_fuel(care != Care::None)
            .epoch_interruption(care == Care::Guarded)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;
        if care == Care::Guarded {
            start_ticker(&engine);
        }
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::new(&engine);
        // What the guests import, the measured calls do not use.
        linker.define_unknown_imports_as_traps(&component)?;
        let run = component.get_export_index(None, "run").ok_or_else(|| wasmtime::Error::msg("no function `run`"))?;
        Ok(Self { pre: linker.instantiate_pre(&component)?, run, care })
    }

    /// One call in a fresh instance.
    pub(crate) fn call(&self, endpoint: &str, payload: &str) -> wasmtime::Result<String> {
        let mut store = Store::new(self.pre.engine(), StoreLimits::default());
        if self.care != Care::None {
            store.set_fuel(FUEL)?;
        }
        let instance = self.pre.instantiate(&mut store)?;
        let run = instance.get_typed_func::<Call<'_>, (Result<String, SkillError>,)>(&mut store, &self.run)?;
        let (answer,) = run.call(&mut store, (endpoint, payload, &CONTEXT))?;
        answer.map_err(|error| wasmtime::Error::msg(format!("{:?}: {}", error.code, error.message)))
    }
    /// The same as a server must do it: on a fiber, giving way at each tick, with bounded memory.
    pub(crate) async fn call_guarded(&self, endpoint: &str, payload: &str) -> wasmtime::Result<String> {
        let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
        let mut store = Store::new(self.pre.engine(), limits);
        store.limiter(|limits| limits);
        store.set_fuel(FUEL)?;
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let instance = self.pre.instantiate_async(&mut store).await?;
        let run = instance.get_typed_func::<Call<'_>, (Result<String, SkillError>,)>(&mut store, &self.run)?;
        let (answer,) = run.call_async(&mut store, (endpoint, payload, &CONTEXT)).await?;
        answer.map_err(|error| wasmtime::Error::msg(format!("{:?}: {}", error.code, error.message)))
    }
}

/// Moves the engine's epoch for as long as the engine lives.
fn start_ticker(engine: &Engine) {
    let engine = engine.weak();
    std::thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    });
}
