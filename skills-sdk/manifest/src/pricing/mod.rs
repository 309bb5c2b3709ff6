//! What a skill costs: decimal text to integer base units, prices per unit, and the terms that stand on chain.

mod amount;
mod prices;
mod terms;

pub use amount::{AmountError, format_amount, parse_amount, unit_price};
pub use prices::{MIN_PURCHASE, PeriodPrice, Prices, UnitPrice};
