//! API keys: scopes, expiry, address list, daily caps; made, listed, rotated with overlap, revoked.
//!
//! A key made or replaced by a key is of its family. A family spends as one key, and whoever revokes a key revokes what it
//! made: a key cannot get itself more money or a longer life.

mod bounds;
mod create;
mod rotate;
mod store;

pub use create::KeyRequest;
pub use rotate::RotationRequest;

use std::net::IpAddr;

use clawos_api::identity::{Agent, ApiKey, FirstKey, Role, Scope};
use clawos_api::{Page, Timestamp};
use clawos_base::{audit, database};
use ipnet::IpNet;
use sqlx::AnyConnection;

use crate::authenticate::Credential;
use crate::token::{Kind, Secret};
use crate::{Caller, Identity, IdentityError, Scopes};
use store::KeyRow;

/// Keys an agent may have at a time; more is a leak of keys, not a use of them.
const MAX_KEYS: i64 = 100;
/// What a caller hears is absent when it names no key of its own, or a revoked one.
const LIVE_KEY: &str = "key of yours, or it is revoked";
/// The largest daily cap that can be stored (base units): 2^63 − 1.
const MAX_CAP: u64 = i64::MAX as u64;

/// An address or a network of a key's address list.
fn network(text: &str) -> Option<IpNet> {
    if text.len() > 64 {
        return None;
    }
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

impl KeyRow {
    fn is_live(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        ApiKey {
            id: row.id,
            name: row.name,
            hint: row.hint,
            scopes: row.scopes.list(),
            ip_allow: row.ip_allow.iter().map(ToString::to_string).collect(),
            daily_caps: row.daily_caps,
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            last_used_at: row.last_used_at.map(Timestamp),
        }
    }
}

/// Refuses one key more than [`MAX_KEYS`].
async fn check_room(tx: &mut AnyConnection, agent_id: &str, now: i64) -> Result<(), IdentityError> {
    if store::count(tx, agent_id, now).await? >= MAX_KEYS { Err(IdentityError::TooManyKeys(MAX_KEYS)) } else { Ok(()) }
}

impl Identity {
    /// A key of a family of its own, not stored yet, and its secret.
    fn new_key(&self, agent_id: &str, name: &str, scopes: Scopes) -> (KeyRow, Secret) {
        let secret = Secret::new(Kind::ApiKey);
        let id = clawos_receipts::new_id("key");
        let row = KeyRow {
            family: id.clone(),
            made_by: None,
            id,
            agent_id: agent_id.to_owned(),
            name: name.to_owned(),
            hash: secret.hash(),
            hint: secret.hint(Kind::ApiKey),
            scopes,
            ip_allow: Vec::new(),
            daily_caps: self.ports.default_daily_caps,
            created_at: self.now(),
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
            replaces: None,
        };
        (row, secret)
    }

    /// The first key of a new agent: everything it may need, but not the management of keys.
    pub(crate) async fn issue_first_key(
        &self,
        tx: &mut AnyConnection,
        agent: &Agent,
    ) -> Result<FirstKey, IdentityError> {
        let publish = agent.roles.contains(&Role::Author).then_some(Scope::Publish);
        let scopes: Scopes = [Scope::Invoke, Scope::Read].into_iter().chain(publish).collect();
        let (row, secret) = self.new_key(&agent.id, "first key", scopes);
        store::insert(tx, &row).await?;
        audit::append(tx, row.created_at, &agent.id, "key.create", &row.id, &scopes.to_text()).await?;
        Ok(FirstKey { id: row.id, key: secret.text, scopes: scopes.list(), expires_at: None })
    }

    /// The key behind a secret. Notes its use, at most once a minute.
    pub(crate) async fn key_credential(&self, hash: &str) -> Result<Option<Credential>, sqlx::Error> {
        let Some(store::Found { key, handle, wallet }) = store::by_hash(&self.ports.db, hash).await? else {
            return Ok(None);
        };
        if let Err(error) = store::note_use(&self.ports.db, &key, self.now()).await {
            // Nobody is refused because of a note.
            tracing::warn!(%error, key = %key.id, "the last use of a key could not be noted");
        }
        let caller = Caller {
            agent_id: key.agent_id.into(),
            handle: handle.into(),
            wallet,
            key_id: key.id.into(),
            scopes: key.scopes,
            expires_at: key.expires_at,
            daily_caps: Some(key.daily_caps),
            family: key.family.into(),
        };
        Ok(Some(Credential { caller, hash: key.hash, revoked: key.revoked_at.is_some(), ip_allow: key.ip_allow }))
    }

    /// The caller's keys that are neither revoked nor expired, all on one page.
    ///
    /// # Errors
    /// [`IdentityError::ScopeMissing`] without `admin`.
    pub async fn keys(&self, caller: &Caller) -> Result<Page<ApiKey>, IdentityError> {
        caller.require(Scope::Admin)?;
        let rows = store::list(&self.ports.db, &caller.agent_id, self.now()).await?;
        Ok(Page { items: rows.into_iter().map(ApiKey::from).collect(), next_cursor: None })
    }

    /// Revokes a key at once, and every key that it made. A key may not revoke one with more scopes than itself.
    ///
    /// # Errors
    /// [`IdentityError::Absent`], [`IdentityError::MoreScopes`], [`IdentityError::CallerEnded`];
    /// [`IdentityError::ScopeMissing`] without `admin`.
    pub async fn revoke_key(&self, caller: &Caller, id: &str) -> Result<(), IdentityError> {
        caller.require(Scope::Admin)?;
        let now = self.now();
        let mut tx = self.ports.db.write().await?;
        bounds::lock_caller(&mut tx, caller, now).await?;
        let key = store::by_id(&mut tx, &caller.agent_id, id).await?.filter(|key| key.revoked_at.is_none());
        if !caller.scopes.includes(key.ok_or(IdentityError::Absent(LIVE_KEY))?.scopes) {
            return Err(IdentityError::MoreScopes("revoke"));
        }
        store::revoke(&mut tx, &caller.agent_id, id, now).await?;
        audit::append(&mut tx, now, &caller.agent_id, "key.revoke", id, &format!("by {}", caller.key_id)).await?;
        database::commit(tx).await?;
        self.credentials.forget();
        Ok(())
    }
}
