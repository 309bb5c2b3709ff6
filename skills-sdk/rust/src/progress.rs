//! How far a call has come, for a caller that follows it live.

use std::fmt::Display;

/// Says that `done` of `total` steps are done; `total` is 0 when it is not known. `note` says what is being done, and is
/// cut at 64 bytes.
///
/// Of several reports within a second only some reach the caller, and none of a caller that does not follow the call;
/// this is never a failure. On the host reports go to standard error.
pub fn report(done: u32, total: u32, note: impl Display) {
    #[cfg(target_family = "wasm")]
    crate::bindings::clawos::skill::progress::report(done, total, &note.to_string());
    #[cfg(not(target_family = "wasm"))]
    eprintln!("Progress: {done}/{total} {note}");
}
