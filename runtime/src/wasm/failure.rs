//! Which failure an error of the engine is.

use thiserror::Error;
use wasmtime::{Trap, WasmBacktrace};

use crate::{
    Failure,
    error::{MAX_FAILURE_TEXT, truncated},
};

/// The guest wanted more memory than its limit.
#[derive(Debug, Error)]
#[error("memory limit reached")]
pub(super) struct MemoryLimit;

/// The guest ran longer than its wall-clock limit, or than its caller's deadline.
#[derive(Debug, Error)]
#[error("deadline reached")]
pub(super) struct DeadlineReached;

/// The caller cancelled the call.
#[derive(Debug, Error)]
#[error("cancelled")]
pub(super) struct Cancelled;

/// The guest used something it was not granted.
#[derive(Debug, Error)]
#[error("it was denied {0}")]
pub(super) struct Denied(pub(super) &'static str);

/// How wasmtime says that a value is larger than the hostcall fuel. It has no public type for it; a test notices
/// when the words change.
const TOO_MUCH_DATA: &str = "fuel allocated for hostcalls has been exhausted";

/// Says which failure `error` is.
pub(super) fn classify(error: &wasmtime::Error) -> Failure {
    if error.is::<DeadlineReached>() {
        return Failure::Deadline;
    }
    if error.is::<Cancelled>() {
        return Failure::Cancelled;
    }
    if error.is::<MemoryLimit>() {
        return Failure::Memory;
    }
    if let Some(denied) = error.downcast_ref::<Denied>() {
        return Failure::Denied(denied.0.to_owned());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Failure::OutOfFuel,
        Some(Trap::StackOverflow) => return Failure::StackOverflow,
        Some(Trap::Interrupt) => return Failure::Deadline,
        _ => {}
    }
    let text = error.root_cause().to_string();
    // Outside of WASM frames the only value a guest hands over is its result.
    if text.contains(TOO_MUCH_DATA) && error.downcast_ref::<WasmBacktrace>().is_none() {
        return Failure::OutputTooLarge;
    }
    Failure::Trap(truncated(text, MAX_FAILURE_TEXT))
}
