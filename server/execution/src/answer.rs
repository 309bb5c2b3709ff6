//! Step 10 of a call: what its answer says, before the receipt is sealed.

use bytes::Bytes;
use clawos_api::execution::{ExecuteAnswer, LogView, UsageView};
use clawos_base::request_id;
use clawos_runtime::{LogLine, Usage};
use serde_json::value::RawValue;

use crate::error::ExecutionError;
use crate::failure::RunFailure;
use crate::finished::Finished;
use crate::plan::Plan;

/// What came of a run besides its result.
#[derive(Debug)]
pub(crate) struct RunDetails {
    pub usage: Usage,
    pub logs: Vec<LogLine>,
    pub logs_truncated: bool,
    /// Whether the skill is the caller's own.
    pub for_publisher: bool,
}

/// What a call on this plan that costs `amount` base units is answered with. Logs reach the buyer only when it succeeded:
/// a failed call is free. The skill's own publisher is told what it logged as its last error, for instance a panic.
///
/// # Errors
/// When the output, which was checked, is not JSON.
pub(crate) fn finished_call(
    plan: &Plan,
    result: Result<Bytes, RunFailure>,
    details: RunDetails,
    amount: u64,
) -> Result<Finished, ExecutionError> {
    let output = match result {
        Ok(output) => output,
        Err(failure) => {
            let logged = clawos_runtime::last_error(&details.logs).filter(|_| details.for_publisher);
            let detail = failure.detail(logged.as_deref());
            return Ok(Finished::Failed { failure, detail, request_id: request_id::current() });
        }
    };
    let text = String::from_utf8(output.into()).map_err(ExecutionError::internal)?;
    Ok(Finished::Succeeded(Box::new(ExecuteAnswer {
        result: Some(RawValue::from_string(text).map_err(ExecutionError::internal)?),
        usage: usage_view(details.usage),
        price: plan.tariff.money(amount),
        licence: plan.licence_used(),
        logs: details.logs.into_iter().map(log_view).collect(),
        logs_truncated: details.logs_truncated,
        receipt: None,
    })))
}

/// The answer of a dry run: the most the call could cost, and what it would rest on.
///
/// # Errors
/// When that cost cannot be computed.
pub(crate) fn dry_run_answer(plan: &Plan) -> Result<ExecuteAnswer, ExecutionError> {
    Ok(ExecuteAnswer {
        result: None,
        usage: UsageView::default(),
        price: plan.tariff.money(plan.tariff.most()?),
        licence: plan.licence_used(),
        logs: Vec::new(),
        logs_truncated: false,
        receipt: None,
    })
}

fn usage_view(usage: Usage) -> UsageView {
    UsageView {
        fuel: usage.fuel,
        wall_us: usage.wall_us,
        cpu_us: usage.cpu_us,
        peak_memory: usage.peak_memory,
        bytes_in: usage.bytes_in,
        bytes_out: usage.bytes_out,
        host_calls: usage.host_calls,
    }
}

fn log_view(line: LogLine) -> LogView {
    LogView { level: line.level.as_str().into(), message: line.message }
}
