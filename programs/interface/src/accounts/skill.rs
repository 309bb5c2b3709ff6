//! Skill: one listing, seeds `skill`, creator, skill id.

use crate::integers::{I64, U32, U64};
use crate::layout::layout;
use crate::rules::terms::Terms;
use crate::{Key, NO_KEY};

layout! {
    /// A listing: who sells it, where the money goes, and the terms a buyer agrees to.
    Skill = [53, 13, 242, 204, 77, 249, 1, 215], version 1, at version {
        /// Who registered it; part of the address, never changes.
        creator: Key,
        /// Who may change it now.
        seller: Key,
        /// Proposed next seller; zeros when none.
        pending_seller: Key,
        /// Wallet that receives the money (USDC: in any token account of it; clients use the associated one).
        payout: Key,
        /// Key that records usage; zeros mean Config's.
        meter: Key,
        /// SHA-256 of the listing's id, `publisher.name`.
        skill_id: Key,
        /// SHA-256 of the listing's identity record; not changed by a new version.
        listing_hash: Key,
        /// Price of a one-time licence, base units.
        price_once: U64,
        /// Price of one subscription period, base units.
        price_period: U64,
        /// Price of one unit of usage, base units.
        price_unit: U64,
        /// Slot in which the account was made; part of the terms hash, so a re-created listing has other terms.
        created_slot: U64,
        /// Purchases and renewals so far.
        sales: U64,
        /// Base units that buyers have paid so far, fees included.
        gross: U64,
        /// Unix seconds.
        created_at: I64,
        /// Unix seconds of the last change of terms or status.
        updated_at: I64,
        /// Length of a subscription period, seconds.
        period_secs: U32,
        /// Seconds in which an unused purchase can be taken back; 0 = none.
        refund_window: U32,
        /// Grows with every change of terms, from 1.
        terms_version: U32,
        /// Licence accounts that exist for it.
        open_licences: U32,
        /// Price multiplier per tier in basis points, personal = 10,000.
        tier_bps: [U32; 3],
        /// [`Unit`](crate::Unit).
        unit_kind: u8,
        /// [`Currency`](crate::Currency) of every price here.
        currency: u8,
        /// [`Kind::bit`](crate::Kind::bit)s on sale.
        kinds: u8,
        /// [`SkillStatus`](crate::SkillStatus).
        status: u8,
        /// Layout version.
        version: u8,
        /// Bump of the address.
        bump: u8,
        /// For later versions; zeros.
        reserved: [u8; 70],
    }
}

impl Skill {
    /// The key that records usage for licences sold now: the skill's own, or Config's.
    #[inline(always)]
    pub fn effective_meter(&self, config_meter: &Key) -> Key {
        if self.meter == NO_KEY {
            *config_meter
        } else {
            self.meter
        }
    }

    /// Everything a buyer agrees to, as it stands now.
    #[inline(always)]
    pub fn terms(&self, config_meter: &Key) -> Terms {
        Terms {
            payout: self.payout,
            meter: self.effective_meter(config_meter),
            price_once: self.price_once(),
            price_period: self.price_period(),
            price_unit: self.price_unit(),
            period_secs: self.period_secs(),
            refund_window: self.refund_window(),
            tier_bps: self.tier_bps(),
            currency: self.currency,
            kinds: self.kinds,
            unit_kind: self.unit_kind,
        }
    }
}
