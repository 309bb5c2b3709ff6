//! The bill: units rounded up and never for a failure, amounts exact or refused.

use clawos_interface::rules::bill::{cost, units, MEGAFUEL};
use clawos_interface::{ProgramError, Unit, MAX_AMOUNT};
use proptest::prelude::*;

proptest! {
    #[test]
    fn cost_is_the_exact_product_or_an_overflow(units: u64, price: u64) {
        let exact = u128::from(units) * u128::from(price);
        if exact <= u128::from(MAX_AMOUNT) {
            prop_assert_eq!(cost(units, price).map(u128::from), Ok(exact));
        } else {
            prop_assert_eq!(cost(units, price), Err(ProgramError::MathOverflow));
        }
    }

    #[test]
    fn megafuel_is_the_least_whole_number_that_covers_the_fuel(fuel: u64) {
        let billed = u128::from(units(Unit::Megafuel, true, fuel));
        prop_assert!(billed * u128::from(MEGAFUEL) >= u128::from(fuel));
        prop_assert!(billed == 0 || (billed - 1) * u128::from(MEGAFUEL) < u128::from(fuel));
    }

    #[test]
    fn a_call_is_one_unit_and_a_failure_none(fuel: u64) {
        prop_assert_eq!(units(Unit::Call, true, fuel), 1);
        for unit in Unit::ALL {
            prop_assert_eq!(units(*unit, false, fuel), 0);
        }
    }
}

#[test]
fn the_bound_is_exact() {
    assert_eq!(cost(1, MAX_AMOUNT), Ok(MAX_AMOUNT));
    assert_eq!(cost(MAX_AMOUNT, 1), Ok(MAX_AMOUNT));
    assert_eq!(cost(1, MAX_AMOUNT + 1), Err(ProgramError::MathOverflow));
    assert_eq!(cost(u64::MAX, 0), Ok(0));
}
