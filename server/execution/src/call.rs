//! A call of a skill: its ten steps, in order.
//!
//! Until step 6 nothing is changed. From there on every way out either makes a receipt or frees what was set aside. The door
//! runs the call in a task of its own, so a client that hangs up changes nothing.

use std::time::Duration;

use bytes::Bytes;
use clawos_api::execution::{ExecuteAnswer, ExecuteRequest};
use clawos_base::idempotency::{Answer, Begin, Claim, Keyed, is_kept};
use clawos_base::{Failpoint, Invalid, Problems};
use clawos_identity::{Caller, Scope};
use clawos_interface::Key;
use clawos_licensing::Network;
use clawos_receipts::Receipt;
use clawos_receipts::receipt::Outcome as ReceiptOutcome;
use clawos_runtime::{Failure, Invocation, Limits, ModuleRef, Outcome, Tenant};
use tokio::sync::OwnedSemaphorePermit;

use crate::Execution;
use crate::answer::{RunDetails, dry_run_answer, finished_call};
use crate::error::ExecutionError;
use crate::failure::RunFailure;
use crate::finished::EncodeAnswer;
use crate::grants::Grantee;
use crate::group_commit::{Charge, CommitError, Entry};
use crate::plan::{Plan, Request};
use crate::receipt::{self, Closing, Opening};
use crate::reservation::Reservation;

/// How long a call's idempotency claim outlives its process: longer than the longest call and its commit.
pub const CALL_CLAIM: Duration = Duration::from_secs(60);
/// Longest endpoint name and version (characters).
const MAX_NAME: usize = 64;

/// The answer to a call.
#[derive(Debug)]
pub struct Called {
    /// The answer.
    pub answer: Answer,
    /// Whether it is that of an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// Who calls what, on which plan.
#[derive(Debug)]
struct Prepared<'a> {
    network: &'a Network,
    /// The certified key that will sign the receipt.
    signer: Key,
    caller: &'a Caller,
    request: Request<'a>,
    plan: Plan,
}

/// A call whose receipt is stored.
struct Recorded {
    answer: Answer,
    /// Whether it succeeded.
    ok: bool,
    /// What it used.
    units: u64,
    /// What that costs, base units.
    amount: u64,
}

impl Execution {
    /// Calls a skill, or replays the answer of an earlier call with the same key. `encode` writes the answer.
    ///
    /// # Errors
    /// [`ExecutionError`]: no call took place, or nothing of it is stored; the key may be used again. After
    /// [`ExecutionError::OutcomeUnknown`] the key gives the call's answer if it is stored, and else runs it.
    pub async fn call(
        &self,
        caller: &Caller,
        skill: &str,
        request: ExecuteRequest,
        keyed: Keyed<'_>,
        encode: EncodeAnswer,
    ) -> Result<Called, ExecutionError> {
        let _place = self.take_place(caller, &request)?;
        let claim = match self.ports.idempotency.begin(keyed).await? {
            Begin::Replay(answer) => return Ok(Called { answer, replayed: true }),
            Begin::Claimed(claim) => Some(claim),
            Begin::Unkeyed => None,
        };
        Failpoint::CallClaimed.reach();
        let called = self.call_once(caller, Request::new(skill, request), claim.clone(), encode).await;
        let kept = called.as_ref().is_ok_and(|answer| is_kept(answer.status));
        // Where an answer is stored, the key stays its key: also when the answer was stored and nobody heard of it.
        if let Some(claim) = claim.filter(|_| !kept)
            && let Err(error) = self.ports.idempotency.abandon(&claim).await
        {
            tracing::warn!(%error, "the key of a call could not be given back yet");
        }
        called.map(|answer| Called { answer, replayed: false })
    }

    /// Everything but the call: what it would rest on and the most it could cost.
    ///
    /// # Errors
    /// What [`Execution::call`] refuses.
    pub async fn dry_run(
        &self,
        caller: &Caller,
        skill: &str,
        request: ExecuteRequest,
    ) -> Result<ExecuteAnswer, ExecutionError> {
        let _place = self.take_place(caller, &request)?;
        let plan = self.plan(caller, &Request::new(skill, request)).await?;
        let plan = self.check_reserve(caller, plan).await?;
        dry_run_answer(&plan)
    }

    /// Step 1: the request's form, the caller's scope, and a place among the calls under way.
    fn take_place(&self, caller: &Caller, request: &ExecuteRequest) -> Result<OwnedSemaphorePermit, ExecutionError> {
        check_request(request)?;
        caller.require(Scope::Invoke)?;
        self.calls.enter()
    }

    /// Steps 2 to 10. An `Err` means that no call took place.
    async fn call_once(
        &self,
        caller: &Caller,
        request: Request<'_>,
        claim: Option<Claim>,
        encode: EncodeAnswer,
    ) -> Result<Answer, ExecutionError> {
        let network = self.ports.licensing.network().await?;
        let signer = self.ports.licensing.certified_key().await?.key;
        let plan = self.plan(caller, &request).await?;
        let (plan, reservation) = self.reserve(caller, plan).await?;
        let call = Prepared { network, signer, caller, request, plan };
        Failpoint::CallReserved.reach();
        // All of it stays set aside until the receipt is stored; what could not be stored was not used.
        match self.run_and_record(&call, &reservation, claim, encode).await {
            Ok(Recorded { answer, ok, units, amount }) => {
                self.finish(reservation, ok, units, amount).await;
                Ok(answer)
            }
            // It may be used up. What it was not comes back with the lease, with the next reading of what was spent, or never.
            Err(error @ ExecutionError::OutcomeUnknown { .. }) => {
                reservation.keep();
                Err(error)
            }
            Err(error) => {
                self.undo(reservation).await;
                Err(error)
            }
        }
    }

