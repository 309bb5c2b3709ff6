//! Execution: calls of skills, their receipts, and the settlement of what they used.
//!
//! A call is checked, reserves what it may use, runs in the sandbox, and leaves a receipt that is durable before the answer
//! leaves. Usage is settled on chain in batches. A call that fails costs nothing. Kill the process at any moment: receipts
//! that were answered exist, reservations are gone, nothing is charged twice.
//!
//! | module | owns |
//! | --- | --- |
//! | `call`, `plan`, `reservation`, `receipt`, `answer` | the steps of a call, in this order |
//! | `finished`, `failure` | what came of a call, and how a door writes its answer |
//! | `grants` | what a call may use beyond what every call has |
//! | `in_flight`, `failure_budget`, `schemas` | bounds of calls, and the schemas they are checked with |
//! | `reserve`, `spending`, `free_calls` | units, money and free calls: set aside before a call, taken after it |
//! | `group_commit` | receipts, usage, spending and stored answers in one transaction |
//! | `receipts` | what callers read of receipts and batches |
//! | `settle` | batches: formed, sent, concluded |
//! | `backlog` | what is not settled yet, for those who watch |
//! | `audit` | what settlement writes into the audit log |

mod account;
mod answer;
mod audit;
mod backlog;
mod call;
mod error;
mod failure;
mod failure_budget;
mod finished;
mod free_calls;
mod grants;
mod group_commit;
mod in_flight;
mod plan;
mod receipt;
mod receipts;
mod reservation;
mod reserve;
mod schemas;
mod settle;
mod spending;
#[cfg(test)]
mod testing;

pub use backlog::Backlog;
pub use call::{CALL_CLAIM, Called};
pub use error::ExecutionError;
pub use failure::RunFailure;
pub use finished::{EncodeAnswer, Finished};
pub use grants::{Grantee, Grants};
pub use group_commit::CommitError;
pub use reserve::ReserveError;
pub use settle::longest_settlement_secs;
pub use spending::CapReached;

use std::fmt;
use std::sync::Arc;

use clawos_base::idempotency::Idempotency;
use clawos_base::vault::Vault;
use clawos_base::worker::Worker;
use clawos_base::{Clock, Database};
use clawos_config::{LimitsConfig, SettleConfig};
use clawos_identity::RateLimits;
use clawos_licensing::Licensing;
use clawos_registry::Registry;
use clawos_runtime::Sandbox;

use crate::failure_budget::FailureBudget;
use crate::free_calls::FreeCalls;
use crate::group_commit::{GroupCommit, Writer};
use crate::in_flight::{InFlight, MAX_CALLS};
use crate::reserve::Pools;
use crate::schemas::Schemas;
use crate::settle::Settler;
use crate::spending::Spending;

/// What execution is built on.
#[derive(Clone)]
pub struct ExecutionPorts {
    /// The database.
    pub db: Database,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Licences and the chain.
    pub licensing: Arc<Licensing>,
    /// Where modules run.
    pub sandbox: Arc<dyn Sandbox>,
    /// What calls are granted. The sandbox links what they offer.
    pub grants: Grants,
    /// Skills and versions.
    pub registry: Arc<Registry>,
    /// Idempotency keys.
    pub idempotency: Arc<Idempotency>,
    /// Rate limits.
    pub rate_limits: Arc<RateLimits>,
    /// What batches say of those before them is sealed with it.
    pub vault: Vault,
    /// Names this process among those that share the database.
    pub server: String,
}

/// Calls, receipts and settlement of one process.
pub struct Execution {
    ports: ExecutionPorts,
    settle_config: SettleConfig,
    calls: InFlight,
    schemas: Schemas,
    failures: FailureBudget,
    free_calls: FreeCalls,
    spending: Arc<Spending>,
    pools: Pools,
    group_commit: GroupCommit,
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution").finish_non_exhaustive()
    }
}

impl Execution {
    /// Opens the execution side, and its workers in the order they are to be stopped: the settler, and the writer of
    /// receipts, which may be told to stop when no call is running any more. Calls fail while the writer does not run. What
    /// processes held that are gone is freed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(
        config: &SettleConfig,
        limits: &LimitsConfig,
        ports: ExecutionPorts,
    ) -> Result<(Arc<Execution>, Vec<Worker>), ExecutionError> {
        let ExecutionPorts { db, clock, licensing, idempotency, vault, server, .. } = ports.clone();
        reserve::release_leases(&db, db.gone(&server)).await?;
        settle::release_hold(&db, db.gone(&server)).await?;
        let (group_commit, writer) = GroupCommit::new(Writer {
            db: db.clone(),
            clock: Arc::clone(&clock),
            idempotency,
            key: licensing.receipt_key().clone(),
            server: server.clone(),
        });
        let settler = Settler::new(db.clone(), Arc::clone(&clock), licensing, vault, config.clone(), server.clone());
        let workers = vec![Worker::new("settler", |stop| settler.run(stop)), writer];
        let execution = Execution {
            ports,
            settle_config: config.clone(),
            calls: InFlight::new(MAX_CALLS),
            schemas: Schemas::new(),
            failures: FailureBudget::new(),
            free_calls: FreeCalls::new(db.clone(), Arc::clone(&clock), limits.free_calls_per_day),
            spending: Spending::new(db.clone(), Arc::clone(&clock)),
            pools: Pools::new(db, clock, server),
            group_commit,
        };
        Ok((Arc::new(execution), workers))
    }

    /// Gives leased units back. Call it when no call is running any more and the workers have ended; receipts need no
    /// flush, since every answered one is durable.
    pub async fn release_leases(&self) {
        if let Err(error) = self.pools.release().await {
            tracing::warn!(%error, "leased units were not given back; they are free again once their lease lapses");
        }
    }

    /// Unix milliseconds, for receipts.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.ports.clock.now_ms()).unwrap_or(0)
    }
}
