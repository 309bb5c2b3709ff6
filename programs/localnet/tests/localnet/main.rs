//! A localnet as its users meet it: through Solana's own clients, over HTTP and websocket, across restarts and kills.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod blockhashes;
mod blocks;
mod cluster;
mod flow;
mod kills;
mod lookup_tables;
mod queries;
mod raw;
mod restarts;
mod subscriptions;
mod support;