    /// Steps 7 to 10. An `Err` means that nothing is stored, unless it is [`ExecutionError::OutcomeUnknown`].
    async fn run_and_record(
        &self,
        call: &Prepared<'_>,
        reservation: &Reservation,
        claim: Option<Claim>,
        encode: EncodeAnswer,
    ) -> Result<Recorded, ExecutionError> {
        let Prepared { network, signer, caller, request, plan } = call;
        let opening = Opening::new(self.now_ms());
        tracing::Span::current().record("receipt", &*opening.id);
        let outcome = self.run(caller, plan, request, &opening).await?;
        let Outcome { engine, result, logs, logs_truncated, usage, replayable, exchanges, effects } = outcome;
        let result = check_output(plan, result);
        let closing = Closing {
            result: result.as_ref().map(|output| output.as_ref()).map_err(RunFailure::outcome),
            usage,
            replayable,
            exchanges: &exchanges,
            issued_at: self.now_ms(),
        };
        let facts = receipt::Call {
            plan,
            network,
            signer: *signer,
            buyer: caller.wallet,
            endpoint: &request.endpoint,
            runtime: engine.to_string(),
            payload: &request.payload,
        };
        let receipt = receipt::write(facts, &opening, &closing).map_err(ExecutionError::internal)?;
        let (ok, units, amount) = (result.is_ok(), receipt.units, receipt.amount);
        let taken = reservation.taken(amount);
        let charge = plan.licence_facts().filter(|_| units > 0).map(|facts| Charge {
            account: facts.account,
            skill_account: facts.skill_account,
            leased: taken.leased,
            batch_cap: facts.batch_cap,
        });
        self.count(caller, &receipt).await;
        let for_publisher = plan.version.publisher_wallet == caller.wallet;
        let details = RunDetails { usage, logs, logs_truncated, for_publisher };
        let finished = finished_call(plan, result, details, amount)?;
        let entry = Entry { receipt, charge, spend: taken.spend, finished, encode, claim };
        Failpoint::CallRan.reach();
        let committed = self.group_commit.commit(entry).await;
        let answer = committed.map_err(|error| match error {
            CommitError::OutcomeUnknown(_) => ExecutionError::OutcomeUnknown { receipt: opening.id, cause: error },
            error => error.into(),
        })?;
        if !ok {
            effects.roll_back();
        } else if let Err(error) = effects.commit().await {
            tracing::error!(%error, "the effects of a call that is paid for could not be committed");
        }
        Ok(Recorded { answer, ok, units, amount })
    }

    /// Step 7.
    async fn run(
        &self,
        caller: &Caller,
        plan: &Plan,
        request: &Request<'_>,
        opening: &Opening,
    ) -> Result<Outcome, ExecutionError> {
        let manifest = &plan.version.manifest;
        let (skill, permissions) = (&*plan.version.skill, &manifest.permissions);
        let invocation = Invocation {
            capabilities: self.ports.grants.of(&Grantee { skill, wallet: &caller.wallet, permissions }),
            tenant: Tenant(caller.wallet),
            tier: plan.licence_facts().map(|facts| facts.tier.to_string()),
            limits: Limits::from(&manifest.limits),
            seed: opening.seed,
            time_ms: opening.time,
            ..Invocation::new(&*opening.id, &*request.endpoint, request.payload.clone())
        };
        let module = ModuleRef { kind: manifest.runtime.kind, sha256: plan.version.module_sha256 };
        Ok(self.ports.sandbox.run(&module, invocation).await?)
    }

    async fn count(&self, caller: &Caller, receipt: &Receipt) {
        if receipt.outcome != ReceiptOutcome::Ok {
            self.failures.count_failure(&caller.wallet, &receipt.skill).await;
        }
        metrics::counter!("clawos_calls_total", "outcome" => receipt.outcome.as_str()).increment(1);
        metrics::histogram!("clawos_call_fuel").record(receipt.fuel as f64);
    }
}

fn check_request(request: &ExecuteRequest) -> Result<(), Invalid> {
    let mut problems = Problems::default();
    problems.text("/endpoint", &request.endpoint, 1..=MAX_NAME);
    if let Some(version) = &request.version {
        problems.text("/version", version, 1..=MAX_NAME);
    }
    problems.into_result()
}

/// Step 8: the guest's answer, if it is what the endpoint promises.
fn check_output(plan: &Plan, result: Result<Bytes, Failure>) -> Result<Bytes, RunFailure> {
    let output = result.map_err(RunFailure::Guest)?;
    plan.schemas.validate_output(&output).map_err(|violations| {
        let first = violations.first().map(|violation| format!("{} {}", violation.pointer, violation.detail));
        RunFailure::OutputInvalid(first.unwrap_or_default())
    })?;
    Ok(output)
}
