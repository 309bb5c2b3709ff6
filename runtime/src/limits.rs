//! What one call may use, with units, and the reason for each fixed bound. Defaults are the manifest's.

use std::time::Duration;

use clawos_manifest::limits as manifest;

/// What one call may use: in general the manifest's limits, of which this is the byte-exact form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fuel: about one unit per WASM instruction.
    pub fuel: u64,
    /// Sum of all memories and tables, in bytes.
    pub memory_bytes: u64,
    /// Length of the result, in bytes.
    pub output_bytes: u64,
    /// Length of all log lines together, in bytes. More is cut off and never fails the call.
    pub log_bytes: u64,
    /// Time from start to end.
    pub wall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&clawos_manifest::Limits::default())
    }
}

impl From<&clawos_manifest::Limits> for Limits {
    fn from(limits: &clawos_manifest::Limits) -> Self {
        Self {
            fuel: limits.fuel,
            memory_bytes: limits.memory_bytes(),
            output_bytes: limits.output_bytes(),
            log_bytes: manifest::MAX_LOG_BYTES,
            wall: limits.wall(),
        }
    }
}

/// Largest memory a call can be given, in bytes: the size of a slot of the memory pool.
pub const MAX_MEMORY_BYTES: u64 = (manifest::MAX_MEMORY_MIB as u64) << 20;
/// Largest artifact, in bytes. Python guests have 18 MiB.
pub const MAX_ARTIFACT_BYTES: u64 = manifest::MAX_ARTIFACT_BYTES;
/// Guest stack, in bytes.
pub const STACK_BYTES: usize = manifest::MAX_STACK_BYTES as usize;
/// Most bytes of random data in one request: a guest that wants more asks again, and pays for each.
pub const MAX_RANDOM_BYTES: u64 = 64 * 1024;
/// Most bytes of one log line; a longer one is cut.
pub const MAX_LOG_LINE_BYTES: usize = 4 * 1024;
/// Most bytes of a progress report's note; a longer one is cut.
pub const MAX_PROGRESS_NOTE_BYTES: usize = 64;
/// Most handles (owned resources and borrows) inside one component instance.
pub const MAX_HANDLES: usize = 1_000;
/// Most host-side resources (streams, pollables) of one call.
pub const MAX_RESOURCES: usize = 1_000;
/// Bytes the host copies out of a guest in one call between them, beyond the output limit itself: error text,
/// log lines and headers of values. Stops a guest from passing one buffer many times over.
pub const HOSTCALL_SLACK_BYTES: u64 = 128 * 1024;
