//! Verification for those who trust nobody: licences from the chain, receipts from their proofs, bills from a replay.
//!
//! Pure functions over bytes that the caller fetched; no server code, no network. Each answers with a [`Report`]: a list
//! of checks, each with the evidence it rests on, so that a reader sees what was shown and what was not, and a
//! [`Conclusion`] in one line.
//!
//! | module | answers |
//! | --- | --- |
//! | [`licence`] | does this buyer's licence give access now? |
//! | [`receipt`] | is this receipt signed, anchored, and billed as agreed? |
//! | [`anchor`], [`version`] | its place on chain; what the publisher signed of the version that ran |
//! | [`batches`] | do the published batches lead to the root and the totals on chain? |
//! | [`leaves`] | are the receipts in them signed, and do they add up to the batches' totals? |
//! | [`replay`] | does the module give the same output for the same fuel again? |

pub mod account;
pub mod anchor;
pub mod batches;
pub mod conclusion;
mod generation;
pub mod leaves;
pub mod licence;
pub mod receipt;
pub mod replay;
pub mod report;
pub mod version;

pub use account::Account;
pub use conclusion::Conclusion;
pub use report::{Check, Report, Verdict};
