//! Runs untrusted skills: one interface ([`Sandbox`]), its WASM back end ([`wasm`]), and a [`Dispatcher`] for several
//! back ends.
//!
//! # What it guarantees
//!
//! - Nothing a guest does can panic, abort, hang or grow the host. Whatever happens to a call, its memory is returned.
//! - No call sees anything of another: instance, memory, tables and stack are fresh and thrown away.
//! - A call ends at the first of its limits, and its [`Outcome`] says which, with the bill, for failures too.
//! - The same module, payload, limits, seed and time give the same output and the same fuel: on every run, cold or
//!   warm, in another process and on another processor. The exceptions, and the [`Outcome`] says so: a deadline
//!   falls by the host's speed, a cancellation comes when the caller decides, at which depth of calls the stack overflows
//!   depends on the processor that the code was compiled for, and a call that used a capability depends on that.
//! - A guest that computes for long shares threads of its own with its like: the host and short calls stay quick.
//! - Compilation is done by a child process that can be killed; only code that this host compiled is ever loaded.
//!
//! # What a guest is given
//!
//! Log, clock, random and progress, all derived from the call. It has no files, environment, arguments, sockets or name
//! resolution. The list of what is linked is one table, [`wasm::bindings`]; all else is refused at publish. What needs a
//! [`Permission`] is linked only where the host offers it ([`wasm::WasmConfig::offers`], by default nothing), and works
//! only in calls that grant it ([`Capabilities`]). What a call writes is held back until its caller commits it
//! ([`HeldEffects`]).
//!
//! # Limits
//!
//! | what | default | bound | where |
//! | --- | --- | --- | --- |
//! | fuel | 1,000,000,000 | 1,000,000,000; at publish `--max-fuel` | [`Limits::fuel`] |
//! | wall time | 5 s | 30 s; at publish `--max-wall-ms` | [`Limits::wall`] |
//! | memory, all memories and tables together | 64 MiB | 256 MiB; at publish `--max-memory-mib` | [`Limits::memory_bytes`], [`limits::MAX_MEMORY_BYTES`] |
//! | input | | 1 MiB, fixed | `clawos_manifest::limits::MAX_INPUT_BYTES` |
//! | output | 256 KiB | 256 KiB; at publish `--max-output-kib` | [`Limits::output_bytes`] |
//! | log | 16 KiB, 4 KiB a line | fixed | [`Limits::log_bytes`], [`limits::MAX_LOG_LINE_BYTES`] |
//! | stack | 512 KiB | fixed | [`limits::STACK_BYTES`] |
//! | random bytes at a time | 64 KiB | fixed | [`limits::MAX_RANDOM_BYTES`] |
//! | what one call moves through a capability | | fixed | beside the capability: [`capability`] |
//! | note of a progress report | 64 bytes | fixed | [`limits::MAX_PROGRESS_NOTE_BYTES`] |
//! | handles, host resources | 1,000 each | fixed | [`limits::MAX_HANDLES`], [`limits::MAX_RESOURCES`] |
//! | artifact | 32 MiB | fixed | [`limits::MAX_ARTIFACT_BYTES`] |
//! | shape of a module (functions, bodies, nesting …) | | fixed | [`wasm::validate`] |
//! | compiling | 60 s processor, 2 GiB, 120 s wall | processor: the host program; memory fixed; wall `--compile-wall-secs` | [`wasm::compile`] |
//! | compiled code in memory | 512 MiB | `--loaded-code-mib` | [`wasm::WasmConfig::max_loaded_bytes`] |
//! | compiled code on disk | 4 GiB | `--compiled-cache-mib` | [`wasm::WasmConfig::max_cached_bytes`] |
//! | calls at once | 64 | `--sandbox-slots` | [`wasm::WasmConfig::max_concurrent`] |
//! | nested calls at once, beside those | 8; the server, none | the host program | [`wasm::WasmConfig::max_nested`] |
//! | modules remembered as refused | 10,000 for 10 min | fixed | `wasm/modules.rs` |
//! | calls that wait for their module | 64 | fixed | `wasm/modules.rs` |
//!
//! What stands as `--flag` is a setting of `clawos-server serve`, whose default this is. What a run can meet and is fixed (input,
//! log, stack, random bytes …) is part of the format: whoever replays a call to verify its receipt must meet it at the same
//! point, and a version must run on every server as its publisher tried it. So are the bounds of an artifact and of the
//! compiler's memory, which decide whether there is such a version at all. No operator may change those.

pub mod capability;
mod dispatcher;
mod effects;
mod error;
mod examples;
mod invocation;
pub mod limits;
mod module;
mod permission;
mod sandbox;
pub mod wasm;

pub use capability::{CallCapabilities, Capabilities, CapabilityCall, Grant};
pub use clawos_manifest::source::RuntimeKind;
pub use dispatcher::Dispatcher;
pub use effects::{CommitError, Exchange, Exchanges, HeldEffect, HeldEffects};
pub use error::{Failure, GuestErrorCode, MAX_FAILURE_TEXT, Unavailable};
pub use examples::{ExampleRun, ExamplesError, run_examples};
pub use invocation::{CallId, EventSink, Invocation, Tenant};
pub use limits::Limits;
pub use module::{InMemoryModules, ModuleFile, ModuleInfo, ModuleRef, ModuleSource};
pub use permission::{Permission, PermissionMismatch, permission_mismatches};
pub use sandbox::{Engine, LogLevel, LogLine, Outcome, Sandbox, Usage, last_error};
pub use tokio_util::sync::CancellationToken;
pub use wasm::WasmSandbox;
