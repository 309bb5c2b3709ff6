//! Why calls on a licence are refused until its operator has looked at it, as the database keeps it.

/// What settlement found. Usage that cannot be settled is never paid for, so no more of it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i64)]
pub(crate) enum Halt {
    /// The chain has a batch of it that this database does not know.
    UnknownBatch = 1,
    /// What is stored of it is not what is on chain, or cannot be read.
    Changed = 2,
    /// Its next batch cannot be sent or read. It counts only while that batch is there.
    Withheld = 3,
}

impl Halt {
    /// How `usage_accounts.stopped` says it; 0 stands for none.
    pub(crate) const fn code(self) -> i64 {
        self as i64
    }
}
