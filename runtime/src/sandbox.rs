//! The one interface of every sandbox back end: what a call is given and what it gives back.
//!
//! Nothing here names a back end, so a Docker engine or another WASM engine can stand behind the same trait.

use std::{collections::BTreeSet, fmt, io, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Failure, Limits, Unavailable, capability::Capabilities};

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

    /// Names the engine and the fuel price list, for example `wasmtime-48.0.8+costs-2`. Part of every receipt: two
    /// sandboxes with the same id bill the same fuel for the same call.
    fn id(&self) -> String;
}

/// Where a sandbox gets a module's bytes from, by content hash.
#[async_trait]
pub trait ModuleSource: Send + Sync {
    /// Loads the artifact with this SHA-256. The sandbox checks the hash itself.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no such artifact; any other error when it cannot be read now.
    async fn load(&self, sha256: [u8; 32]) -> io::Result<Bytes>;
}

/// Names a module by its content.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModuleRef {
    /// SHA-256 of the artifact as published.
    pub sha256: [u8; 32],
}

impl fmt::Debug for ModuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModuleRef({})", hex::encode(self.sha256))
    }
}

/// What is known of a module that passed [`Sandbox::prepare`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleInfo {
    /// Size of the artifact, in bytes.
    pub size: u64,
    /// Every interface the module imports, without version: `clawos:skill/log`, `wasi:random/random`.
    pub permissions: BTreeSet<String>,
}

/// One call of one endpoint.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The call's id: its receipt's, `run_` and 32 hexadecimal digits. The guest is told it.
    pub call_id: String,
    /// The word for the tier of the caller's licence (`personal`, `commercial` or `enterprise`), none without a licence.
    /// The guest is told it.
    pub tier: Option<String>,
    /// The endpoint's name as in the manifest.
    pub endpoint: String,
    /// JSON text (UTF-8), given to the guest byte for byte.
    pub payload: Bytes,
    /// What this call may use.
    pub limits: Limits,
    /// Seed of all randomness the guest sees. Not secret: it is in the receipt.
    pub seed: [u8; 32],
    /// The guest's wall clock, in Unix milliseconds. It stands still during the call.
    pub time_ms: u64,
    /// What the guest was granted beyond log, clock, random and progress.
    pub capabilities: Capabilities,
}

/// What came of a call that took place.
#[derive(Clone, Debug)]
pub struct Outcome {
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
}

/// What one call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Fuel, by the price list named in [`Sandbox::id`]. At most the limit.
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

/// A source that holds its modules in memory, for the command line's local runs and for replays.
#[derive(Clone, Debug, Default)]
pub struct InMemoryModules {
    modules: Arc<std::sync::RwLock<std::collections::HashMap<[u8; 32], Bytes>>>,
}

impl InMemoryModules {
    /// Adds a module and names it.
    #[must_use]
    pub fn add(&self, bytes: impl Into<Bytes>) -> ModuleRef {
        use sha2::Digest as _;
        let bytes = bytes.into();
        let sha256: [u8; 32] = sha2::Sha256::digest(&bytes).into();
        self.modules.write().expect("no code panics while holding this lock").insert(sha256, bytes);
        ModuleRef { sha256 }
    }
}

#[async_trait]
impl ModuleSource for InMemoryModules {
    async fn load(&self, sha256: [u8; 32]) -> io::Result<Bytes> {
        let modules = self.modules.read().expect("no code panics while holding this lock");
        modules.get(&sha256).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
