//! Named points of the work at which a test ends the process, as `kill -9` or a power cut could at just that moment.
//!
//! `clawos-server serve --end-at NAME` (a hidden flag) chooses one. A point that was not chosen costs one relaxed load, so
//! the tests run the very program that ships.

use std::sync::atomic::{AtomicU8, Ordering};

/// Place of the chosen point in [`Failpoint::ALL`], counted from 1; 0 when none is.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// There is no such point.
#[derive(Debug, thiserror::Error)]
#[error("there is no failpoint {0:?}")]
pub struct UnknownFailpoint(String);

/// A moment between two durable steps, or just before one is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Failpoint {
    /// Publish: the module was checked, compiled and tried; nothing is stored.
    PublishTried,
    /// Publish: the artifact is written and has no name yet.
    PublishWritten,
    /// Publish: the artifact has its name; the version is not committed.
    PublishNamed,
    /// Publish: the version is committed; the answer has not left.
    PublishStored,
    /// Call: its idempotency key is claimed.
    CallClaimed,
    /// Call: units are leased from the database; no call was promised them.
    CallLeased,
    /// Call: everything is set aside; the module has not run.
    CallReserved,
    /// Call: the module has run; its receipt waits for its group.
    CallRan,
    /// Group commit: all is written and not committed.
    GroupWritten,
    /// Group commit: committed; no answer has left.
    GroupStored,
    /// Settlement: a batch is written and not committed.
    BatchWritten,
    /// Settlement: a batch is stored; nothing is sent.
    BatchStored,
    /// Settlement: the signature of its transaction is stored; it is not sent.
    BatchSigned,
    /// Settlement: the transaction is sent; nothing is known of it.
    BatchSent,
    /// Settlement: the chain has it; that is not stored.
    BatchSeen,
    /// Settlement: that the chain has it is stored.
    BatchConfirmed,
    /// Settlement: a transaction can no longer land; that is not stored.
    BatchExpired,
    /// Settlement: that a batch of such a transaction is to be sent again is stored.
    BatchReturned,
    /// Settlement: that a batch is dead, which can never land, is written and not committed.
    DeadWritten,
    /// Settlement: that a batch is dead is stored.
    DeadStored,
    /// Settlement: a batch that must not be sent any more is removed, which is not committed.
    RemovalWritten,
    /// Settlement: the removal of a batch is stored.
    RemovalStored,
}

impl Failpoint {
    /// All points, in the order of the enum.
    pub const ALL: [Failpoint; 22] = [
        Failpoint::PublishTried,
        Failpoint::PublishWritten,
        Failpoint::PublishNamed,
        Failpoint::PublishStored,
        Failpoint::CallClaimed,
        Failpoint::CallLeased,
        Failpoint::CallReserved,
        Failpoint::CallRan,
        Failpoint::GroupWritten,
        Failpoint::GroupStored,
        Failpoint::BatchWritten,
        Failpoint::BatchStored,
        Failpoint::BatchSigned,
        Failpoint::BatchSent,
        Failpoint::BatchSeen,
        Failpoint::BatchConfirmed,
        Failpoint::BatchExpired,
        Failpoint::BatchReturned,
        Failpoint::DeadWritten,
        Failpoint::DeadStored,
        Failpoint::RemovalWritten,
        Failpoint::RemovalStored,
    ];

    /// Its name on the command line, such as `GroupStored`.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Makes the process end where the point with this name is reached.
    ///
    /// # Errors
    /// [`UnknownFailpoint`].
    pub fn choose(name: &str) -> Result<(), UnknownFailpoint> {
        let point = Failpoint::ALL.into_iter().find(|point| point.name() == name);
        let point = point.ok_or_else(|| UnknownFailpoint(name.to_owned()))?;
        CHOSEN.store(point.place(), Ordering::Relaxed);
        Ok(())
    }

    /// Ends the process (`SIGABRT`: no destructor runs, nothing is flushed) if this point was chosen.
    pub fn reach(self) {
        if CHOSEN.load(Ordering::Relaxed) == self.place() {
            eprintln!("ended at failpoint {}", self.name());
            std::process::abort();
        }
    }

    fn place(self) -> u8 {
        self as u8 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_listed_once_in_its_place() {
        for (index, point) in Failpoint::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(point.place()), index + 1, "{point:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert_eq!(Failpoint::choose("Lunch").expect_err("refused").to_string(), "there is no failpoint \"Lunch\"");
    }
}
