//! The rival: wasmtime as its documentation says to use it for speed (`InstancePre`, instance pool, a fresh store for
//! each call), with nothing around it: no limits, no clock, no log, no bill.

use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

/// Instances in the pool; one is used at a time.
const INSTANCES: u32 = 4;
/// Fuel of a call: more than any of the cases needs.
const FUEL: u64 = 1_000_000_000;

/// A component, ready to be called.
pub(crate) struct Raw {
    pre: InstancePre<()>,
    run: ComponentExportIndex,
    fuel: bool,
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

impl Raw {
    /// Compiles `component` for an engine that counts fuel, or does not.
    pub(crate) fn new(component: &[u8], fuel: bool) -> wasmtime::Result<Self> {
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
            .consume_fuel(fuel)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::new(&engine);
        // What the guests import, the measured calls do not use.
        linker.define_unknown_imports_as_traps(&component)?;
        let run = component.get_export_index(None, "run").ok_or_else(|| wasmtime::Error::msg("no function `run`"))?;
        Ok(Self { pre: linker.instantiate_pre(&component)?, run, fuel })
    }

    /// One call in a fresh instance.
    pub(crate) fn call(&self, endpoint: &str, payload: &str) -> wasmtime::Result<String> {
        let mut store = Store::new(self.pre.engine(), ());
        if self.fuel {
            store.set_fuel(FUEL)?;
        }
        let instance = self.pre.instantiate(&mut store)?;
        let run = instance.get_typed_func::<(&str, &str), (Result<String, SkillError>,)>(&mut store, &self.run)?;
        let (answer,) = run.call(&mut store, (endpoint, payload))?;
        answer.map_err(|error| wasmtime::Error::msg(format!("{:?}: {}", error.code, error.message)))
    }
}
