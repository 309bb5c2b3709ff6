//! The ClawOS server: wires its crates together and serves.
//!
//! Each folder under `server/` is a crate: domains hold the rules, doors (`server/api`) show them, and this crate opens every
//! part ([`wiring`]), serves requests ([`serve`]) and keeps the background workers ([`workers`]).
//!
//! What the server never does: sign a buyer's transaction, keep a buyer's key, run a module outside
//! [`clawos_runtime::Sandbox`], or answer with the internal cause of an error.

mod connections;
pub mod serve;
mod summary;
pub mod wiring;
pub mod workers;

pub use wiring::{Server, StartError};
