//! Rate limits per key, per address and per licence (GCRA, in memory), and the headers that tell clients about them.

use super::auth::Caller;
use super::client_address::ClientAddress;
use crate::app::AppState;
use crate::config::LimitsConfig;
use crate::error::{ApiError, Code};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clawos_interface::Key;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The window of every limit (seconds).
const WINDOW_SECS: u64 = 60;
/// How long an address that used up its limit may not try credentials that are not known. Short: others may share it.
const SHUT_OUT: Duration = Duration::from_secs(1);

/// The headers that tell of a limit.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

type Limiter<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// One keyed limit; without a quota it lets everything through.
struct Limit<K: Hash + Eq + Clone> {
    per_minute: u32,
    limiter: Option<Limiter<K>>,
}

/// Where a caller stands, for the `RateLimit` headers.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    per_minute: u32,
    remaining: u32,
}

/// The limits of this process.
pub struct RateLimits {
    keys: Limit<Arc<str>>,
    addresses: Limit<IpAddr>,
    licences: Limit<Key>,
    /// Addresses that used up their limit with wrong credentials, and when.
    guessers: Mutex<HashMap<IpAddr, Instant>>,
}

impl std::fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimits").finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(per_minute: u32) -> Self {
        let limiter = NonZeroU32::new(per_minute)
            .map(|quota| RateLimiter::keyed(Quota::per_minute(quota)).with_middleware::<StateInformationMiddleware>());
        Self { per_minute, limiter }
    }

    fn check(&self, key: &K) -> Result<Option<Standing>, ApiError> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        match limiter.check_key(key) {
            Ok(state) => Ok(Some(Standing { per_minute: self.per_minute, remaining: remaining(&state) })),
            Err(not_until) => Err(self.refusal(not_until.wait_time_from(DefaultClock::default().now()))),
        }
    }

    fn refusal(&self, wait: Duration) -> ApiError {
        let detail = format!("At most {} requests a minute; wait and try again.", self.per_minute);
        let standing = Standing { per_minute: self.per_minute, remaining: 0 };
        ApiError::new(Code::RateLimited, detail).retry_after(wait).limited_by(standing)
    }

    fn forget_idle(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
}

fn remaining(state: &StateSnapshot) -> u32 {
    state.remaining_burst_capacity()
}

impl RateLimits {
    /// Fresh limits.
    pub fn new(config: &LimitsConfig) -> Self {
        Self {
            keys: Limit::new(config.rate_per_minute),
            addresses: Limit::new(config.anonymous_rate_per_minute),
            licences: Limit::new(config.rate_per_minute),
            guessers: Mutex::default(),
        }
    }

    /// Counts a request without credentials, or with wrong ones.
    pub(super) fn check_address(&self, address: ClientAddress) -> Result<Option<Standing>, ApiError> {
        self.addresses.check(&address.bucket())
    }

    /// Counts wrong credentials.
    pub(super) fn count_guess(&self, address: ClientAddress) -> Result<(), ApiError> {
        let counted = self.check_address(address);
        if counted.is_err() {
            self.guessers().insert(address.bucket(), Instant::now());
        }
        counted.map(drop)
    }

    /// Refuses an address that has guessed too often, before the database is asked about its next guess.
    pub(crate) fn check_guesser(&self, address: ClientAddress) -> Result<(), ApiError> {
        let shut_out = self.guessers().get(&address.bucket()).is_some_and(|at| at.elapsed() < SHUT_OUT);
        if shut_out { Err(self.addresses.refusal(SHUT_OUT)) } else { Ok(()) }
    }

    fn guessers(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.guessers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call on a licence, whichever key it came with.
    pub fn check_licence(&self, licence: &Key) -> Result<(), ApiError> {
        self.licences.check(licence).map(drop)
    }

    /// Drops the state of callers that have been quiet, so that memory does not grow with their number.
    pub fn forget_idle(&self) {
        self.keys.forget_idle();
        self.addresses.forget_idle();
        self.licences.forget_idle();
        self.guessers().retain(|_, at| at.elapsed() < SHUT_OUT);
    }
}

/// Middleware: counts the request for its key, or for its address.
pub(super) async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let checked = match (request.extensions().get::<Caller>(), request.extensions().get::<ClientAddress>()) {
        (Some(caller), _) => app.rate_limits.keys.check(&caller.key_id),
        (None, Some(address)) => app.rate_limits.check_address(*address),
        (None, None) => Ok(None),
    };
    match checked {
        Ok(standing) => {
            let mut response = next.run(request).await;
            // A limit that the handler met tells more than this one, which was not.
            if let Some(standing) = standing.filter(|_| !response.headers().contains_key(STANDING)) {
                standing.write(response.headers_mut());
            }
            response
        }
        Err(limited) => limited.into_response(),
    }
}

impl Standing {
    /// `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let used = u64::from(self.per_minute - self.remaining.min(self.per_minute));
        let full_in = (used * WINDOW_SECS).div_ceil(u64::from(self.per_minute.max(1)));
        let policy = format!("\"default\";q={};w={WINDOW_SECS}", self.per_minute);
        let now = format!("\"default\";r={};t={full_in}", self.remaining);
        for (name, value) in [(POLICY, policy), (STANDING, now)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}
