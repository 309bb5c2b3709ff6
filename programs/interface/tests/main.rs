//! The rules, layouts, addresses and instructions, tested through the crate's public interface; the rules by properties over all inputs.

mod addresses;
mod bill;
mod exit;
mod fee;
mod instructions;
mod layouts;
mod money;
mod price;
mod samples;
mod terms;
mod usage;
mod validity;
