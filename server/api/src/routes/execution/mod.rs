//! `POST /skills/{id}/execute`, `/receipts` and `/licences/{key}`.

mod batches;
mod receipts;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::StatusCode};
use clawos_api::execution::{ExecuteAnswer, ExecuteQuery, ExecuteRequest};
use clawos_api::{Code, Problem};
use clawos_base::Cause;
use clawos_base::idempotency::{Answer, Keyed, fingerprint};
use clawos_execution::{CALL_CLAIM, Finished, RunFailure};
use clawos_manifest::limits::MAX_INPUT_BYTES;
use clawos_receipts::SignedReceipt;
use clawos_runtime::{Failure, GuestErrorCode};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Body, IdempotencyHeader, IdempotencyKey, Path, Query, StrictJson};
use crate::idempotent::{replay, respond};
use crate::middleware::log_id;
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(execute)).merge(receipts::routes()).merge(batches::routes())
}

impl Body for ExecuteRequest {
    /// The largest payload, the other members, and whitespace between them.
    const MAX_BYTES: usize = MAX_INPUT_BYTES as usize + 16 * 1024;
}

/// What can be wrong with a call, beyond what its shape says.
const CALL_CODES: &[Code] = &[
    Code::ValidationFailed,
    Code::SkillNotFound,
    Code::VersionNotFound,
    Code::EndpointNotFound,
    Code::PayloadInvalid,
    Code::MaxCostExceeded,
    Code::SpendingCap,
    Code::NotRegistered,
    Code::TermsChanged,
    Code::LicenceRequired,
    Code::LicenceExpired,
    Code::LicenceSuspended,
    Code::LicenceRefunded,
    Code::LicenceClosing,
    Code::UnitsExhausted,
    Code::UnitsBusy,
    Code::InsufficientCredit,
    Code::WrongProxy,
    Code::UsagePaused,
    Code::RpcUnavailable,
    Code::SandboxBusy,
    Code::ModuleInvalid,
    Code::OutputInvalid,
    Code::OutOfFuel,
    Code::Deadline,
    Code::MemoryExceeded,
    Code::StackOverflow,
    Code::OutputTooLarge,
    Code::Trap,
    Code::GuestBadRequest,
    Code::GuestNotFound,
    Code::GuestUnavailable,
    Code::GuestInternal,
];

/// Calls a skill.
#[utoipa::path(post, path = "/skills/{id}/execute", operation_id = "execute_skill", tag = "execution",
    security(("bearer" = ["invoke"])),
    params(("id" = String, Path, description = "`publisher.name`"), ExecuteQuery, IdempotencyHeader),
    request_body = ExecuteRequest,
    responses((status = 200, description = "The skill's answer with its receipt; of a dry run, what it could cost", body = ExecuteAnswer)),
    extensions(("x-codes" = json!(CALL_CODES))))]
async fn execute(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    IdempotencyKey(key): IdempotencyKey,
    Path(skill): Path<String>,
    Query(query): Query<ExecuteQuery>,
    StrictJson { value: request, raw }: StrictJson<ExecuteRequest>,
) -> Result<Response, ApiError> {
    if query.dry_run {
        return Ok(Json(app.execution.dry_run(&caller, &skill, request).await?).into_response());
    }
    let keyed = Keyed {
        agent_id: &caller.agent_id,
        route: "execute",
        key: key.as_deref(),
        fingerprint: fingerprint(&[skill.as_bytes(), &raw]),
        within: CALL_CLAIM,
    };
    let called = app.execution.call(&caller, &skill, request, keyed, encode_answer).await?;
    if !called.replayed {
        return respond(called.answer.status, called.answer.body.into());
    }
    if let Ok(Answered { receipt: Some(receipt) }) = serde_json::from_slice(&called.answer.body) {
        log_id("receipt", &receipt.id);
    }
    replay(called.answer)
}

/// What the log says of an earlier answer: its receipt, when the call ran.
#[derive(Deserialize)]
struct Answered {
    receipt: Option<AnsweredReceipt>,
}

#[derive(Deserialize)]
struct AnsweredReceipt {
    id: String,
}

/// The answer to a call that ran: its result, or a problem that carries the receipt.
fn encode_answer(finished: Finished, receipt: &SignedReceipt) -> Result<Answer, Cause> {
    let (status, body) = match finished {
        Finished::Succeeded(answer) => {
            let answer = ExecuteAnswer { receipt: Some(receipt.clone()), ..*answer };
            (StatusCode::OK.as_u16(), serde_json::to_vec(&answer)?)
        }
        Finished::Failed { failure, detail, request_id } => {
            let code = failure_code(&failure);
            let problem = Problem::new(code, detail, request_id);
            let receipt = Some(serde_json::to_value(receipt)?);
            (code.status(), serde_json::to_vec(&Problem { receipt, ..problem })?)
        }
    };
    Ok(Answer { status, body })
}

fn failure_code(failure: &RunFailure) -> Code {
    let RunFailure::Guest(failure) = failure else { return Code::OutputInvalid };
    match failure {
        Failure::OutOfFuel => Code::OutOfFuel,
        Failure::Deadline => Code::Deadline,
        Failure::Memory => Code::MemoryExceeded,
        Failure::StackOverflow => Code::StackOverflow,
        Failure::OutputTooLarge => Code::OutputTooLarge,
        Failure::GuestError { code: GuestErrorCode::BadRequest, .. } => Code::GuestBadRequest,
        Failure::GuestError { code: GuestErrorCode::NotFound, .. } => Code::GuestNotFound,
        Failure::GuestError { code: GuestErrorCode::Unavailable, .. } => Code::GuestUnavailable,
        Failure::GuestError { .. } => Code::GuestInternal,
        _ => Code::Trap,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_refusal_has_its_own_code() {
        let failure = |code| RunFailure::Guest(Failure::GuestError { code, message: String::new() });
        assert_eq!(failure_code(&failure(GuestErrorCode::BadRequest)), Code::GuestBadRequest);
        assert_eq!(failure_code(&failure(GuestErrorCode::Internal)), Code::GuestInternal);
        assert_eq!(failure_code(&RunFailure::OutputInvalid(String::new())), Code::OutputInvalid);
    }
}
