//! The wasmtime engine: what code is generated, what it costs, how it is interrupted, and the instance pool.
//!
//! Everything that changes generated code or its price is in [`code_config`], shared by the proxy and the compile
//! child. Whoever changes a price or the type of `run` gives [`COSTS`] a new number: it is part of every receipt and of
//! cache names.

use std::{
    hash::{Hash as _, Hasher},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Engine, Inlining, InstanceAllocationStrategy, OperatorCost, OptLevel, PoolingAllocationConfig, WasmFeatures,
};

use crate::limits::{MAX_MEMORY_BYTES, STACK_BYTES};

/// Version of what a replay depends on beside the engine's release: what operators and host calls cost, and the type of
/// `run`. A change of either is a new version, under which receipts of earlier ones are not replayed.
pub const COSTS: &str = "costs-3";
/// The wasmtime release this crate is pinned to.
const WASMTIME: &str = "wasmtime-48.0.8";

/// Fuel for one call into the host: it takes about as long as this many instructions.
pub(crate) const HOST_CALL_FUEL: u64 = 500;
/// Fuel for each byte that a host call hands over.
pub(crate) const HOST_BYTE_FUEL: u64 = 1;

/// Time between two looks at the wall clock while a guest computes. From its second tick on a guest also gives way to
/// others this often.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// Instances beside those of calls, so that publishing can try some out while all calls run.
pub(crate) const SPARE_INSTANCES: u32 = 4;

/// Largest number of core instances, memories and tables one component may be made of. Python guests have 38 core
/// instances, QuickJS ones 3 memories.
pub(crate) const MAX_CORE_INSTANCES: u32 = 64;
pub(crate) const MAX_MEMORIES: u32 = 4;
pub(crate) const MAX_TABLES: u32 = 8;
/// Entries of one table. StarlingMonkey needs 7,691.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 20_000;

/// Bytes of the host that one core instance takes beside its memories and tables, and those of one component together:
/// 32 for each function that can be called from outside or through a table, 16 for each global.
const MAX_CORE_INSTANCE_BYTES: usize = 1024 * 1024;
const MAX_INSTANCE_BYTES: usize = 4 * 1024 * 1024;

/// Memory of a slot that is cleaned by writing zeros, in bytes: cheaper than handing pages back for what most
/// calls touch.
const KEEP_MEMORY: usize = 1024 * 1024;
const KEEP_TABLE: usize = 64 * 1024;
/// Stack of a fiber beyond the guest's own, for host functions, in bytes.
const HOST_STACK_BYTES: usize = 1536 * 1024;

/// For which processors code is generated. Output and fuel are the same with both, except that a guest which recurses
/// to the end of its stack may get there with one and not with the other: their frames differ in size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cpu {
    /// The processor of this machine, with all it can do.
    #[default]
    Native,
    /// Any processor of this architecture: compiled code can be shared between unlike machines.
    Baseline,
}

/// Names the engine and its prices, as in receipts.
pub(crate) fn id() -> String {
    format!("{WASMTIME}+{COSTS}")
}

/// What a guest pays for each operator: wasmtime's table (1 for nearly all, 1 per byte or element for bulk ones),
/// except growing memory, whose pages the host must clear.
fn operator_costs() -> OperatorCost {
    let mut costs = OperatorCost::new();
    costs.MemoryGrow = u8::MAX;
    costs.variable.memory_grow_per_page = u8::MAX;
    costs
}

/// All that generated code depends on.
fn code_config(cpu: Cpu) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    if cpu == Cpu::Baseline {
        config.target(if cfg!(target_arch = "aarch64") {
            "aarch64-unknown-linux-gnu"
        } else {
            "x86_64-unknown-linux-gnu"
        })?;
    }
    config
        .wasm_component_model(true)
        .wasm_features(refused_features(), false)
        .consume_fuel(true)
        .operator_cost(operator_costs())
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .cranelift_opt_level(OptLevel::Speed)
        .compiler_inlining(Inlining::No)
        .generate_address_map(false)
        .concurrency_support(false)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(STACK_BYTES + HOST_STACK_BYTES);
    Ok(config)
}

/// Proposals no guest needs: each is more surface, and some are not deterministic. Several memories are not among them:
/// where parts of a component pass each other text, as in QuickJS guests, the engine's own code between them uses two.
fn refused_features() -> WasmFeatures {
    WasmFeatures::THREADS
        | WasmFeatures::SHARED_EVERYTHING_THREADS
        | WasmFeatures::MEMORY64
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::LEGACY_EXCEPTIONS
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::GC
        | WasmFeatures::CUSTOM_PAGE_SIZES
        | WasmFeatures::STACK_SWITCHING
        | WasmFeatures::WIDE_ARITHMETIC
        | WasmFeatures::CM_ASYNC
        | WasmFeatures::CM_GC
}

/// The engine of the compile child. It generates code and never runs any.
pub(crate) fn compiler(cpu: Cpu) -> wasmtime::Result<Engine> {
    let mut config = code_config(cpu)?;
    // One thread, so that the child's processor limit means what it says.
    config.parallel_compilation(false);
    Engine::new(&config)
}

/// The engine that runs guests, with a pool for `max_concurrent` calls, `max_nested` nested ones beside them,
/// and [`SPARE_INSTANCES`].
pub(crate) fn runner(cpu: Cpu, max_concurrent: u32, max_nested: u32) -> wasmtime::Result<Engine> {
    let slots = max_concurrent.saturating_add(max_nested).saturating_add(SPARE_INSTANCES);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(MAX_CORE_INSTANCES))
        .total_memories(slots.saturating_mul(MAX_MEMORIES))
        .total_tables(slots.saturating_mul(MAX_TABLES))
        .total_stacks(slots)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .max_memories_per_module(1)
        .max_tables_per_module(MAX_TABLES)
        .max_core_instance_size(MAX_CORE_INSTANCE_BYTES)
        .max_component_instance_size(MAX_INSTANCE_BYTES)
        .max_memory_size(usize::try_from(MAX_MEMORY_BYTES).expect("256 MiB fits any address space"))
        .table_elements(MAX_TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_MEMORY)
        .table_keep_resident(KEEP_TABLE);
    let mut config = code_config(cpu)?;
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config)?;
    start_ticker(&engine)?;
    Ok(engine)
}

/// Moves the engine's epoch every [`TICK`], for as long as the engine lives.
fn start_ticker(engine: &Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    std::thread::Builder::new().name("clawos-ticker".to_owned()).spawn(tick)?;
    Ok(())
}

/// Short hash of all that compiled code depends on. Code made under another one is never loaded.
pub(crate) fn compatibility(engine: &Engine) -> String {
    struct Sha256Hasher(Sha256);
    impl Hasher for Sha256Hasher {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            let digest: [u8; 32] = self.0.clone().finalize().into();
            u64::from_le_bytes(digest[..8].try_into().expect("eight of 32 bytes"))
        }
    }
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}-{COSTS}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_in_receipts_names_the_release_that_is_pinned() {
        let workspace = include_str!("../../../Cargo.toml");
        let pin = format!("wasmtime = {{ version = \"={}\"", WASMTIME.trim_start_matches("wasmtime-"));
        assert!(workspace.contains(&pin), "{pin}");
        assert_eq!(id(), "wasmtime-48.0.8+costs-3");
    }
}
