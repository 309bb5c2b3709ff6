//! Requests that are done once per `Idempotency-Key`, and whose answer is replayed to repetitions.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clawos_base::idempotency::{Answer, AnswerSlot, Begin, Claim, Idempotency, Keyed, StoredAnswer, is_kept};
use serde::Deserialize;

use crate::{ApiError, error};

/// Largest refusal that is stored (bytes); larger than any problem this API gives.
const MAX_REFUSAL: usize = 4 * 1024 * 1024;

/// Runs `work` once per key. `work` stores its answer, with `status`, in the slot and in its own transaction; what it refuses
/// is stored here.
///
/// # Errors
/// The refusals of `work`, and those of the key itself.
pub async fn once<F>(
    idempotency: &Arc<Idempotency>,
    request: Keyed<'_>,
    status: StatusCode,
    work: impl FnOnce(AnswerSlot) -> F,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<StoredAnswer, ApiError>>,
{
    let claim = match idempotency.begin(request).await? {
        Begin::Replay(answer) => return replay(answer),
        Begin::Unkeyed => None,
        Begin::Claimed(claim) => Some(claim),
    };
    let slot = AnswerSlot::new(Arc::clone(idempotency), claim.clone(), status.as_u16());
    match (work(slot).await, claim) {
        (Ok(stored), _) => {
            let Answer { status, body } = stored.into_answer();
            respond(status, body.into())
        }
        (Err(refusal), None) => Err(refusal),
        (Err(refusal), Some(claim)) => store_refusal(idempotency, &claim, refusal.into_response()).await,
    }
}

/// An earlier answer, marked as such.
///
/// # Errors
/// When what is stored is no answer.
pub fn replay(answer: Answer) -> Result<Response, ApiError> {
    let mut response = respond(answer.status, answer.body.into())?;
    response.headers_mut().insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
    Ok(response)
}

/// An answer whose JSON is written already.
///
/// # Errors
/// When `status` is no HTTP status.
pub fn respond(status: u16, body: bytes::Bytes) -> Result<Response, ApiError> {
    let status = StatusCode::from_u16(status).map_err(ApiError::internal)?;
    if status.is_success() {
        return Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response());
    }
    let Retryable { retryable } = serde_json::from_slice(&body).map_err(ApiError::internal)?;
    Ok(error::problem(status, retryable.then_some(error::RETRY_AFTER), body))
}

/// What a written problem says of a repetition.
#[derive(Deserialize)]
struct Retryable {
    retryable: bool,
}

/// Stores a refusal, or gives the key back when the same request may succeed later.
async fn store_refusal(idempotency: &Idempotency, claim: &Claim, refusal: Response) -> Result<Response, ApiError> {
    let (parts, body) = refusal.into_parts();
    let body = axum::body::to_bytes(body, MAX_REFUSAL).await.map_err(ApiError::internal)?;
    let status = parts.status.as_u16();
    let stored = if is_kept(status) {
        idempotency.complete(claim, &Answer { status, body: body.to_vec() }).await
    } else {
        idempotency.abandon(claim).await.map_err(Into::into)
    };
    if let Err(error) = stored {
        // The client learns why it was refused all the same.
        tracing::warn!(%error, "the refusal of an idempotent request could not be stored");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}
