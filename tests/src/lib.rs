//! Helpers that the system tests share, a module each.

pub mod app;
pub mod chain;
pub mod composed_skill;
pub mod documented;
pub mod guests;
pub mod lying_chain;
pub mod market;
pub mod processes;
pub mod publication;
pub mod relay;
pub mod wat_skill;

pub use clawos_test_postgres as postgres;
pub use clawos_test_postgres::scratch;
