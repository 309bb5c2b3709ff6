//! Who settles: one server at a time, for as long as it says so again in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use clawos_base::{Clock, Database};

use super::{SettleError, store};

/// How long one server settles before another may (milliseconds); renewed when half of it is over.
pub(super) const HOLD_MS: i64 = 30_000;

/// This server's turn to settle.
#[derive(Debug)]
pub(super) struct Hold {
    db: Database,
    clock: Arc<dyn Clock>,
    /// Names this process among those that share the database.
    server: String,
    /// No other server settles before (Unix milliseconds).
    until: AtomicI64,
}

impl Hold {
    /// Not held yet.
    pub(super) fn new(db: Database, clock: Arc<dyn Clock>, server: String) -> Hold {
        Hold { db, clock, server, until: AtomicI64::new(0) }
    }

    /// Takes the turn, or keeps it; false when another server has it.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn take(&self) -> Result<bool, sqlx::Error> {
        let now = self.clock.now_ms();
        if self.until.load(Ordering::Relaxed) - now >= HOLD_MS / 2 {
            return Ok(true);
        }
        let held = store::hold(&self.db, &self.server, now, now + HOLD_MS).await?;
        self.until.store(if held { now + HOLD_MS } else { 0 }, Ordering::Relaxed);
        Ok(held)
    }

    /// The same within a round, between one licence and the next: a round may last longer than the turn it began in.
    ///
    /// # Errors
    /// [`SettleError::TakenOver`] when another server has it by now; when the database fails.
    pub(super) async fn keep(&self) -> Result<(), SettleError> {
        if self.take().await? { Ok(()) } else { Err(SettleError::TakenOver) }
    }

    /// Lets another server settle.
    pub(super) async fn release(&self) {
        if let Err(error) = store::release_hold(&self.db, Some(&self.server)).await {
            tracing::debug!(%error, "another server settles once this one's hold has lapsed");
        }
    }
}
