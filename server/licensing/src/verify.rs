//! What this proxy thinks of a licence, with the slot and age of what it rests on.

use clawos_api::Timestamp;
use clawos_api::market::{LicenceView, VerifyQuery};
use clawos_interface::accounts::Licence;
use clawos_interface::rules::validity::{Validity, validity};
use clawos_interface::{Key, Kind, LicenceStatus, Tier};
use clawos_receipts::text::{from_base58, to_base58};
use clawos_registry::Registry;

use crate::read::READ_NOW;
use crate::{LicenceState, Licensing, LicensingError, Reading, skill_account};

impl Licensing {
    /// Says whether a buyer may call `skill` (`publisher.name`) here: the buyer that `query` names, else `caller`.
    ///
    /// # Errors
    /// When no buyer is named, or as no address; when the skill does not exist; when the chain cannot be read and the grace
    /// window is closed.
    pub async fn verify(
        &self,
        registry: &Registry,
        skill: &str,
        query: &VerifyQuery,
        caller: Option<&Key>,
    ) -> Result<LicenceView, LicensingError> {
        let buyer = match (&query.buyer, caller) {
            (Some(text), _) => from_base58::<32>(text).map_err(|_| LicensingError::MalformedBuyer)?,
            (None, Some(wallet)) => *wallet,
            (None, None) => return Err(LicensingError::NoBuyer),
        };
        let version = registry.resolve(skill, None).await?;
        let account = skill_account(&version.publisher_wallet, skill);
        Ok(self.view(&self.licence(account, &buyer, READ_NOW).await?))
    }

    fn view(&self, reading: &Reading<LicenceState>) -> LicenceView {
        let (state, now_secs) = (&reading.snapshot.value, self.now_secs(&reading.snapshot));
        let licence = state.licence.as_ref();
        let rule = licence.map_or(Validity::MISSING, |licence| validity(licence, now_secs));
        let refusal = self.usable_licence(state, now_secs).err();
        LicenceView {
            licence: to_base58(&state.licence_account),
            exists: licence.is_some(),
            valid: refusal.is_none(),
            reason: refusal.map_or("ok", |refusal| refusal.name()).to_owned(),
            kind: rule.kind().map(|kind: Kind| kind.to_string()),
            tier: rule.tier().map(|tier: Tier| tier.to_string()),
            status: licence
                .and_then(|licence| LicenceStatus::try_from(licence.status).ok())
                .map(|status| status.to_string()),
            expires_at: Some(rule.expires_at).filter(|end| *end != 0).map(|end| Timestamp(end.saturating_mul(1_000))),
            units_left: licence.and(Some(rule.units_left)).filter(|units| *units != u64::MAX),
            credit: licence.map(Licence::credit),
            unbilled: licence.map(Licence::unbilled),
            usage_total: licence.map(Licence::usage_total),
            usage_seq: licence.map(Licence::usage_seq),
            meter: licence.map(|licence| to_base58(&licence.meter)),
            slot: reading.snapshot.slot,
            age_ms: reading.age_ms,
            source: reading.source,
        }
    }
}
