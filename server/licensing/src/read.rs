//! Asking for listings and licences: from the cache where that is good enough, else from the chain.

use clawos_interface::accounts::Config;
use clawos_interface::{Key, NO_KEY, pda};

use crate::accounts::MAX_LICENCES;
use crate::{
    LISTING_MAX_AGE_MS, LicenceState, Licensing, LicensingError, ListingState, Reading, Snapshot, skill_account,
};

/// The age (milliseconds) of state that is read when it is asked for. How often that can cause a read is bounded by the cache, which
/// makes callers wait for the next one, an eighth of a second at most.
pub(crate) const READ_NOW: u64 = 0;

impl Licensing {
    /// What the chain says of a skill: at most a few seconds old when it is on sale, else read a moment ago.
    ///
    /// # Errors
    /// When the chain cannot be read and nothing recent is known.
    pub async fn listing(&self, publisher: &Key, skill: &str) -> Result<Reading<ListingState>, LicensingError> {
        let known = self.listing_at(skill_account(publisher, skill), LISTING_MAX_AGE_MS).await?;
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
        self.listing_at(skill_account(publisher, skill), READ_NOW).await
    }

    /// The marketplace's settings, at most a few seconds old.
    ///
    /// # Errors
    /// When the chain cannot be read and nothing recent is known.
    pub async fn market(&self) -> Result<Config, LicensingError> {
        // Any listing's state carries them; at this address there is none.
        let reading = self.listing_at(skill_account(&NO_KEY, ""), LISTING_MAX_AGE_MS).await?;
        Ok(reading.snapshot.value.config)
    }

    async fn listing_at(&self, key: Key, max_age_ms: u64) -> Result<Reading<ListingState>, LicensingError> {
        let load = |min_slot| self.chain.listing(key, min_slot);
        Ok(self.listings.get(key, self.clock.now_ms(), max_age_ms, |_| true, load).await?)
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
        let key = pda::licence(&skill_account, buyer).0;
        let now = self.clock.now_ms();
        let load = |min_slot| self.chain.licence(skill_account, key, min_slot);
        Ok(self.licences.get(key, now, max_age_ms, |seen| !ended_since(seen, now), load).await?)
    }

    /// Reads licences (skill account, licence account) anew, all that are given, for settling, from a node that is not
    /// behind `min_slot`; callers of those licences see the new state too.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn read_for_settling(
        &self,
        wanted: &[(Key, Key)],
        min_slot: u64,
    ) -> Result<Vec<Snapshot<LicenceState>>, LicensingError> {
        let mut states = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(MAX_LICENCES) {
            for state in self.chain.licences(some, min_slot).await? {
                self.licences.put(state.value.licence_account, state.clone()).await;
                states.push(state);
            }
        }
        Ok(states)
    }

    /// The later of wall clock and chain clock, Unix seconds. The chain's has gone on since it was read.
    pub fn now_secs<T>(&self, snapshot: &Snapshot<T>) -> i64 {
        let wall_ms = self.clock.now_ms();
        let since = wall_ms.saturating_sub(snapshot.read_at_ms).max(0) / 1_000;
        snapshot.chain_secs.saturating_add(since).max(wall_ms / 1_000)
    }
}

/// Whether the licence's period ended after it was read: it may have been renewed since.
fn ended_since(seen: &Snapshot<LicenceState>, now_ms: i64) -> bool {
    let Some(licence) = &seen.value.licence else { return false };
    let end_ms = licence.expires_at().saturating_mul(1_000);
    end_ms != 0 && seen.read_at_ms < end_ms && now_ms >= end_ms
}
