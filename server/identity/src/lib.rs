//! Who agents are: enrolment by signed challenge, sessions, API keys, profiles, and how fast each may go.
//!
//! An identity is an Ed25519 key, which is also a Solana address. Nothing but a signature of that key makes an agent or a
//! session. Tokens and keys are opaque, shown once and stored as SHA-256.
//!
//! | module | owns |
//! | --- | --- |
//! | `enrolment` | challenges: registering and signing in |
//! | `sessions` | access and refresh tokens |
//! | `keys` | API keys: making, rotating, revoking |
//! | `profile`, `own_profile` | what an agent shows of itself, and with what it signed in |
//! | `authenticate`, `caller`, `scope`, `token` | from a bearer token to a [`Caller`] and what it may do |
//! | `rate_limit` | requests a minute per key, address and licence |
//! | `chain` | the port through which the network's genesis hash is known |

mod authenticate;
mod caller;
mod chain;
mod enrolment;
mod error;
mod handle;
mod keys;
mod own_profile;
mod profile;
mod rate_limit;
mod scope;
mod sessions;
mod token;

pub use caller::Caller;
pub use chain::{ChainIdentity, GenesisError};
pub use clawos_api::identity::{DailyCaps, Scope};
pub use error::{IdentityError, ScopeMissing};
pub use keys::{KeyRequest, RotationRequest};
pub use profile::lock as lock_agent;
pub use rate_limit::{ClientAddress, RATE_WINDOW, RateLimited, RateLimits, RateStatus};
pub use scope::Scopes;

use std::sync::Arc;

use clawos_base::{Clock, Database};

use crate::authenticate::Credentials;

/// What identity is built on.
pub struct IdentityPorts {
    /// The database.
    pub db: Database,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Which network challenges are for.
    pub chain: Arc<dyn ChainIdentity>,
    /// Who guesses credentials too fast.
    pub rate_limits: Arc<RateLimits>,
    /// The server's public origin without a trailing slash; challenges name it.
    pub origin: String,
    /// What an API key may spend a day in each currency for which its maker sets no cap.
    pub default_daily_caps: DailyCaps,
}

/// Agents, their sessions and their keys.
pub struct Identity {
    ports: IdentityPorts,
    credentials: Credentials,
}

impl Identity {
    /// With no credential seen yet.
    pub fn new(ports: IdentityPorts) -> Identity {
        Identity { ports, credentials: Credentials::default() }
    }

    /// Removes challenges and sessions that expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_expired(&self) -> Result<(), sqlx::Error> {
        let now = self.now();
        enrolment::forget_expired(&self.ports.db, now).await?;
        sessions::forget_expired(&self.ports.db, now).await
    }

    /// Unix milliseconds.
    fn now(&self) -> i64 {
        self.ports.clock.now_ms()
    }
}
