//! Terms: everything a buyer agrees to, the checks they pass, and their hash.

use super::price::{check_price, tier_price, MAX_TIER_BPS};
use crate::codes::{Currency, Kind, Tier, Unit};
use crate::errors::ProgramError;
use crate::{Hasher, Key, MAX_AMOUNT, NO_KEY};

/// Shortest subscription period: one hour, in seconds.
pub const MIN_PERIOD_SECS: u32 = 3_600;

/// Longest subscription period: 366 days, in seconds.
pub const MAX_PERIOD_SECS: u32 = 366 * 86_400;

/// Longest refund window the program accepts, in seconds. It is 0 until a held payment can be released: nothing may be
/// held that cannot leave.
pub const MAX_REFUND_WINDOW_SECS: u32 = 0;

/// What the hash of terms begins with.
const DOMAIN: &[u8] = b"clawos/terms/v1";

/// The terms of a skill. Prices are base units of `currency`; a price of a kind that is not offered is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Wallet that receives the money.
    pub payout: Key,
    /// Key that records usage. In a registration zeros mean Config's; in a hash it is the key itself.
    pub meter: Key,
    /// Price of a one-time licence.
    pub price_once: u64,
    /// Price of a subscription period.
    pub price_period: u64,
    /// Price of a unit of usage.
    pub price_unit: u64,
    /// Length of a subscription period, seconds; 0 where no subscription is offered.
    pub period_secs: u32,
    /// Seconds in which an unused purchase can be taken back.
    pub refund_window: u32,
    /// Price multiplier per tier in basis points, personal = 10,000.
    pub tier_bps: [u32; 3],
    /// [`Currency`] code.
    pub currency: u8,
    /// [`Kind::bit`]s offered.
    pub kinds: u8,
    /// [`Unit`] code.
    pub unit_kind: u8,
}

/// The bounds that Config sets for terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Lowest price of a purchase or period per currency.
    pub min_price: [u64; 2],
    /// Highest price of anything per currency.
    pub max_price: [u64; 2],
    /// Longest refund window, seconds.
    pub max_refund_window: u32,
}

impl crate::accounts::Config {
    /// The bounds for terms.
    #[inline(always)]
    pub fn bounds(&self) -> Bounds {
        Bounds { min_price: self.min_price(), max_price: self.max_price(), max_refund_window: self.max_refund_window() }
    }
}

impl Terms {
    /// Bytes that are hashed after the domain.
    pub const HASHED_LEN: usize = 2 * 32 + 3 * 8 + 5 * 4 + 3 + 8;

    /// The terms as fixed bytes, with the slot in which the skill's account was made.
    fn bytes(&self, created_slot: u64) -> [u8; Self::HASHED_LEN] {
        let mut bytes = [0; Self::HASHED_LEN];
        bytes[..32].copy_from_slice(&self.payout);
        bytes[32..64].copy_from_slice(&self.meter);
        bytes[64..72].copy_from_slice(&self.price_once.to_le_bytes());
        bytes[72..80].copy_from_slice(&self.price_period.to_le_bytes());
        bytes[80..88].copy_from_slice(&self.price_unit.to_le_bytes());
        bytes[88..92].copy_from_slice(&self.period_secs.to_le_bytes());
        bytes[92..96].copy_from_slice(&self.refund_window.to_le_bytes());
        bytes[96..100].copy_from_slice(&self.tier_bps[0].to_le_bytes());
        bytes[100..104].copy_from_slice(&self.tier_bps[1].to_le_bytes());
        bytes[104..108].copy_from_slice(&self.tier_bps[2].to_le_bytes());
        bytes[108] = self.currency;
        bytes[109] = self.kinds;
        bytes[110] = self.unit_kind;
        bytes[111..119].copy_from_slice(&created_slot.to_le_bytes());
        bytes
    }

    /// SHA-256 over the terms and the slot in which the skill's account was made. `meter` must be the effective one
    /// ([`Skill::terms`](crate::accounts::Skill::terms) gives it).
    #[inline(always)]
    pub fn hash(&self, hasher: Hasher, created_slot: u64) -> [u8; 32] {
        hasher(&[DOMAIN, &self.bytes(created_slot)])
    }

    /// The base price of `kind`: of one licence, one period or one unit.
    #[inline(always)]
    pub const fn base_price(&self, kind: Kind) -> u64 {
        match kind {
            Kind::OneTime => self.price_once,
            Kind::Subscription => self.price_period,
            Kind::Usage => self.price_unit,
        }
    }

    /// The price of `kind` at `tier`: of one licence, one period or one unit.
    ///
    /// # Errors
    /// [`ProgramError::KindNotOffered`], or those of [`tier_price`].
    #[inline(always)]
    pub fn price(&self, kind: Kind, tier: Tier) -> Result<u64, ProgramError> {
        if self.kinds & kind.bit() == 0 {
            return Err(ProgramError::KindNotOffered);
        }
        tier_price(self.base_price(kind), self.tier_bps[tier as usize])
    }

    /// Whether a seller may offer these terms.
    ///
    /// # Errors
    /// [`ProgramError`] naming the first thing that is wrong.
    #[inline(always)]
    pub fn check(&self, bounds: &Bounds) -> Result<(), ProgramError> {
        if self.payout == NO_KEY {
            return Err(ProgramError::KeyMissing);
        }
        let currency = Currency::try_from(self.currency)? as usize;
        Unit::try_from(self.unit_kind)?;
        if self.kinds == 0 || self.kinds & !Kind::MASK != 0 {
            return Err(ProgramError::KindsInvalid);
        }
        if self.refund_window > bounds.max_refund_window || self.refund_window > MAX_REFUND_WINDOW_SECS {
            return Err(ProgramError::RefundWindowTooLong);
        }
        self.check_tiers()?;
        self.check_period()?;
        for kind in [Kind::OneTime, Kind::Subscription, Kind::Usage] {
            // One unit may cost less than the lowest price: the fee is taken on the running total.
            let min = if matches!(kind, Kind::Usage) { 1 } else { bounds.min_price[currency] };
            self.check_kind(kind, min, bounds.max_price[currency])?;
        }
        Ok(())
    }

    /// Every tier's price of an offered kind is inside the bounds: the personal one is the lowest, so only the dearest
    /// can be too high besides. The price of a kind that is not offered is 0.
    fn check_kind(&self, kind: Kind, min: u64, max: u64) -> Result<(), ProgramError> {
        let base = self.base_price(kind);
        if self.kinds & kind.bit() == 0 {
            return if base == 0 { Ok(()) } else { Err(ProgramError::PriceOutOfRange) };
        }
        if base > MAX_AMOUNT {
            return Err(ProgramError::MathOverflow);
        }
        check_price(base, min, max)?;
        let dearest = self.tier_bps[1].max(self.tier_bps[2]);
        check_price(tier_price(base, dearest)?, min, max)
    }

    fn check_tiers(&self) -> Result<(), ProgramError> {
        let valid = |bps: u32| (10_000..=MAX_TIER_BPS).contains(&bps);
        if self.tier_bps[0] != 10_000 || !valid(self.tier_bps[1]) || !valid(self.tier_bps[2]) {
            return Err(ProgramError::TierInvalid);
        }
        Ok(())
    }

    fn check_period(&self) -> Result<(), ProgramError> {
        let offered = self.kinds & Kind::Subscription.bit() != 0;
        let valid = if offered {
            (MIN_PERIOD_SECS..=MAX_PERIOD_SECS).contains(&self.period_secs)
        } else {
            self.period_secs == 0
        };
        if !valid {
            return Err(ProgramError::PeriodInvalid);
        }
        Ok(())
    }
}
