//! Prices: the base price times the tier's multiplier, rounded up, inside the bounds of the currency.

use super::fee::BPS;
use crate::errors::ProgramError;
use crate::MAX_AMOUNT;

/// The highest tier multiplier, in basis points: 100 times the base price.
pub const MAX_TIER_BPS: u32 = 1_000_000;

/// `ceil(base × tier_bps / 10,000)` for `tier_bps` between 10,000 and [`MAX_TIER_BPS`].
///
/// # Errors
/// [`ProgramError::TierInvalid`] for another multiplier, [`ProgramError::MathOverflow`] when the price exceeds
/// [`MAX_AMOUNT`].
#[inline(always)]
pub fn tier_price(base: u64, tier_bps: u32) -> Result<u64, ProgramError> {
    let bps = tier_bps as u64;
    if bps < BPS || tier_bps > MAX_TIER_BPS {
        return Err(ProgramError::TierInvalid);
    }
    let (whole, rest) = (base / BPS, base % BPS);
    if whole > MAX_AMOUNT / bps {
        return Err(ProgramError::MathOverflow);
    }
    // Guarded above; the second product is below 10^4 × 10^6.
    let parts = rest.wrapping_mul(bps).wrapping_add(BPS - 1) / BPS;
    whole.wrapping_mul(bps).checked_add(parts).filter(|price| *price <= MAX_AMOUNT).ok_or(ProgramError::MathOverflow)
}

/// Whether `min..=max` can bound prices: `1 <= min <= max <= 2^63 − 1`.
///
/// # Errors
/// [`ProgramError::PriceBoundsInvalid`] when not.
#[inline(always)]
pub fn check_bounds(min: u64, max: u64) -> Result<(), ProgramError> {
    if min == 0 || min > max || max > MAX_AMOUNT {
        return Err(ProgramError::PriceBoundsInvalid);
    }
    Ok(())
}

/// Whether `price` lies in `min..=max`.
///
/// # Errors
/// [`ProgramError::PriceOutOfRange`] when not.
#[inline(always)]
pub fn check_price(price: u64, min: u64, max: u64) -> Result<(), ProgramError> {
    if price < min || price > max {
        return Err(ProgramError::PriceOutOfRange);
    }
    Ok(())
}
