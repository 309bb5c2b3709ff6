//! The bill of a call: units follow from outcome, unit and fuel, the amount from units and price, so anyone can
//! recompute it.

use crate::codes::Unit;
use crate::errors::ProgramError;
use crate::MAX_AMOUNT;

/// Fuel in one megafuel.
pub const MEGAFUEL: u64 = 1_000_000;

/// The units a call is billed: none unless it succeeded, else 1, or its megafuel rounded up.
pub const fn units(unit: Unit, succeeded: bool, fuel: u64) -> u64 {
    match (succeeded, unit) {
        (false, _) => 0,
        (true, Unit::Call) => 1,
        (true, Unit::Megafuel) => fuel.div_ceil(MEGAFUEL),
    }
}

/// `units × price` in base units, at most [`MAX_AMOUNT`]; it never saturates.
///
/// # Errors
/// [`ProgramError::MathOverflow`] above that.
#[inline(always)]
pub const fn cost(units: u64, price: u64) -> Result<u64, ProgramError> {
    if price != 0 && units > MAX_AMOUNT / price {
        return Err(ProgramError::MathOverflow);
    }
    Ok(units.wrapping_mul(price))
}
