//! One call, as its caller asks for it: what is run, for whom, within which bounds, and who listens.

use std::{fmt, sync::Arc, time::Instant};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::{Limits, LogLine, Unavailable, capability::Capabilities};

/// One call of one endpoint.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The call's id, its receipt's: `run_` and 32 hexadecimal digits. The guest is told it.
    pub call: CallId,
    /// The word for the tier of the caller's licence (`personal`, `commercial` or `enterprise`), none without a licence.
    /// The guest is told it.
    pub tier: Option<String>,
    /// The call whose guest makes this one, if it is nested. Its caller waits, so a nested call never waits for room
    /// that its parent takes.
    pub parent: Option<CallId>,
    /// Who pays. Room is to be shared fairly among tenants.
    pub tenant: Tenant,
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
    /// When the caller stops waiting; the time to make the module ready counts, unlike with [`Limits::wall`]. The call
    /// ends at whichever comes first. None: only the limits hold.
    pub deadline: Option<Instant>,
    /// Ends the call when it is cancelled. Clones of an invocation share it.
    pub cancellation: CancellationToken,
    /// Who is told of progress and log lines while the call runs.
    pub events: Arc<dyn EventSink>,
    /// What the guest was granted beyond log, clock, random and progress.
    pub capabilities: Capabilities,
}

impl Invocation {
    /// A call with default limits that stands alone: no tier, no parent, no tenant, seed and time 0, no deadline, nobody
    /// listening, nothing granted.
    #[must_use]
    pub fn new(call: impl Into<CallId>, endpoint: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            call: call.into(),
            tier: None,
            parent: None,
            tenant: Tenant::default(),
            endpoint: endpoint.into(),
            payload: payload.into(),
            limits: Limits::default(),
            seed: [0; 32],
            time_ms: 0,
            deadline: None,
            cancellation: CancellationToken::new(),
            events: Arc::new(()),
            capabilities: Capabilities::default(),
        }
    }

    /// Why the call must not begin any more, if it must not.
    #[must_use]
    pub fn too_late(&self) -> Option<Unavailable> {
        if self.cancellation.is_cancelled() {
            return Some(Unavailable::Cancelled);
        }
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(Unavailable::DeadlinePassed)
    }

    /// Waits until the call must not begin any more, and says why.
    pub async fn wait_until_too_late(&self) -> Unavailable {
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.cancellation.cancelled() => Unavailable::Cancelled,
            () = deadline => Unavailable::DeadlinePassed,
        }
    }
}

/// A call's id, as in its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallId(Arc<str>);

impl CallId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for CallId {
    fn from(id: T) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who pays for a call: a key that is only ever compared, for instance a wallet's public key. All zeros where nobody
/// pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tenant(pub [u8; 32]);

/// Is told what happens in a call, as it happens. Called on the call's own threads: it must neither block nor panic.
pub trait EventSink: fmt::Debug + Send + Sync {
    /// The guest has done `done` of `total` steps (0 where it cannot tell how many there are).
    fn progress(&self, _done: u64, _total: u64, _note: &str) {}

    /// The guest logged a line, and it was kept: it is in [`Outcome::logs`](crate::Outcome::logs) too.
    fn log(&self, _line: &LogLine) {}
}

/// Listens to nothing.
impl EventSink for () {}
