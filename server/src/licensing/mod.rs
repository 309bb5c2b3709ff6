//! Licences: what the chain says about them, what may be bought, and the keys this proxy signs with.
//!
//! The chain is the truth; what is kept here is a cache of it (`slot_cache.rs`). Only `chain.rs` speaks RPC. The buyer's key
//! never comes here: a purchase is described, and signed elsewhere.

mod accounts;
mod chain;
mod check;
mod error;
mod keys;
mod listing;
mod network;
mod purchase;
mod quote;
mod slot_cache;
mod store;
mod verify;
mod well_known;

pub(crate) use accounts::MAX_LICENCES;
pub use accounts::{LicenceState, ListingState, skill_account};
pub(crate) use chain::{Chain, Search, Simulation, TransactionStatus};
pub use chain::{ChainError, Snapshot};
pub use check::Refusal;
pub use error::LicensingError;
pub use keys::KeyFileError;
pub use listing::{ListingChain, PricesOnChain};
pub use network::Network;
pub use slot_cache::{Reading, Source};
pub use well_known::routes as well_known;

use std::sync::Arc;
use std::time::Duration;

use clawos_interface::Key;
use ed25519_dalek::SigningKey;
use tokio::sync::OnceCell;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::clock::Clock;
use crate::config::{ChainConfig, Config};
use crate::database::Database;
use slot_cache::SlotCache;

/// Longest time a licence may be used without reading it again (seconds), whatever is configured: a buyer's exit or cap
/// has to count within it.
const MAX_TTL_SECS: u64 = 30;
/// A refusal rests on state read after the request came (milliseconds before it): who has just paid must not be sent
/// away. How often refused callers can cause a read is [`slot_cache`]'s to bound.
const REFUSAL_MAX_AGE_MS: u64 = 0;
/// The longest call and its commit (seconds).
const LONGEST_CALL_SECS: u64 = 35;
/// How far wall clock and chain clock may be apart (seconds).
const CLOCK_DRIFT_SECS: u64 = 30;
/// How long a listing is shown without reading it again (milliseconds).
const LISTING_MAX_AGE_MS: u64 = 5_000;
/// How long a listing is still shown while the chain cannot be read.
const LISTING_GRACE: Duration = Duration::from_secs(3_600);

/// Everything the server knows of the chain.
#[derive(Debug)]
pub struct Licensing {
    pub(crate) chain: Chain,
    clock: Arc<dyn Clock>,
    db: Database,
    licences: SlotCache<LicenceState>,
    listings: SlotCache<ListingState>,
    ttl_ms: u64,
    delay_secs: u64,
    meter: SigningKey,
    receipt_key: SigningKey,
    network: OnceCell<Network>,
}

/// A licence that allows a call, with the state that says so.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The state.
    pub reading: Reading<LicenceState>,
    /// The moment it was checked for: the later of wall clock and chain clock, Unix seconds.
    pub now_secs: i64,
}

impl Licensing {
    /// Loads or makes the keys. The chain need not be reachable.
    ///
    /// # Errors
    /// When a key file cannot be used, or the database fails.
    pub async fn open(config: &Config, db: Database, clock: Arc<dyn Clock>) -> Result<Arc<Licensing>, LicensingError> {
        let chain_config: &ChainConfig = &config.chain;
        let data = &config.data.data;
        let ttl = Duration::from_secs(chain_config.licence_ttl_secs.min(MAX_TTL_SECS));
        let grace = Duration::from_secs(chain_config.grace_secs);
        let chain = Chain::new(&chain_config.rpc_url, Arc::clone(&clock));
        if let Some(genesis) = store::network(&db).await? {
            chain.belong_to(genesis);
        }
        Ok(Arc::new(Licensing {
            chain,
            clock,
            db,
            licences: SlotCache::new(ttl, grace),
            listings: SlotCache::new(Duration::from_millis(LISTING_MAX_AGE_MS), LISTING_GRACE),
            delay_secs: longest_use_secs(ttl, grace).saturating_add(config.settle.longest_secs()),
            ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
            meter: keys::load_or_create(&chain_config.meter_key(data))?,
            receipt_key: keys::load_or_create(&chain_config.receipt_key(data))?,
            network: OnceCell::new(),
        }))
    }

    /// The public key that this proxy records usage with. A licence must name it.
    pub fn meter(&self) -> Key {
        keys::public(&self.meter)
    }

    /// How long after a licence was read on chain usage that rests on it may be recorded, at most (seconds). The
    /// marketplace's settle delay has to cover it.
    pub(crate) fn delay_secs(&self) -> u64 {
        self.delay_secs
    }

    /// The key that signs receipts.
    pub(crate) fn receipt_key(&self) -> &SigningKey {
        &self.receipt_key
    }

    /// The meter key, which signs the transactions that record usage.
    pub(crate) fn meter_key(&self) -> &SigningKey {
        &self.meter
    }

    /// What the chain says of a skill: at most a few seconds old when it is on sale, else read a moment ago.
    ///
    /// # Errors
    /// When the chain cannot be read and nothing recent is known.
    pub async fn listing(&self, publisher: &Key, skill: &str) -> Result<Reading<ListingState>, LicensingError> {
        let key = skill_account(publisher, skill);
        let now = self.clock.now_ms();
        let load = |min_slot| self.chain.listing(key, min_slot);
        let known = self.listings.get(key, now, LISTING_MAX_AGE_MS, |_| true, load).await?;
        if known.snapshot.value.on_sale().is_ok() {
            return Ok(known);
        }
        self.listing_now(publisher, skill).await
    }

