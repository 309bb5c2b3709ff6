//! Rate limits per key, per address and per licence (GCRA, in memory).

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clawos_config::LimitsConfig;
use clawos_interface::Key;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

/// The window of every limit.
pub const RATE_WINDOW: Duration = Duration::from_secs(60);
/// How long an address that used up its limit may not try credentials that are not known. Short: others may share it.
const SHUT_OUT: Duration = Duration::from_secs(1);

/// The address a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// IPv4-mapped addresses become IPv4.
    pub fn new(address: IpAddr) -> ClientAddress {
        ClientAddress(address.to_canonical())
    }

    /// The address itself.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// What rate limits count by: one IPv6 client usually has a whole /64.
    fn bucket(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(v6) => {
                let s = v6.segments();
                IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0))
            }
        }
    }
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStatus {
    /// Requests in one [`RATE_WINDOW`].
    pub per_minute: u32,
    /// Requests that may come at once now.
    pub remaining: u32,
}

/// A limit is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("At most {} requests a minute; wait and try again.", status.per_minute)]
pub struct RateLimited {
    /// The limit.
    pub status: RateStatus,
    /// When the next request may come.
    pub retry_after: Duration,
}

type Limiter<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// One keyed limit; without a quota it lets everything through.
struct Limit<K: Hash + Eq + Clone> {
    per_minute: u32,
    limiter: Option<Limiter<K>>,
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

    fn check(&self, key: &K) -> Result<Option<RateStatus>, RateLimited> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        match limiter.check_key(key) {
            Ok(state) => {
                Ok(Some(RateStatus { per_minute: self.per_minute, remaining: state.remaining_burst_capacity() }))
            }
            Err(not_until) => Err(self.refusal(not_until.wait_time_from(DefaultClock::default().now()))),
        }
    }

    fn refusal(&self, retry_after: Duration) -> RateLimited {
        RateLimited { status: RateStatus { per_minute: self.per_minute, remaining: 0 }, retry_after }
    }

    fn forget_idle(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
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

    /// Counts a request of a key or session.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn check_key(&self, key_id: &Arc<str>) -> Result<Option<RateStatus>, RateLimited> {
        self.keys.check(key_id)
    }

    /// Counts a request without credentials, or with wrong ones.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn check_address(&self, address: ClientAddress) -> Result<Option<RateStatus>, RateLimited> {
        self.addresses.check(&address.bucket())
    }

    /// Counts wrong credentials.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn count_guess(&self, address: ClientAddress) -> Result<Option<RateStatus>, RateLimited> {
        let counted = self.check_address(address);
        if counted.is_err() {
            self.guessers().insert(address.bucket(), Instant::now());
        }
        counted
    }

    /// Refuses an address that has guessed too often, before the database is asked about its next guess.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn check_guesser(&self, address: ClientAddress) -> Result<(), RateLimited> {
        let shut_out = self.guessers().get(&address.bucket()).is_some_and(|at| at.elapsed() < SHUT_OUT);
        if shut_out { Err(self.addresses.refusal(SHUT_OUT)) } else { Ok(()) }
    }

    fn guessers(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.guessers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call on a licence, whichever key it came with.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn check_licence(&self, licence: &Key) -> Result<(), RateLimited> {
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
