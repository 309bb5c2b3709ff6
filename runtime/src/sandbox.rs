//! The one interface of every sandbox back end: what a call is given and what it gives back.
//!
//! Nothing here names a back end, so a Docker engine or another WASM engine can stand behind the same trait.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use clawos_manifest::source::RuntimeKind;

use crate::{
    Exchange, Failure, HeldEffects, Invocation, MAX_FAILURE_TEXT, ModuleInfo, ModuleRef, Unavailable, error::truncated,
};

/// Runs untrusted modules. One value serves a whole process; every call is isolated from every other.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// Runs one call of `module` and reports what happened, bill included.
    ///
    /// A module that is not ready yet (a first call after a restart) is made ready first; that time is not billed.
    ///
    /// # Errors
    /// [`Unavailable`] when no call took place: nothing was executed and nothing may be charged.
    async fn run(&self, module: &ModuleRef, invocation: Invocation) -> Result<Outcome, Unavailable>;

    /// Checks, compiles and tries a module: all that must succeed before it may be published.
    ///
    /// # Errors
    /// [`Unavailable::InvalidModule`] with the reason when the module is refused.
    async fn prepare(&self, module: &ModuleRef) -> Result<ModuleInfo, Unavailable>;

    /// The engines, one for each kind of module that is run here.
    fn engines(&self) -> Vec<Engine>;

    /// Names the engine for one kind of module, as [`Outcome::engine`] does. None: that kind is not run here.
    fn engine(&self, kind: RuntimeKind) -> Option<Arc<str>> {
        self.engines().into_iter().find(|engine| engine.kind == kind).map(|engine| engine.id)
    }
}

/// What runs modules of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Which modules it runs.
    pub kind: RuntimeKind,
    /// Engine and fuel price list, for example `wasmtime-48.0.8+costs-3`. Part of every receipt: two sandboxes with the
    /// same id bill the same fuel for the same call.
    pub id: Arc<str>,
}

/// What came of a call that took place.
#[derive(Debug)]
pub struct Outcome {
    /// The id of the engine that ran it ([`Engine::id`]).
    pub engine: Arc<str>,
    /// The guest's answer (JSON text, UTF-8), or why there is none.
    pub result: Result<Bytes, Failure>,
    /// What the guest logged, in order, as far as the log limit allowed.
    pub logs: Vec<LogLine>,
    /// Whether some of the log was cut off.
    pub logs_truncated: bool,
    /// What the call used; complete for failures too.
    pub usage: Usage,
    /// Whether running it again with the same invocation gives the same output and the same fuel.
    pub replayable: bool,
    /// What the guest learned from outside, in order.
    pub exchanges: Vec<Exchange>,
    /// What it did to the outside: the caller commits it once the receipt is durable. Empty when the call failed.
    pub effects: HeldEffects,
}

/// What one call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Fuel, by the price list named in [`Engine::id`]. At most the limit.
    pub fuel: u64,
    /// Time from start to end, in microseconds.
    pub wall_us: u64,
    /// Processor time of host and guest for this call, in microseconds. Up to its first few milliseconds, which most
    /// calls do not exceed, it is the time from the start.
    pub cpu_us: u64,
    /// Largest sum of all memories and tables of the guest, in bytes.
    pub peak_memory: u64,
    /// Bytes of endpoint and payload.
    pub bytes_in: u64,
    /// Bytes of the result or of the guest's error message.
    pub bytes_out: u64,
    /// Calls from the guest into the host, those on streams and timers of WASI excepted.
    pub host_calls: u64,
}

/// One line of a guest's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How important the guest says it is.
    pub level: LogLevel,
    /// The text, without a line end.
    pub message: String,
}

/// What a guest logged last as a warning or an error, as far as it is together: what a panic says, which would else reach
/// nobody. On one line, at most [`MAX_FAILURE_TEXT`] bytes; of more than that the last lines. None when it logged none.
///
/// It is the skill's text, and for its author only: other callers may learn no more of a failed call than its failure.
#[must_use]
pub fn last_error(logs: &[LogLine]) -> Option<String> {
    let is_problem = |line: &&LogLine| line.level >= LogLevel::Warn;
    let mut text = String::new();
    for line in logs.iter().rev().skip_while(|line| !is_problem(line)).take_while(is_problem) {
        let printable = line.message.replace(char::is_control, " ");
        let line = truncated(printable.split_whitespace().collect::<Vec<_>>().join(" "), MAX_FAILURE_TEXT);
        if text.is_empty() {
            text = line;
        } else if line.len() + 1 + text.len() <= MAX_FAILURE_TEXT {
            text = format!("{line} {text}");
        } else {
            break;
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Importance of a [`LogLine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For the author only.
    Debug,
    /// Worth knowing. Standard output of a guest is logged so.
    Info,
    /// Something is off. Standard error of a guest is logged so.
    Warn,
    /// Something failed.
    Error,
}

impl LogLevel {
    /// The level's name in JSON: `debug`, `info`, `warn` or `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(lines: &[(LogLevel, &str)]) -> Option<String> {
        let line = |&(level, message): &(LogLevel, &str)| LogLine { level, message: message.to_owned() };
        last_error(&lines.iter().map(line).collect::<Vec<_>>())
    }

    #[test]
    fn a_panic_is_told_on_one_line_without_control_characters() {
        let panic = "panicked at src/lib.rs:3:5:\n\u{1b}[31mno\0 row\u{7}";
        let told = last(&[(LogLevel::Error, "earlier"), (LogLevel::Info, "working"), (LogLevel::Error, panic)]);
        assert_eq!(told.as_deref(), Some("panicked at src/lib.rs:3:5: [31mno row"));
        let standard_error = [(LogLevel::Warn, "thread 'main' panicked at"), (LogLevel::Warn, "no row")];
        assert_eq!(last(&standard_error).as_deref(), Some("thread 'main' panicked at no row"));
        assert_eq!(last(&[(LogLevel::Error, "first"), (LogLevel::Info, "then")]).as_deref(), Some("first"));
        assert_eq!(last(&[(LogLevel::Info, "all is well"), (LogLevel::Debug, "still")]), None);
        assert_eq!(last(&[(LogLevel::Error, "")]), None);
    }

    #[test]
    fn what_is_told_is_bounded_and_ends_with_the_end() {
        let long = "x".repeat(2 * MAX_FAILURE_TEXT);
        assert_eq!(last(&[(LogLevel::Error, &long)]).map(|told| told.len()), Some(MAX_FAILURE_TEXT));
        let flood: Vec<_> = (0..1_000).map(|nth| format!("line {nth}")).collect();
        let lines: Vec<_> = flood.iter().map(|line| (LogLevel::Warn, line.as_str())).collect();
        let told = last(&lines).expect("it logged");
        assert!(told.len() <= MAX_FAILURE_TEXT && told.ends_with("line 998 line 999"), "{told}");
    }
}
