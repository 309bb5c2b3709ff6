//! Log lines, which the caller gets with the answer.
//!
//! Each function takes anything that can be displayed: `log::info("done")`, `log::warn(format_args!("{n} left"))`.
//! A run may log 16 KiB; what comes after is dropped, and that is never a
//! failure. On the host lines go to standard error.

use std::fmt::Display;

/// Logs what only the author wants to know.
pub fn debug(message: impl Display) {
    write(Level::Debug, &message);
}

/// Logs what the caller may want to know.
pub fn info(message: impl Display) {
    write(Level::Info, &message);
}

/// Logs something odd that did not prevent the answer.
pub fn warn(message: impl Display) {
    write(Level::Warn, &message);
}

/// Logs why there is no answer.
pub fn error(message: impl Display) {
    write(Level::Error, &message);
}

#[cfg(target_family = "wasm")]
use crate::bindings::clawos::skill::log::Level;

#[cfg(target_family = "wasm")]
fn write(level: Level, message: &dyn Display) {
    crate::bindings::clawos::skill::log::write(level, &message.to_string());
}

#[cfg(not(target_family = "wasm"))]
#[derive(Debug)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[cfg(not(target_family = "wasm"))]
fn write(level: Level, message: &dyn Display) {
    eprintln!("{level:?}: {message}");
}
