//! A skill as the chain has it, next to what its manifest says. The chain wins for money; a difference is shown.

use async_trait::async_trait;
use clawos_api::Money;
use clawos_api::market::{ListingChain, PricesOnChain};
use clawos_base::Cause;
use clawos_interface::accounts::Skill;
use clawos_interface::codes::PauseBits;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Key, Kind, ProgramError, SkillStatus, Unit};
use clawos_manifest::Prices;
use clawos_receipts::text::{to_base58, to_hex};
use clawos_registry::ChainListings;

use crate::accounts::ListingState;
use crate::{Licensing, LicensingError};

#[async_trait]
impl ChainListings for Licensing {
    async fn is_registered(&self, publisher: &Key, skill: &str) -> Result<bool, Cause> {
        Ok(self.listing(publisher, skill).await?.snapshot.value.skill.is_some())
    }

    async fn listing_on_chain(&self, publisher: &Key, skill: &str, prices: &Prices) -> Result<ListingChain, Cause> {
        let reading = self.listing(publisher, skill).await?;
        let state = &reading.snapshot.value;
        let account = state.skill.as_ref();
        let terms = account.map(|skill| skill.terms(&state.config.meter));
        Ok(ListingChain {
            registered: account.is_some(),
            skill_account: to_base58(&state.skill_account),
            status: account.and_then(|skill| SkillStatus::try_from(skill.status).ok()).map(|status| status.to_string()),
            terms_version: account.map(Skill::terms_version),
            terms_hash: state.terms_hash().map(|hash| to_hex(&hash)),
            prices: terms.as_ref().and_then(prices_on_chain),
            terms_differ: terms.is_some_and(|terms| prices.terms(terms.payout, state.config.meter) != terms),
            slot: reading.snapshot.slot,
        })
    }
}

impl Licensing {
    /// The account, if licences sold now can be used here.
    ///
    /// # Errors
    /// As [`ListingState::on_sale`]; `wrong_proxy` when the seller named a meter that is not this server's: its holder
    /// could spend the buyers' credit without a call.
    pub(crate) fn sold_here<'a>(&self, state: &'a ListingState) -> Result<&'a Skill, LicensingError> {
        let skill = state.on_sale()?;
        let (found, own) = (skill.effective_meter(&state.config.meter), self.meter());
        if found == own {
            return Ok(skill);
        }
        Err(LicensingError::OtherMeter { found: to_base58(&found), own: to_base58(&own) })
    }
}

impl ListingState {
    /// Hash of the terms as they stand now, which a purchase has to name.
    pub fn terms_hash(&self) -> Option<[u8; 32]> {
        let skill = self.skill.as_ref()?;
        Some(skill.terms(&self.config.meter).hash(clawos_interface::sha256, skill.created_slot()))
    }

    /// The account, if it is on sale.
    ///
    /// # Errors
    /// When it is not registered, paused or retired, or all sales are paused.
    pub fn on_sale(&self) -> Result<&Skill, LicensingError> {
        let skill = self.skill.as_ref().ok_or(LicensingError::NotRegistered)?;
        if self.config.is_paused(PauseBits::PURCHASE) {
            return Err(LicensingError::SalesPaused);
        }
        match SkillStatus::try_from(skill.status) {
            Ok(SkillStatus::Active) => Ok(skill),
            Ok(SkillStatus::Retired) => Err(LicensingError::NotForSale(ProgramError::SkillRetired)),
            Ok(SkillStatus::Paused) => Err(LicensingError::NotForSale(ProgramError::SkillInactive)),
            Err(error) => Err(LicensingError::NotForSale(error)),
        }
    }
}

/// None when the account names a currency that this server does not know.
fn prices_on_chain(terms: &Terms) -> Option<PricesOnChain> {
    let currency = Currency::try_from(terms.currency).ok()?;
    let price = |kind: Kind| (terms.kinds & kind.bit() != 0).then(|| Money::new(terms.base_price(kind), currency));
    let unit = price(Kind::Usage);
    let period = price(Kind::Subscription);
    Some(PricesOnChain {
        once: price(Kind::OneTime),
        period_secs: period.is_some().then_some(terms.period_secs),
        period,
        unit_kind: unit.as_ref().and(Unit::try_from(terms.unit_kind).ok()).map(|kind| kind.to_string()),
        unit,
        tier_bps: terms.tier_bps,
        refund_secs: terms.refund_window,
    })
}
