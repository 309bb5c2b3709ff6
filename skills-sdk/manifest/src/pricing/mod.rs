//! What a skill costs: the prices of `[pricing]` in base units, and the terms to register on chain.

mod prices;
mod terms;

pub use prices::{MIN_PURCHASE, PeriodPrice, Prices, ShownPrice, UnitPrice};
