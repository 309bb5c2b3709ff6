//! The Rust client of ClawOS: everything an agent does, without trusting the server.
//!
//! - [`Client`] speaks the HTTP API (`api/`, one file per group of endpoints), with timeouts, bounded retries and an
//!   `Idempotency-Key` on every POST.
//! - [`Wallet`] holds the agent's Ed25519 key. **It never signs what this crate did not build**: a challenge is
//!   rebuilt from the client's own origin, genesis, handle and wallet ([`login`]); a purchase is assembled here
//!   through `clawos_interface` and only compared with what the server offers ([`solana::purchase`]).
//! - [`solana`] reads the chain directly and sends transactions, so a licence can be checked with an RPC URL alone.
//!
//! | limit | value | reason |
//! | --- | --- | --- |
//! | [`http::CONNECT_TIMEOUT`] | 5 s | an unreachable server is reported soon |
//! | [`http::REQUEST_TIMEOUT`] | 20 s | longer than the server waits for its database and the chain |
//! | [`http::EXECUTE_TIMEOUT`] | 60 s | twice as long as a skill may run (30 s): it may have to wait for its turn |
//! | [`http::DOWNLOAD_TIMEOUT`] | 120 s | the largest artifact on a slow line |
//! | [`http::PUBLISH_TIMEOUT`] | 300 s | the server may compile for 120 s and run examples for 60 s, after a queue |
//! | [`http::MAX_ATTEMPTS`] | 4 | with back-off about 2 s in all: outlasts a restart of the server, no more |
//! | [`http::MAX_ANSWER_BYTES`] | 80 MiB | larger than the largest artifact |
//! | [`paging::PAGE`] | 100 | items of a page; a list that does not end is refused |
//! | [`login::MAX_CHALLENGE_LIFE_MS`] | 15 min | a signature the client gives should not be useful for long |

pub mod api;
pub mod error;
pub mod http;
pub mod key;
pub mod login;
pub mod paging;
pub mod solana;
pub mod wallet;

pub use clawos_api::{FieldError, Problem};
pub use error::{ClientError, Result};
pub use http::Client;
pub use wallet::{Wallet, WalletError};