    /// What the chain says of a skill now: for who is about to agree to its terms.
    ///
    /// # Errors
    /// When the chain cannot be read and nothing recent is known.
    pub(crate) async fn listing_now(
        &self,
        publisher: &Key,
        skill: &str,
    ) -> Result<Reading<ListingState>, LicensingError> {
        let key = skill_account(publisher, skill);
        let load = |min_slot| self.chain.listing(key, min_slot);
        Ok(self.listings.get(key, self.clock.now_ms(), REFUSAL_MAX_AGE_MS, |_| true, load).await?)
    }

    /// The marketplace's settings, at most a few seconds old.
    ///
    /// # Errors
    /// When the chain cannot be read and nothing recent is known.
    pub(crate) async fn market(&self) -> Result<clawos_interface::accounts::Config, LicensingError> {
        // Any listing's state carries them; at this address there is none.
        let key = skill_account(&clawos_interface::NO_KEY, "");
        let load = |min_slot| self.chain.listing(key, min_slot);
        let reading = self.listings.get(key, self.clock.now_ms(), LISTING_MAX_AGE_MS, |_| true, load).await?;
        Ok(reading.snapshot.value.config)
    }

    /// What is known of `buyer`'s licence of the skill at `skill_account`, at most `max_age_ms` old and never from
    /// before the end of its period.
    ///
    /// # Errors
    /// When the chain cannot be read and the grace window is closed.
    pub(crate) async fn licence(
        &self,
        skill_account: Key,
        buyer: &Key,
        max_age_ms: u64,
    ) -> Result<Reading<LicenceState>, LicensingError> {
        let key = clawos_interface::pda::licence(&skill_account, buyer).0;
        let now = self.clock.now_ms();
        let load = |min_slot| self.chain.licence(skill_account, key, min_slot);
        Ok(self.licences.get(key, now, max_age_ms, |seen| !ended_since(seen, now), load).await?)
    }

    /// Reads licences (skill account, licence account) anew, all that are given, for settling, from a node that is not
    /// behind `min_slot`; callers of those licences see the new state too.
    pub(crate) async fn read_for_settling(
        &self,
        wanted: &[(Key, Key)],
        min_slot: u64,
    ) -> Result<Vec<Snapshot<LicenceState>>, LicensingError> {
        let mut states = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(accounts::MAX_LICENCES) {
            for state in self.chain.licences(some, min_slot).await? {
                self.licences.put(state.value.licence_account, state.clone()).await;
                states.push(state);
            }
        }
        Ok(states)
    }

    /// The licence as last read if it allows a call now, else as read again.
    ///
    /// # Errors
    /// [`LicensingError::Refused`] with the reason, or when the chain cannot be read.
    pub(crate) async fn admit(&self, skill_account: Key, buyer: &Key) -> Result<Admission, LicensingError> {
        let known = self.licence(skill_account, buyer, self.ttl_ms).await?;
        match self.check(known) {
            Err(LicensingError::Refused(_)) => self.admit_fresh(skill_account, buyer).await,
            decided => decided,
        }
    }

    /// The same, from state read a moment ago: before somebody is refused because of an older one. While the chain cannot
    /// be read nobody is refused for good, since the grace window's state may be from before a purchase.
    pub(crate) async fn admit_fresh(&self, skill_account: Key, buyer: &Key) -> Result<Admission, LicensingError> {
        let read = self.licence(skill_account, buyer, REFUSAL_MAX_AGE_MS).await?;
        if read.source == Source::Grace {
            return Err(ChainError::Unreachable("the licence cannot be read again".to_owned()).into());
        }
        self.check(read)
    }

    fn check(&self, reading: Reading<LicenceState>) -> Result<Admission, LicensingError> {
        let now_secs = self.now_secs(&reading.snapshot);
        self.check_state(&reading.snapshot.value, now_secs)?;
        Ok(Admission { reading, now_secs })
    }

    fn check_state(&self, state: &LicenceState, now_secs: i64) -> Result<(), Refusal> {
        check::check(state.licence.as_ref(), &state.listing.config, now_secs, &self.meter(), self.delay_secs)
    }

    /// The later of wall clock and chain clock, Unix seconds. The chain's has gone on since it was read.
    pub(crate) fn now_secs<T>(&self, snapshot: &Snapshot<T>) -> i64 {
        let wall_ms = self.clock.now_ms();
        let since = wall_ms.saturating_sub(snapshot.read_at_ms).max(0) / 1_000;
        snapshot.chain_secs.saturating_add(since).max(wall_ms / 1_000)
    }
}

/// How long after a licence was read on chain a call that rests on it may end, and clocks may differ (seconds).
fn longest_use_secs(ttl: Duration, grace: Duration) -> u64 {
    ttl.max(grace).as_secs().saturating_add(LONGEST_CALL_SECS + CLOCK_DRIFT_SECS)
}

/// Whether the licence's period ended after it was read: it may have been renewed since.
fn ended_since(seen: &Snapshot<LicenceState>, now_ms: i64) -> bool {
    let Some(licence) = &seen.value.licence else { return false };
    let end_ms = licence.expires_at().saturating_mul(1_000);
    end_ms != 0 && seen.read_at_ms < end_ms && now_ms >= end_ms
}

/// The routes of this domain.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(quote::quote))
        .routes(routes!(purchase::purchase))
        .routes(routes!(verify::verify))
}
