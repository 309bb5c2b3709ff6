//! Solana transactions on the host: assembled, signed, sent and confirmed in one place for server, client and tests.
//!
//! - [`assembly`]: which instructions the marketplace's transactions consist of, and their compute budget.
//! - [`costs`]: what a transaction takes beside the money that it moves.
//! - [`transaction`]: from `clawos_interface`'s instructions to Solana's messages, wire form and signatures.
//! - [`failure`]: what the error of a transaction says.
//! - `rpc` (feature `rpc`): blockhashes, sending, status and confirmation over Solana JSON-RPC.
//!
//! Without the feature nothing here needs a network, a clock or an async runtime, so it also builds for wasm32.
//!
//! | limit | value | reason |
//! | --- | --- | --- |
//! | [`MAX_TRANSACTION_BYTES`] | 1,232 bytes | the network's |
//! | [`MAX_COMPUTE_UNITS`] | 1,400,000 | the network's, per transaction |
//! | [`COMPUTE_UNITS`] | 200,000 | about twice what the largest transaction of a buyer or seller uses |
//! | `rpc::CONFIRM_TIMEOUT` | 180 s | three times what a blockhash is valid for |
//! | `rpc::NEW_BLOCK_TIMEOUT` | 30 s | many times what a block takes |

pub mod assembly;
pub mod costs;
pub mod failure;
#[cfg(feature = "rpc")]
pub mod rpc;
pub mod transaction;

pub use assembly::{COMPUTE_UNITS, MAX_COMPUTE_UNITS};
pub use transaction::{Blockhash, MAX_TRANSACTION_BYTES};
