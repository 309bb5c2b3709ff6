//! Admission: a licence that allows a call now, with the facts that say so.
//!
//! [`Licensing::admit`] gives an [`Admission`] from state of at most the configured age (`--licence-ttl-secs`, 30 s at
//! most), or from the grace window while the chain cannot be read; [`Licensing::admit_fresh`] from state read since it was asked.
//! An admission holds its licence: who has one need not ask whether there is one.

use clawos_api::market::Source;
use clawos_interface::Key;
use clawos_interface::accounts::Licence;

use crate::chain::ChainError;
use crate::read::READ_NOW;
use crate::{LicenceState, Licensing, LicensingError, ListingState, Reading, Refusal, check};

/// A licence that allows a call.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The licence.
    pub licence: Licence,
    /// Its address.
    pub licence_account: Key,
    /// The skill's side of the chain at the same slot: its account's address, the account, the marketplace's settings.
    pub listing: ListingState,
    /// The slot all of it was read at.
    pub slot: u64,
    /// How long ago that was, in milliseconds.
    pub age_ms: u64,
    /// Where it came from.
    pub source: Source,
    /// The moment it was checked for: the later of wall clock and chain clock, Unix seconds.
    pub now_secs: i64,
}

impl Licensing {
    /// The licence as last read if it allows a call now, else as read again.
    ///
    /// # Errors
    /// [`LicensingError::Refused`] with the reason, or [`LicensingError::Chain`] when the chain cannot be read.
    pub async fn admit(&self, skill_account: Key, buyer: &Key) -> Result<Admission, LicensingError> {
        let known = self.licence(skill_account, buyer, self.ttl_ms).await?;
        match self.admission(&known) {
            Ok(admission) => Ok(admission),
            Err(refusal) if known.source == Source::Chain => Err(refusal.into()),
            Err(_) => self.admit_fresh(skill_account, buyer).await,
        }
    }

    /// The same, from state read since this was asked: nobody is refused because of an older one, who may have paid since.
    /// While the chain cannot be read nobody is refused for good, since the grace window's state may be from before a purchase.
    ///
    /// # Errors
    /// As [`Licensing::admit`].
    pub async fn admit_fresh(&self, skill_account: Key, buyer: &Key) -> Result<Admission, LicensingError> {
        let read = self.licence(skill_account, buyer, READ_NOW).await?;
        if read.source == Source::Grace {
            return Err(ChainError::Unreachable("the licence cannot be read again".to_owned()).into());
        }
        Ok(self.admission(&read)?)
    }

    fn admission(&self, reading: &Reading<LicenceState>) -> Result<Admission, Refusal> {
        let (state, now_secs) = (&reading.snapshot.value, self.now_secs(&reading.snapshot));
        let licence = self.usable_licence(state, now_secs)?;
        Ok(Admission {
            licence: *licence,
            licence_account: state.licence_account,
            listing: state.listing.clone(),
            slot: reading.snapshot.slot,
            age_ms: reading.age_ms,
            source: reading.source,
            now_secs,
        })
    }

    /// The licence, if it allows a call at `now_secs` (Unix seconds).
    pub(crate) fn usable_licence<'a>(&self, state: &'a LicenceState, now_secs: i64) -> Result<&'a Licence, Refusal> {
        check::usable(state.licence.as_ref(), &state.listing.config, now_secs, &self.meter(), self.delay_secs)
    }
}
