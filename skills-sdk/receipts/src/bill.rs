//! What a call costs. It follows from outcome, unit, fuel and unit price alone, so anyone can recompute it.

use thiserror::Error;

pub use crate::codes::Unit;

/// Fuel in one megafuel.
pub const MEGAFUEL: u64 = 1_000_000;

/// Units × price does not fit 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{units} units at {unit_price} base units each is more than 2^64 - 1")]
pub struct AmountOverflow {
    /// How many units.
    pub units: u64,
    /// Base units of the currency per unit.
    pub unit_price: u64,
}

/// The units a call is billed: none unless it succeeded, else 1, or its megafuel rounded up.
pub fn units(unit: Unit, outcome_ok: bool, fuel: u64) -> u64 {
    match (outcome_ok, unit) {
        (false, _) => 0,
        (true, Unit::Call) => 1,
        (true, Unit::Megafuel) => fuel.div_ceil(MEGAFUEL),
    }
}

/// The price of `units`, in base units of the currency. Errors on overflow; it never saturates.
pub fn amount(units: u64, unit_price: u64) -> Result<u64, AmountOverflow> {
    units.checked_mul(unit_price).ok_or(AmountOverflow { units, unit_price })
}
