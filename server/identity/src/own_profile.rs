//! Who is calling, and with what: an agent's profile with the token or key that its request carried.

use clawos_api::Timestamp;
use clawos_api::identity::{CredentialInUse, CredentialKind, OwnProfile, Scope};

use crate::{Caller, Identity, IdentityError, profile, sessions};

impl Identity {
    /// The caller's own profile, and the token or key that it signed in with.
    ///
    /// # Errors
    /// [`IdentityError::ScopeMissing`] without `read`.
    pub async fn me(&self, caller: &Caller) -> Result<OwnProfile, IdentityError> {
        caller.require(Scope::Read)?;
        let mut connection = self.ports.db.acquire().await?;
        let agent = profile::by_id(&mut connection, &caller.agent_id).await?;
        let (kind, refresh_expires_at) = if caller.is_session() {
            (CredentialKind::Session, sessions::refresh_expires_at(&mut connection, &caller.key_id).await?)
        } else {
            (CredentialKind::ApiKey, None)
        };
        let credential = CredentialInUse {
            kind,
            id: caller.key_id.to_string(),
            scopes: caller.scopes.list(),
            expires_at: caller.expires_at.map(Timestamp),
            refresh_expires_at: refresh_expires_at.map(Timestamp),
        };
        Ok(OwnProfile { agent, credential })
    }
}
