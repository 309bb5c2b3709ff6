//! Licences: what the chain says about them, what may be bought, and the keys this proxy signs with.
//!
//! The chain is the truth; what is kept here is a cache of it. The buyer's key never comes here: a purchase is described,
//! and signed elsewhere.
//!
//! | module | owns |
//! | --- | --- |
//! | `chain` | the server's only Solana JSON-RPC, and what is read and sent with it |
//! | `accounts`, `slot_cache`, `read` | the accounts that everything rests on: read at one slot, cached, asked for |
//! | `check`, `admission` | whether a licence allows a call |
//! | `listing`, `quote`, `purchase`, `deposit`, `verify` | what clients are told about prices and licences |
//! | `network`, `keys`, `certificate`, `well_known` | which network this is, the server's keys, and what is published of both |

mod accounts;
mod admission;
mod certificate;
mod chain;
mod check;
mod deposit;
mod error;
mod keys;
mod listing;
mod network;
mod purchase;
mod quote;
mod read;
mod slot_cache;
mod store;
mod verify;
mod well_known;

pub use accounts::{LicenceState, ListingState, MAX_LICENCES, skill_account};
pub use admission::Admission;
pub use certificate::KeysByMeter;
pub use chain::{Chain, ChainError, Search, Simulation, Snapshot, TransactionStatus};
pub use check::Refusal;
pub use error::{LicensingError, OpenError};
pub use keys::KeyFileError;
pub use network::Network;
pub use slot_cache::Reading;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clawos_base::{Clock, Database};
use clawos_config::ChainConfig;
use clawos_interface::Key;
use ed25519_dalek::SigningKey;
use tokio::sync::OnceCell;

use certificate::Certificate;
use slot_cache::SlotCache;

/// Longest time a licence may be used without reading it again (seconds), whatever is configured: a buyer's exit or cap
/// has to count within it.
const MAX_TTL_SECS: u64 = 30;
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
    chain: Chain,
    clock: Arc<dyn Clock>,
    db: Database,
    licences: SlotCache<LicenceState>,
    listings: SlotCache<ListingState>,
    ttl_ms: u64,
    delay_secs: u64,
    meter: SigningKey,
    receipt_key: SigningKey,
    network: OnceCell<Network>,
    certificate: Certificate,
}

impl Licensing {
    /// Loads the keys, or makes them in the folder `data`. The chain need not be reachable, but where it is it must be the
    /// database's. `settle_secs` is how long usage may take from its receipt until it is recorded.
    ///
    /// # Errors
    /// When a key file cannot be used, the database belongs to another network, or it fails.
    pub async fn open(
        config: &ChainConfig,
        data: &Path,
        settle_secs: u64,
        db: Database,
        clock: Arc<dyn Clock>,
    ) -> Result<Licensing, OpenError> {
        let ttl = Duration::from_secs(config.licence_ttl_secs.min(MAX_TTL_SECS));
        let grace = Duration::from_secs(config.grace_secs);
        let (meter, receipt_key) = keys::load(&config.meter_key(data), &config.receipt_key(data), config.is_local())?;
        let chain = Chain::new(&config.rpc_url, Arc::clone(&clock));
        if let Some(genesis) = store::network(&db).await? {
            chain.belong_to(genesis);
        }
        let licensing = Licensing {
            chain,
            clock,
            db,
            licences: SlotCache::new(ttl, grace),
            listings: SlotCache::new(Duration::from_millis(LISTING_MAX_AGE_MS), LISTING_GRACE),
            delay_secs: longest_use_secs(ttl, grace).saturating_add(settle_secs),
            ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
            meter,
            receipt_key,
            network: OnceCell::new(),
            certificate: Certificate::default(),
        };
        licensing.meet_network().await?;
        Ok(licensing)
    }

    /// The connection to the chain, for sending usage to it.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The public key that this proxy records usage with. A licence must name it.
    pub fn meter(&self) -> Key {
        keys::public(&self.meter)
    }

    /// Lamports that the meter has to pay for recording usage.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn meter_balance(&self) -> Result<u64, ChainError> {
        self.chain.balance(&self.meter()).await
    }

    /// The meter key, which signs the transactions that record usage.
    pub fn meter_key(&self) -> &SigningKey {
        &self.meter
    }

    /// The key that signs receipts.
    pub fn receipt_key(&self) -> &SigningKey {
        &self.receipt_key
    }

    /// How long after a licence was read on chain usage that rests on it may be recorded, at most (seconds). The
    /// marketplace's settle delay has to cover it.
    pub fn delay_secs(&self) -> u64 {
        self.delay_secs
    }
}

/// How long after a licence was read on chain a call that rests on it may end, and clocks may differ (seconds).
fn longest_use_secs(ttl: Duration, grace: Duration) -> u64 {
    ttl.max(grace).as_secs().saturating_add(LONGEST_CALL_SECS + CLOCK_DRIFT_SECS)
}
