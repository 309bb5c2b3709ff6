//! The limits a call runs under: defaults, and the most a manifest may ask for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fuel of a call: about two seconds of arithmetic. It is default and maximum: a manifest may lower it.
pub const MAX_FUEL: u64 = 1_000_000_000;
/// Memory of a call by default, in MiB.
pub const DEFAULT_MEMORY_MIB: u32 = 64;
/// Most memory of a call, in MiB: what a pool slot holds.
pub const MAX_MEMORY_MIB: u32 = 256;
/// Wall time of a call by default, in milliseconds.
pub const DEFAULT_WALL_MS: u32 = 5_000;
/// Most wall time of a call that someone waits for, in milliseconds.
pub const MAX_WALL_MS: u32 = 30_000;
/// Answer of a call, in KiB. It is default and maximum: a manifest may lower it.
pub const MAX_OUTPUT_KIB: u32 = 256;
/// Payload of a call, in bytes; not the manifest's to choose.
pub const MAX_INPUT_BYTES: u64 = 1 << 20;
/// Log of a call, in bytes, what exceeds it is cut; not the manifest's to choose.
pub const MAX_LOG_BYTES: u64 = 16 << 10;
/// Stack of a call, in bytes; not the manifest's to choose.
pub const MAX_STACK_BYTES: u64 = 512 << 10;
/// A WASM artifact, in bytes: guests made from JavaScript and Python have 12 to 18 MiB.
pub const MAX_ARTIFACT_BYTES: u64 = 32 << 20;

/// The `[limits]` of a manifest. What is left out has its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Fuel per call, roughly one per instruction; 1,000 to 1,000,000,000.
    #[schemars(range(min = 1_000, max = MAX_FUEL))]
    pub fuel: u64,
    /// Memory in MiB; 1 to 256.
    #[schemars(range(min = 1, max = MAX_MEMORY_MIB))]
    pub memory_mib: u32,
    /// Wall time in milliseconds; 10 to 30,000.
    #[schemars(range(min = 10, max = MAX_WALL_MS))]
    pub wall_ms: u32,
    /// Size of the answer in KiB; 1 to 256.
    #[schemars(range(min = 1, max = MAX_OUTPUT_KIB))]
    pub output_kib: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel: MAX_FUEL, memory_mib: DEFAULT_MEMORY_MIB, wall_ms: DEFAULT_WALL_MS, output_kib: MAX_OUTPUT_KIB }
    }
}

impl Limits {
    /// [`Self::memory_mib`] in bytes.
    pub fn memory_bytes(&self) -> u64 {
        u64::from(self.memory_mib) << 20
    }

    /// Size of the answer in bytes.
    pub fn output_bytes(&self) -> u64 {
        u64::from(self.output_kib) << 10
    }

    /// [`Self::wall_ms`] as a duration.
    pub fn wall(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.wall_ms.into())
    }
}
