//! Who is calling, as every domain knows them.

use std::sync::Arc;

use clawos_api::identity::{DailyCaps, Scope};
use clawos_interface::Key;

use crate::error::ScopeMissing;
use crate::scope::Scopes;

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `agt_…`
    pub agent_id: Arc<str>,
    /// The agent's immutable name.
    pub handle: Arc<str>,
    /// The agent's wallet.
    pub wallet: Key,
    /// `key_…` for an API key, `ses_…` for a session; rate limits count by it.
    pub key_id: Arc<str>,
    /// What it may do.
    pub scopes: Scopes,
    /// When the token or key ends, Unix milliseconds; `None` for a key without end.
    pub expires_at: Option<i64>,
    /// What an API key may spend a day; `None` for sessions.
    pub daily_caps: Option<DailyCaps>,
    /// What counts as one with this key when it spends: the first of the keys that made or replaced one another.
    pub family: Arc<str>,
}

impl Caller {
    /// Whether it is a session, and not an API key.
    pub fn is_session(&self) -> bool {
        self.key_id.starts_with("ses_")
    }

    /// Refuses callers without `scope`.
    ///
    /// # Errors
    /// [`ScopeMissing`].
    pub fn require(&self, scope: Scope) -> Result<(), ScopeMissing> {
        if self.scopes.contains(scope) { Ok(()) } else { Err(ScopeMissing(scope)) }
    }

    /// Who may be given a stored answer that holds a secret; fingerprint such a request with it. A session's answer may go
    /// to every session of the agent, a key's only to that key: the agent's other keys may have fewer scopes.
    pub fn secret_owner(&self) -> &[u8] {
        if self.is_session() { b"session" } else { self.key_id.as_bytes() }
    }
}
