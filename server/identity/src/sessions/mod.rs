//! Sessions: an access token for an hour, a refresh token for thirty days that changes at every use.
//!
//! A refresh ends the access token it replaces at once; on another server of the same database within the two seconds that
//! a credential is believed there.
//!
//! A refresh token that comes a second time was stolen (or its answer lost): all tokens that descend from the same sign-in
//! are revoked.

mod store;

pub(crate) use store::{forget_expired, is_live, refresh_expires_at};

use clawos_api::Timestamp;
use clawos_api::identity::{Agent, FirstKey, Refresh, Scope, Session};
use clawos_base::{Problems, audit, database};
use sqlx::AnyConnection;

use crate::authenticate::Credential;
use crate::token::{self, Kind, Secret};
use crate::{Caller, Identity, IdentityError, profile};

/// Life of an access token (milliseconds).
const ACCESS_MS: i64 = 3600 * 1000;
/// Life of a refresh token (milliseconds).
const REFRESH_MS: i64 = 30 * 24 * 3600 * 1000;

/// Starts a new family of sessions for the agent.
pub(crate) async fn start(
    tx: &mut AnyConnection,
    now: i64,
    agent: Agent,
    api_key: Option<FirstKey>,
) -> Result<Session, IdentityError> {
    issue(tx, now, agent, clawos_receipts::new_id("fam"), api_key).await
}

async fn issue(
    tx: &mut AnyConnection,
    now: i64,
    agent: Agent,
    family: String,
    api_key: Option<FirstKey>,
) -> Result<Session, IdentityError> {
    let (access, refresh) = (Secret::new(Kind::Access), Secret::new(Kind::Refresh));
    let row = store::NewSession {
        id: clawos_receipts::new_id("ses"),
        family,
        agent_id: agent.id.clone(),
        access_hash: access.hash(),
        access_expires_at: now + ACCESS_MS,
        refresh_hash: refresh.hash(),
        refresh_expires_at: now + REFRESH_MS,
        created_at: now,
    };
    store::insert(tx, &row).await?;
    Ok(Session {
        agent,
        access_token: access.text,
        access_expires_at: Timestamp(row.access_expires_at),
        refresh_token: refresh.text,
        refresh_expires_at: Timestamp(row.refresh_expires_at),
        api_key,
    })
}

impl Identity {
    /// The session behind an access token.
    pub(crate) async fn session_credential(&self, access_hash: &str) -> Result<Option<Credential>, sqlx::Error> {
        store::by_access(&self.ports.db, access_hash).await
    }

    /// Exchanges a refresh token for a new pair of tokens; the access token of the old pair ends.
    ///
    /// # Errors
    /// [`IdentityError::UnknownRefreshToken`], [`IdentityError::SessionRevoked`], [`IdentityError::RefreshTokenExpired`],
    /// [`IdentityError::RefreshTokenReused`].
    pub async fn refresh(&self, request: &Refresh) -> Result<Session, IdentityError> {
        let text = &request.refresh_token;
        let mut problems = Problems::default();
        problems.text("/refresh_token", text, 1..=255);
        problems.into_result()?;
        if token::classify(text) != Some(Kind::Refresh) {
            return Err(IdentityError::UnknownRefreshToken);
        }
        let (now, hash) = (self.now(), token::hash(text));
        let mut tx = self.ports.db.write().await?;
        store::lock_agent(&mut tx, &hash).await?;
        let held = store::by_refresh(&mut tx, &hash).await?.ok_or(IdentityError::UnknownRefreshToken)?;
        if held.revoked {
            return Err(IdentityError::SessionRevoked);
        }
        if held.refresh_expires_at <= now {
            return Err(IdentityError::RefreshTokenExpired);
        }
        if !store::replace(&mut tx, &held.id, now).await? {
            store::revoke_family(&mut tx, &held.family, now).await?;
            audit::append(&mut tx, now, &held.agent_id, "session.reuse", &held.family, "").await?;
            database::commit(tx).await?;
            self.credentials.forget();
            return Err(IdentityError::RefreshTokenReused);
        }
        let agent = profile::by_id(&mut tx, &held.agent_id).await?;
        audit::append(&mut tx, now, &held.agent_id, "session.refresh", &held.family, "").await?;
        let session = issue(&mut tx, now, agent, held.family, None).await?;
        database::commit(tx).await?;
        self.credentials.forget();
        Ok(session)
    }

    /// Ends the caller's session with its family; called with an `admin` key it ends every session of the agent.
    ///
    /// # Errors
    /// [`IdentityError::ScopeMissing`] without `admin`.
    pub async fn revoke_sessions(&self, caller: &Caller) -> Result<(), IdentityError> {
        caller.require(Scope::Admin)?;
        let now = self.now();
        let mut tx = self.ports.db.write().await?;
        profile::lock(&mut tx, &caller.agent_id).await?;
        if caller.is_session() {
            store::revoke_own_family(&mut tx, &caller.key_id, now).await?;
        } else {
            store::revoke_all(&mut tx, &caller.agent_id, now).await?;
        }
        audit::append(&mut tx, now, &caller.agent_id, "session.revoke", &caller.key_id, "").await?;
        database::commit(tx).await?;
        self.credentials.forget();
        Ok(())
    }
}
