//! The port through which the registry asks the chain about a skill. Licensing, a domain above, implements it.

use std::fmt;

use async_trait::async_trait;
use clawos_api::market::ListingChain;
use clawos_base::Cause;
use clawos_interface::Key;
use clawos_manifest::Prices;

/// What the chain says of skills. Nothing in the registry depends on the answer: an error makes a listing be shown without
/// it, and is logged.
#[async_trait]
pub trait ChainListings: Send + Sync + fmt::Debug {
    /// Whether `publisher` (the wallet, the skill's creator on chain) registered `skill` (`publisher.name`).
    ///
    /// # Errors
    /// When the chain cannot be read.
    async fn is_registered(&self, publisher: &Key, skill: &str) -> Result<bool, Cause>;

    /// What the chain says of the skill that `publisher` published with these prices, registered or not.
    ///
    /// # Errors
    /// When the chain cannot be read.
    async fn listing_on_chain(&self, publisher: &Key, skill: &str, prices: &Prices) -> Result<ListingChain, Cause>;
}
