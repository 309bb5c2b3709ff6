//! The load itself: `wrk` for a few seconds, and what it saw.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::error::{LoadError, doing};

/// Connections, each with one request on its way.
pub(crate) const CONNECTIONS: u32 = 32;
/// Threads of `wrk`.
const THREADS: u32 = 2;

/// Whom to load, and with what.
#[derive(Debug)]
pub(crate) struct Target {
    /// What it is called in the report.
    pub(crate) name: &'static str,
    /// Where the requests go.
    pub(crate) url: String,
    /// Every request's body.
    pub(crate) body: String,
    /// Bearer token; empty for none.
    pub(crate) token: String,
    /// Whether each request has an `Idempotency-Key` of its own.
    pub(crate) keyed: bool,
}

/// What `wrk` reports, as post.lua writes it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Seen {
    /// Answers.
    pub(crate) requests: u64,
    /// Time they took, all in all.
    pub(crate) duration_us: u64,
    /// Latency that half of them stayed below.
    pub(crate) p50_us: u64,
    /// Latency that 99 of 100 stayed below.
    pub(crate) p99_us: u64,
    status_errors: u64,
    socket_errors: u64,
}

/// Loads `target` for `time`. `run` makes its idempotency keys differ from those of other runs.
pub(crate) fn load(target: &Target, time: Duration, run: u32) -> Result<Seen, LoadError> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/post.lua");
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", &THREADS.to_string(), "--connections", &CONNECTIONS.to_string()]);
    wrk.args(["--duration", &format!("{}s", time.as_secs()), "--timeout", "5s", "--script"]).arg(script);
    let keys = if target.keyed { format!("load-{run}") } else { String::new() };
    wrk.arg(&target.url).env("LOAD_BODY", &target.body).env("LOAD_TOKEN", &target.token).env("LOAD_KEYS", keys);
    let output = wrk.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => doing("wrk (Debian's package of that name; scripts/bench installs it)")(error),
        _ => doing("wrk")(error),
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let seen: Option<Seen> = text.lines().rev().find_map(|line| serde_json::from_str(line).ok());
    let seen = seen.ok_or_else(|| LoadError::Answer { program: "wrk".to_owned(), said: text })?;
    match seen.status_errors + seen.socket_errors {
        0 => Ok(seen),
        failed => Err(LoadError::Failed { target: target.name, failed, requests: seen.requests }),
    }
}
