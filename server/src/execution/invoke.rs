//! `POST /skills/{id}/execute`: the ten steps of a call, in order.
//!
//! Until step 6 nothing is changed. From there on every way out either makes a receipt or frees what was set aside. The
//! request runs in a task of its own, so a client that hangs up changes nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clawos_manifest::limits::MAX_LOG_BYTES;
use clawos_receipts::Receipt;
use clawos_receipts::receipt::Outcome as ReceiptOutcome;
use clawos_runtime::{Capabilities, Invocation, Limits, ModuleRef, Outcome};

use super::Execution;
use super::answer::Answer;
use super::failure::{RunFailure, unavailable};
use super::group_commit::{Charge, Entry};
use super::plan::Plan;
use super::receipt::{self, Closing, Opening};
use super::reservation::Reservation;
use super::types::{ExecuteAnswer, ExecuteQuery, ExecuteRequest};
use crate::app::AppState;
use crate::error::ApiError;
use crate::http::idempotency::{self, Begin, Claim};
use crate::http::{Caller, IdempotencyKey, Path, Query, StrictJson};
use crate::identity::Scope;
use crate::licensing::Network;

/// How long a call's idempotency claim outlives its process: longer than the longest call and its commit.
const CLAIM: Duration = Duration::from_secs(60);
/// Route name of idempotency keys.
const ROUTE: &str = "execute";

/// Calls a skill.
#[utoipa::path(post, path = "/skills/{id}/execute", tag = "execution", params(("id" = String, Path), ExecuteQuery), request_body = ExecuteRequest,
    responses((status = 200, body = ExecuteAnswer), (status = 402, body = crate::error::Problem), (status = 404, body = crate::error::Problem), (status = 422, body = crate::error::Problem), (status = 503, body = crate::error::Problem)))]
