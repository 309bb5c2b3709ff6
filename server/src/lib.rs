//! The ClawOS server: registry, identity, licences and the execution proxy behind one HTTP API.
//!
//! Each folder is a domain. A domain owns its routes, its types and its `store.rs` (the only place with SQL); domains
//! meet through functions, never through another's store. [`app`] is the only place that wires things together.
//!
//! What this crate never does: sign a buyer's transaction, keep a buyer's key, run a module outside
//! [`clawos_runtime::Sandbox`], or answer with the internal cause of an error.

#![allow(
    unused_qualifications,
    reason = "utoipa's attribute repeats the types of a handler's arguments with their paths"
)]

pub mod app;
pub mod audit;
pub mod clock;
pub mod config;
mod connections;
pub mod database;
pub mod demo;
pub mod error;
pub mod execution;
pub mod http;
pub mod identity;
pub mod licensing;
pub mod registry;
pub mod serve;
pub mod storage;
