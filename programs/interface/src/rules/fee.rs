//! The platform's fee: floors of a growing total, so that cutting an amount into pieces changes nothing.

use crate::errors::ProgramError;
use crate::MAX_AMOUNT;

/// One whole, in basis points.
pub const BPS: u64 = 10_000;

/// The highest fee the program accepts: 10 %.
pub const MAX_FEE_BPS: u16 = 1_000;

/// The fee of a new marketplace: 2.5 %.
pub const DEFAULT_FEE_BPS: u16 = 250;

/// Seconds a raise of the fee waits: 7 days.
pub const FEE_RAISE_DELAY_SECS: i64 = 604_800;

/// `floor(total × bps / 10,000)` for `bps <= 10,000`.
///
/// Written without a wide product: with `total = q·10,000 + r` it is `q·bps + floor(r·bps / 10,000)`. Neither product
/// overflows, since `q·bps <= total` and `r·bps < 10^8`; their sum is at most `total`.
#[inline(always)]
pub const fn fee_of(total: u64, bps: u16) -> u64 {
    debug_assert!(bps as u64 <= BPS);
    let bps = bps as u64;
    (total / BPS).wrapping_mul(bps).wrapping_add((total % BPS).wrapping_mul(bps) / BPS)
}

/// The fee on `add` base units paid after `old_total` were paid: the difference of the floors at the present rate.
///
/// # Errors
/// [`ProgramError::MathOverflow`] when the new total exceeds [`MAX_AMOUNT`].
#[inline(always)]
pub fn fee_delta(old_total: u64, add: u64, bps: u16) -> Result<u64, ProgramError> {
    let new_total =
        old_total.checked_add(add).filter(|total| *total <= MAX_AMOUNT).ok_or(ProgramError::MathOverflow)?;
    // The floor never falls as the total grows.
    Ok(fee_of(new_total, bps).wrapping_sub(fee_of(old_total, bps)))
}
