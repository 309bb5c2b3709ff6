//! Licences and receipts, judged from what a stranger can fetch: true ones pass, each tampering is caught.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod conclusion;
mod history;
mod leaves;
mod licence;
mod receipt;
mod sample;
mod world;
