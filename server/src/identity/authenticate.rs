//! From a bearer token to a caller. Lookups are cached for a moment; a revocation on this server takes effect at once, on
//! another server of the same database within [`CACHE_FOR`].

use super::scope::Scopes;
use super::token::{self, Kind};
use super::{keys, sessions};
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::http::{Caller, ClientAddress};
use ipnet::IpNet;
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a credential that was found is believed.
const CACHE_FOR: Duration = Duration::from_secs(2);
/// Credentials kept, at most.
const CACHE_SIZE: u64 = 20_000;

/// A token or key as the database knows it.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) caller: Caller,
    pub(super) hash: String,
    pub(super) expires_at: Option<i64>,
    pub(super) revoked: bool,
    /// Empty allows every address.
    pub(super) ip_allow: Vec<IpNet>,
}

/// Recently seen credentials, by the hash of their secret.
#[derive(Debug)]
pub struct Credentials {
    cache: Cache<String, Arc<Credential>>,
}

impl Default for Credentials {
    fn default() -> Self {
        Self { cache: Cache::builder().max_capacity(CACHE_SIZE).time_to_live(CACHE_FOR).build() }
    }
}

impl Credentials {
    /// Forgets everything: called after any change of keys or sessions, which is rare.
    pub(super) fn forget(&self) {
        self.cache.invalidate_all();
    }
}

/// The caller behind `token`, if it may be used now and from `address`.
pub(crate) async fn authenticate(app: &App, text: &str, address: ClientAddress) -> Result<Caller, ApiError> {
    let unknown = || ApiError::new(Code::Unauthenticated, "This token is not one of ours; sign in again.");
    let kind = token::classify(text).ok_or_else(unknown)?;
    let hash = token::hash(text);
    let credential = match app.credentials.cache.get(&hash).await {
        Some(credential) => credential,
        None => {
            app.rate_limits.check_guesser(address)?;
            let found = match kind {
                Kind::Access => sessions::find(app, &hash).await?,
                Kind::ApiKey => keys::find(app, &hash).await?,
                Kind::Refresh => return Err(unknown()),
            };
            let credential = Arc::new(found.ok_or_else(unknown)?);
            app.credentials.cache.insert(hash.clone(), Arc::clone(&credential)).await;
            credential
        }
    };
    if !bool::from(credential.hash.as_bytes().ct_eq(hash.as_bytes())) {
        return Err(unknown());
    }
    if credential.revoked {
        return Err(ApiError::new(Code::KeyRevoked, "This token was revoked; sign in again or use another key."));
    }
    if credential.expires_at.is_some_and(|at| at <= app.clock.now_ms()) {
        return Err(ApiError::new(Code::KeyExpired, "This token has expired; refresh it or use another key."));
    }
    if !credential.ip_allow.is_empty() && !credential.ip_allow.iter().any(|net| net.contains(&address.0)) {
        return Err(ApiError::new(Code::IpNotAllowed, "This key may not be used from your address."));
    }
    Ok(credential.caller.clone())
}

/// A caller from stored columns.
pub(super) fn caller(
    agent_id: &str,
    handle: &str,
    wallet: &str,
    key_id: &str,
    scopes: Scopes,
    daily_cap: Option<u64>,
) -> Result<Caller, ApiError> {
    let wallet = clawos_receipts::text::from_base58(wallet).map_err(ApiError::internal)?;
    let key_id: Arc<str> = key_id.into();
    let family = Arc::clone(&key_id);
    Ok(Caller { agent_id: agent_id.into(), handle: handle.into(), wallet, key_id, scopes, daily_cap, family })
}
