//! The rules of money and rights: pure functions, the same on chain and off.

pub mod bill;
pub mod exit;
pub mod fee;
pub mod price;
pub mod terms;
pub mod usage;
pub mod validity;
