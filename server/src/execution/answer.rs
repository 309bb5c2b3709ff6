//! Step 10 of a call: the answer, as sent and, for an idempotent call, as stored. Both are the same bytes.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clawos_receipts::SignedReceipt;
use clawos_runtime::Outcome;
use serde_json::value::RawValue;

use super::failure::RunFailure;
use super::group_commit::StoredAnswer;
use super::plan::Plan;
use super::types::{ExecuteAnswer, LicenceUsed, LogView, UsageView};
use crate::error::{ApiError, Problem};
use crate::http::idempotency::Claim;
use crate::http::{Money, request_id};

/// Everything an answer says but the receipt.
#[derive(Debug)]
pub(crate) struct Parts {
    status: StatusCode,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Success {
        result: Box<RawValue>,
        usage: UsageView,
        price: Money,
        licence: Option<LicenceUsed>,
        logs: Vec<LogView>,
        logs_truncated: bool,
    },
    Failure {
        error: FailureText,
    },
}

#[derive(Debug)]
struct FailureText {
    code: crate::error::Code,
    detail: String,
    request_id: String,
}

/// A finished answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// What is known of the answer before the receipt is sealed. Logs reach the buyer only when the call succeeded.
    pub(crate) fn parts(
        plan: &Plan,
        result: Result<Bytes, RunFailure>,
        outcome: Outcome,
        amount: u64,
    ) -> Result<Parts, ApiError> {
        let output = match result {
            Ok(output) => output,
            Err(failure) => {
                let error = failure.error();
                let status = StatusCode::from_u16(error.code().status()).map_err(ApiError::internal)?;
                let text = FailureText {
                    code: error.code(),
                    detail: error.detail().to_owned(),
                    request_id: request_id::current(),
                };
                return Ok(Parts { status, content: Content::Failure { error: text } });
            }
        };
        let text = String::from_utf8(output.into()).map_err(ApiError::internal)?;
        Ok(Parts {
            status: StatusCode::OK,
            content: Content::Success {
                result: RawValue::from_string(text).map_err(ApiError::internal)?,
                usage: outcome.usage.into(),
                price: plan.tariff.money(amount),
                licence: plan.licence_used(),
                logs: outcome.logs.into_iter().map(LogView::from).collect(),
                logs_truncated: outcome.logs_truncated,
            },
        })
    }

    /// What the group commit stores for an idempotent call; nothing for answers that a retry should not see again.
    pub(crate) fn to_store(parts: &Arc<Parts>, claim: &Claim) -> Option<StoredAnswer> {
        if !is_kept(parts.status) {
            return None;
        }
        let (claim, status, parts) = (claim.clone(), parts.status, Arc::clone(parts));
        Some(StoredAnswer { claim, status, render: Box::new(move |signed| parts.body(signed)) })
    }

    /// The answer with its receipt.
    pub(crate) fn signed(parts: Arc<Parts>, signed: &SignedReceipt) -> Answer {
        Answer { status: parts.status, body: parts.body(signed) }
    }

    /// The answer of a dry run: the most the call could cost, and what it would rest on.
    pub(crate) fn dry_run(plan: &Plan) -> Result<Response, ApiError> {
        let licence = plan.licence_used();
        let answer = ExecuteAnswer {
            result: None,
            usage: UsageView::default(),
            price: plan.tariff.money(plan.tariff.most()?),
            licence: licence.as_ref(),
            logs: &[],
            logs_truncated: false,
            receipt: None,
        };
        let body = serde_json::to_vec(&answer).map_err(ApiError::internal)?;
        Ok(Answer { status: StatusCode::OK, body }.into_response())
    }

    /// Whether a retry with the same idempotency key gets this answer again.
    pub(crate) fn is_kept(&self) -> bool {
        is_kept(self.status)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let kind = if self.status.is_success() { "application/json" } else { "application/problem+json" };
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

impl Parts {
    fn body(&self, signed: &SignedReceipt) -> Vec<u8> {
        let written = match &self.content {
            Content::Success { result, usage, price, licence, logs, logs_truncated } => {
                serde_json::to_vec(&ExecuteAnswer {
                    result: Some(result),
                    usage: *usage,
                    price: price.clone(),
                    licence: licence.as_ref(),
                    logs,
                    logs_truncated: *logs_truncated,
                    receipt: Some(signed),
                })
            }
            Content::Failure { error } => serde_json::to_value(signed).and_then(|receipt| {
                serde_json::to_vec(&Problem {
                    r#type: format!("https://clawos.dev/errors/{}", error.code.as_str()),
                    title: error.code.title(),
                    status: error.code.status(),
                    detail: error.detail.clone(),
                    code: error.code.as_str(),
                    retryable: error.code.retryable(),
                    request_id: error.request_id.clone(),
                    errors: Vec::new(),
                    receipt: Some(receipt),
                })
            }),
        };
        written.expect("an answer holds nothing that JSON cannot")
    }
}

/// Rate limits and server errors are not stored: a retry runs again, and costs nothing the first time.
fn is_kept(status: StatusCode) -> bool {
    !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS
}
