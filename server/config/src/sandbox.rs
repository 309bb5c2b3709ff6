//! How modules run, and what a manifest may ask for here.

use std::path::PathBuf;

use clap::value_parser;
use clawos_manifest::Limits;
use clawos_manifest::limits::{MAX_FUEL, MAX_MEMORY_MIB, MAX_OUTPUT_KIB, MAX_WALL_MS};

/// Pool, compiler and caches of the WASM sandbox, and the bounds of manifests.
#[derive(Clone, Debug, clap::Args)]
pub struct SandboxConfig {
    /// Calls that run at the same time, at most; above it callers get 503 with `Retry-After`.
    #[arg(long, env = "CLAWOS_SANDBOX_SLOTS", default_value_t = 64, value_parser = value_parser!(u32).range(1..=1_000))]
    pub sandbox_slots: u32,
    /// Most fuel a call that a manifest may ask for (1,000 to 1,000,000,000). Like the other bounds of manifests it counts for
    /// what is published from now on: a version keeps the limits that its publisher signed.
    #[arg(long, env = "CLAWOS_MAX_FUEL", default_value_t = MAX_FUEL, value_parser = value_parser!(u64).range(1_000..=MAX_FUEL))]
    pub max_fuel: u64,
    /// Most memory a call that a manifest may ask for (MiB, 1 to 256).
    #[arg(long, env = "CLAWOS_MAX_MEMORY_MIB", default_value_t = MAX_MEMORY_MIB,
        value_parser = value_parser!(u32).range(1..=i64::from(MAX_MEMORY_MIB)))]
    pub max_memory_mib: u32,
    /// Most time a call that a manifest may ask for (milliseconds, 10 to 30,000).
    #[arg(long, env = "CLAWOS_MAX_WALL_MS", default_value_t = MAX_WALL_MS,
        value_parser = value_parser!(u32).range(10..=i64::from(MAX_WALL_MS)))]
    pub max_wall_ms: u32,
    /// Largest answer of a call that a manifest may ask for (KiB, 1 to 256).
    #[arg(long, env = "CLAWOS_MAX_OUTPUT_KIB", default_value_t = MAX_OUTPUT_KIB,
        value_parser = value_parser!(u32).range(1..=i64::from(MAX_OUTPUT_KIB)))]
    pub max_output_kib: u32,
    /// Compiled code kept in memory, at most (MiB, 64 to 65,536). What was not used for longest goes first.
    #[arg(long, env = "CLAWOS_LOADED_CODE_MIB", default_value_t = 512, value_parser = value_parser!(u64).range(64..=65_536))]
    pub loaded_code_mib: u64,
    /// Compiled code kept in the data folder, at most (MiB, 64 to 1,048,576). What was not read for longest goes first, and is
    /// compiled again when it is wanted.
    #[arg(long, env = "CLAWOS_COMPILED_CACHE_MIB", default_value_t = 4_096, value_parser = value_parser!(u64).range(64..=1_048_576))]
    pub compiled_cache_mib: u64,
    /// How long one compilation may take (seconds, 10 to 120). A busy host needs more than the 60 s of processor time that
    /// each has.
    #[arg(long, env = "CLAWOS_COMPILE_WALL_SECS", default_value_t = 120, value_parser = value_parser!(u64).range(10..=120))]
    pub compile_wall_secs: u64,
    /// The program that compiles modules, called with `compile`. Default: this program.
    #[arg(long, env = "CLAWOS_COMPILER", hide = true)]
    pub compiler: Option<PathBuf>,
}

impl SandboxConfig {
    /// The most that a manifest may ask for.
    pub fn max_limits(&self) -> Limits {
        let Self { max_fuel, max_memory_mib, max_wall_ms, max_output_kib, .. } = *self;
        Limits { fuel: max_fuel, memory_mib: max_memory_mib, wall_ms: max_wall_ms, output_kib: max_output_kib }
    }
}