pub(crate) async fn execute(
    State(app): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(skill): Path<String>,
    Query(query): Query<ExecuteQuery>,
    StrictJson { value: request, raw }: StrictJson<ExecuteRequest>,
) -> Result<Response, ApiError> {
    caller.require(Scope::Invoke)?;
    let execution = &app.execution;
    let _place = execution.calls.enter()?;
    if query.dry_run {
        return execution.dry_run(&caller, &skill, &request).await;
    }
    let fingerprint = idempotency::fingerprint(&[skill.as_bytes(), &raw]);
    let claim = match execution.ports.idempotency.begin(&caller, ROUTE, &key, fingerprint, CLAIM).await? {
        Begin::Replay(answer) => return Ok(answer),
        Begin::Claimed(claim) => Some(claim),
        Begin::Unkeyed => None,
    };
    let called = execution.call(&caller, &skill, &request, claim.as_ref()).await;
    match (called, claim) {
        (Ok(answer), Some(claim)) if !answer.is_kept() => {
            execution.ports.idempotency.abandon(&claim).await?;
            Ok(answer.into_response())
        }
        (Ok(answer), _) => Ok(answer.into_response()),
        (Err(error), claim) => {
            // Nothing took place, so the key may be used again.
            if let Some(claim) = claim {
                execution.ports.idempotency.abandon(&claim).await?;
            }
            Err(error)
        }
    }
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
    /// Everything but the call.
    async fn dry_run(&self, caller: &Caller, skill: &str, request: &ExecuteRequest) -> Result<Response, ApiError> {
        let mut plan = self.plan(caller, skill, request).await?;
        self.check_reserve(caller, &mut plan).await?;
        Answer::dry_run(&plan)
    }

    /// Steps 2 to 10. An `Err` means that no call took place.
    async fn call(
        &self,
        caller: &Caller,
        skill: &str,
        request: &ExecuteRequest,
        claim: Option<&Claim>,
    ) -> Result<Answer, ApiError> {
        let network = self.ports.licensing.network().await?;
        let mut plan = self.plan(caller, skill, request).await?;
        let reservation = self.reserve(caller, &mut plan).await?;
        // All of it stays set aside until the receipt is stored; what could not be stored was not used.
        match self.run_and_record(network, caller, &plan, &reservation, request, claim).await {
            Ok(Recorded { answer, ok, units, amount }) => {
                self.settle(reservation, ok, units, amount).await;
                Ok(answer)
            }
            Err(error) => {
                self.undo(reservation).await;
                Err(error)
            }
        }
    }

    /// Steps 7 to 9. An `Err` means that nothing is stored.
    async fn run_and_record(
        &self,
        network: &Network,
        caller: &Caller,
        plan: &Plan,
        reservation: &Reservation,
        request: &ExecuteRequest,
        claim: Option<&Claim>,
    ) -> Result<Recorded, ApiError> {
        let opening = Opening::new(self.now_ms());
        let outcome = self.run(plan, request, &opening).await?;
        let result = check_output(plan, &outcome);
        let closing = Closing {
            result: result.as_ref().map(|output| output.as_ref()).map_err(outcome_of),
            usage: outcome.usage,
            replayable: outcome.replayable,
            issued_at: self.now_ms(),
        };
        let call = receipt::Call {
            plan,
            network,
            buyer: caller.wallet,
            endpoint: &request.endpoint,
            runtime: self.ports.sandbox.id(),
            payload: request.payload.get().as_bytes(),
        };
        let receipt = receipt::write(call, &opening, &closing).map_err(ApiError::internal)?;
        let (ok, units, amount) = (result.is_ok(), receipt.units, receipt.amount);
        let taken = reservation.taken(amount);
        let charge = plan.facts().filter(|_| units > 0).map(|facts| Charge {
            account: facts.account,
            skill_account: facts.skill_account,
            leased: taken.leased,
            batch_cap: facts.batch_cap,
        });
        self.count(caller, &receipt).await;
        let answer = Arc::new(Answer::parts(plan, result, outcome, amount)?);
        let stored = claim.and_then(|claim| Answer::to_store(&answer, claim));
        let entry = Entry { receipt, charge, spend: taken.spend, answer: stored };
        let signed = self.group_commit.commit(entry).await?;
        Ok(Recorded { answer: Answer::signed(answer, &signed), ok, units, amount })
    }

    /// Step 7.
    async fn run(&self, plan: &Plan, request: &ExecuteRequest, opening: &Opening) -> Result<Outcome, ApiError> {
        let limits = &plan.version.manifest.limits;
        let invocation = Invocation {
            call_id: opening.id.clone(),
            tier: plan.facts().map(|facts| facts.tier.to_string()),
            endpoint: request.endpoint.clone(),
            payload: Bytes::copy_from_slice(request.payload.get().as_bytes()),
            limits: Limits {
                fuel: limits.fuel,
                memory_bytes: limits.memory_bytes(),
                output_bytes: limits.output_bytes(),
                log_bytes: MAX_LOG_BYTES,
                wall: limits.wall(),
            },
            seed: opening.seed,
            time_ms: opening.time,
            capabilities: Capabilities::default(),
        };
        let module = ModuleRef { sha256: plan.version.module_sha256 };
        self.ports.sandbox.run(&module, invocation).await.map_err(unavailable)
    }

    async fn count(&self, caller: &Caller, receipt: &Receipt) {
        if receipt.outcome != ReceiptOutcome::Ok {
            self.failures.failed(&caller.wallet, &receipt.skill).await;
        }
        metrics::counter!("clawos_calls_total", "outcome" => receipt.outcome.as_str()).increment(1);
        metrics::histogram!("clawos_call_fuel").record(receipt.fuel as f64);
    }
}

/// Step 8: the guest's answer, if it is what the endpoint promises.
fn check_output(plan: &Plan, outcome: &Outcome) -> Result<Bytes, RunFailure> {
    let output = outcome.result.clone().map_err(RunFailure::Guest)?;
    plan.schemas.validate_output(&output).map_err(|violations| {
        let first = violations.first().map(|violation| format!("{} {}", violation.pointer, violation.detail));
        RunFailure::OutputInvalid(first.unwrap_or_default())
    })?;
    Ok(output)
}

fn outcome_of(failure: &RunFailure) -> ReceiptOutcome {
    match failure {
        RunFailure::Guest(failure) => receipt::outcome(failure),
        RunFailure::OutputInvalid(_) => ReceiptOutcome::OutputInvalid,
    }
}
