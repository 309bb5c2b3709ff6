//! The two reads of the chain that everything rests on: a listing, and a licence with its listing, each at one slot.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::{DecodeError, Key, pda};

use crate::chain::{Chain, ChainError, MAX_ACCOUNTS, Snapshot, malformed};

/// A skill's side of the chain.
#[derive(Debug, Clone)]
pub struct ListingState {
    /// The derived address of the skill's account.
    pub skill_account: Key,
    /// The account, once the author registered it.
    pub skill: Option<Skill>,
    /// The marketplace's settings.
    pub config: Config,
}

/// A licence with the listing it belongs to.
#[derive(Debug, Clone)]
pub struct LicenceState {
    /// The derived address of the licence.
    pub licence_account: Key,
    /// The account; none when never bought or closed.
    pub licence: Option<Licence>,
    /// The skill's side.
    pub listing: ListingState,
}

/// The address of a skill's account: it follows from who published it and under which id.
pub fn skill_account(publisher: &Key, skill: &str) -> Key {
    pda::skill(publisher, &clawos_interface::skill_id(skill)).0
}

impl Chain {
    /// Reads a listing.
    pub(crate) async fn listing(&self, skill: Key, min_slot: u64) -> Result<Snapshot<ListingState>, ChainError> {
        let config = pda::config().0;
        let read = self.accounts(&[config, skill], min_slot).await?;
        let config = market(&config, read.value[0].as_deref())?;
        let value = listing(config, skill, read.value[1].as_deref())?;
        Ok(Snapshot { slot: read.slot, chain_secs: read.chain_secs, read_at_ms: read.read_at_ms, value })
    }

    /// Reads the licence at `licence` and the listing at `skill`.
    pub(crate) async fn licence(
        &self,
        skill: Key,
        licence: Key,
        min_slot: u64,
    ) -> Result<Snapshot<LicenceState>, ChainError> {
        let mut states = self.licences(&[(skill, licence)], min_slot).await?;
        states.pop().ok_or_else(|| malformed(&licence, "nothing was read"))
    }

    /// Reads several licences with their listings (at most [`MAX_LICENCES`]), in the order asked.
    pub(crate) async fn licences(
        &self,
        wanted: &[(Key, Key)],
        min_slot: u64,
    ) -> Result<Vec<Snapshot<LicenceState>>, ChainError> {
        let config_key = pda::config().0;
        let mut keys = vec![config_key];
        keys.extend(wanted.iter().flat_map(|(skill, licence)| [*skill, *licence]));
        let read = self.accounts(&keys, min_slot).await?;
        let config = market(&config_key, read.value[0].as_deref())?;
        let pairs = wanted.iter().zip(read.value[1..].chunks_exact(2));
        pairs
            .map(|((skill, licence), data)| {
                let value = LicenceState {
                    licence_account: *licence,
                    licence: decode(licence, data[1].as_deref(), Licence::decode)?,
                    listing: listing(config, *skill, data[0].as_deref())?,
                };
                Ok(Snapshot { slot: read.slot, chain_secs: read.chain_secs, read_at_ms: read.read_at_ms, value })
            })
            .collect()
    }
}

/// Most licences one read can ask for: each comes with its listing, all with Config.
pub const MAX_LICENCES: usize = (MAX_ACCOUNTS - 1) / 2;

fn market(key: &Key, data: Option<&[u8]>) -> Result<Config, ChainError> {
    decode(key, data, Config::decode)?
        .ok_or_else(|| malformed(key, "the marketplace is not initialised on this network"))
}

fn listing(config: Config, skill_account: Key, data: Option<&[u8]>) -> Result<ListingState, ChainError> {
    Ok(ListingState { skill_account, skill: decode(&skill_account, data, Skill::decode)?, config })
}

/// An address that nobody used, or that only holds money somebody sent there, is no account of ours.
fn decode<T>(
    key: &Key,
    data: Option<&[u8]>,
    decode: fn(&[u8]) -> Result<T, DecodeError>,
) -> Result<Option<T>, ChainError> {
    match data {
        None | Some([]) => Ok(None),
        Some(data) => decode(data).map(Some).map_err(|error| malformed(key, error)),
    }
}
