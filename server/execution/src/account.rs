//! One opening of a licence account: what usage is counted for.

use clawos_interface::Key;

/// One opening of a licence account: the address alone may come back after a close, and then starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Account {
    /// The licence's address.
    pub licence: Key,
    /// The slot in which the account was made.
    pub opened_slot: u64,
}
