//! Units are promised before a call and captured after it.
//!
//! A server leases blocks of units of a licence from the database (one write per block, not per call) and hands them
//! out from memory. The sum of what all servers hold, have used and have anchored never passes what the chain allows.

mod pool;
mod store;
#[cfg(test)]
mod tests;
mod units;

pub(crate) use pool::{Pools, Promise};
pub(crate) use store::{capture, release_leases};
pub(crate) use units::Allowance;

/// How long a lease lasts without being renewed (milliseconds). A server that stops for longer loses what it captured
/// meanwhile: the platform's loss, never the buyer's.
pub(crate) const LEASE_MS: i64 = 60_000;
/// A promise is made only from a lease that lasts at least this much longer (milliseconds): the longest call (30 s) and
/// its group commit.
pub(crate) const LEASE_MARGIN_MS: i64 = 40_000;

/// `1 unit`, `2 units`.
fn units(count: u64) -> String {
    if count == 1 { "1 unit".to_owned() } else { format!("{count} units") }
}

/// Units of a licence could not be set aside for a call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReserveError {
    /// The licence does not have that many units.
    #[error("the call may need {} and the licence has {} left", units(*needed), units(*available))]
    Exhausted {
        /// Units the call may use.
        needed: u64,
        /// Units left.
        available: u64,
        /// Whether it is credit that is missing, which a deposit cures.
        credit: bool,
    },
    /// Other calls or servers hold them.
    #[error("the licence's last units are set aside, for a minute at most unless they are used; try again")]
    SetAside,
    /// What is used now could not be recorded: this server's database is an older copy than the chain.
    #[error(
        "the chain has usage of this licence that this server's database does not know, so more could not be charged; its \
         operator has to put a newer copy of the database back"
    )]
    UnknownBatch,
    /// What is used now could not be recorded: what this server's database has of the licence was changed.
    #[error(
        "what this server's database has of the licence's usage was changed, so more could not be charged; its operator has to \
         put it back as it was"
    )]
    Stopped,
    /// What is paid per unit was recorded through another proxy, whose receipts and batches this server does not have.
    #[error(
        "usage of this licence was recorded through another proxy before it named this one, and what is paid per unit cannot \
         be carried on from there: close the licence, which gives its credit back, and buy it again"
    )]
    MeteredElsewhere,
    /// More could not be recorded before the buyer can take the credit back.
    #[error(
        "too many units of the licence wait to be recorded, {cap} at a time as its buyer allows; \
         try again in a few seconds, or raise the cap per batch"
    )]
    Unrecorded {
        /// The cap.
        cap: u64,
    },
    /// The buyer's cap per batch is below what one call may use.
    #[error("the call may need {} and the licence's cap per batch is {cap}; raise the cap", units(*needed))]
    AboveBatchCap {
        /// Units the call may use.
        needed: u64,
        /// The cap.
        cap: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
