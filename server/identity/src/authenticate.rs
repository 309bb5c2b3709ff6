//! From a bearer token to a caller. Lookups are cached for a moment; a revocation on this server takes effect at once, on
//! another server of the same database within [`CACHE_FOR`].

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use moka::future::Cache;
use subtle::ConstantTimeEq;

use crate::error::IdentityError;
use crate::token::{self, Kind};
use crate::{Caller, ClientAddress, Identity};

/// How long a credential that was found is believed.
const CACHE_FOR: Duration = Duration::from_secs(2);
/// Credentials kept, at most.
const CACHE_SIZE: u64 = 20_000;

/// A token or key as the database knows it.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) caller: Caller,
    pub(crate) hash: String,
    pub(crate) revoked: bool,
    /// Empty allows every address.
    pub(crate) ip_allow: Vec<IpNet>,
}

/// Recently seen credentials, by the hash of their secret.
#[derive(Debug)]
pub(crate) struct Credentials(Cache<String, Arc<Credential>>);

impl Default for Credentials {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CACHE_SIZE).time_to_live(CACHE_FOR).build())
    }
}

impl Credentials {
    /// Forgets everything: called after any change of keys or sessions, which is rare.
    pub(crate) fn forget(&self) {
        self.0.invalidate_all();
    }
}

impl Identity {
    /// The caller behind a bearer token, if it may be used now and from `address`.
    ///
    /// # Errors
    /// [`IdentityError::UnknownToken`], [`IdentityError::TokenRevoked`], [`IdentityError::TokenExpired`],
    /// [`IdentityError::AddressNotAllowed`]; [`IdentityError::RateLimited`] for an address that guesses too fast.
    pub async fn authenticate(&self, token: &str, address: ClientAddress) -> Result<Caller, IdentityError> {
        let kind = token::classify(token).ok_or(IdentityError::UnknownToken)?;
        let hash = token::hash(token);
        let credential = match self.credentials.0.get(&hash).await {
            Some(credential) => credential,
            None => {
                self.ports.rate_limits.check_guesser(address)?;
                let found = match kind {
                    Kind::Access => self.session_credential(&hash).await?,
                    Kind::ApiKey => self.key_credential(&hash).await?,
                    Kind::Refresh => None,
                };
                let credential = Arc::new(found.ok_or(IdentityError::UnknownToken)?);
                self.credentials.0.insert(hash.clone(), Arc::clone(&credential)).await;
                credential
            }
        };
        if !bool::from(credential.hash.as_bytes().ct_eq(hash.as_bytes())) {
            return Err(IdentityError::UnknownToken);
        }
        if credential.revoked {
            return Err(IdentityError::TokenRevoked);
        }
        if credential.caller.expires_at.is_some_and(|at| at <= self.now()) {
            return Err(IdentityError::TokenExpired);
        }
        let ip_allow = &credential.ip_allow;
        if !ip_allow.is_empty() && !ip_allow.iter().any(|network| network.contains(&address.ip())) {
            return Err(IdentityError::AddressNotAllowed);
        }
        Ok(credential.caller.clone())
    }
}
