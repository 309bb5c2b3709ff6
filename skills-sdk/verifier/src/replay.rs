//! Replay: the module runs again on the same input, seed, time, context and limits; output and fuel must come out the
//! same.
//!
//! Only a call that met its deadline or the end of its stack, there or here, proves nothing: both depend on the machine.

use std::time::Duration;

use bytes::Bytes;
use clawos_receipts::receipt::Outcome as Billed;
use clawos_receipts::text::to_hex;
use clawos_receipts::{Receipt, sha256};
use clawos_runtime::{
    Failure, InMemoryModules, Invocation, Limits, ModuleRef, Outcome, RuntimeKind, Sandbox, Unavailable,
};

use crate::report::{Finding, Report, equal};

/// Wall time of a replay. Time is not part of the bill, and this machine may be slower than the proxy.
const WALL: Duration = Duration::from_secs(300);

/// Runs `module` on `input` again and compares with `receipt`.
///
/// `sandbox` must take its modules from `modules`. Module, input or engine that are not the receipt's are reported, and
/// nothing is run then.
///
/// # Errors
/// [`Unavailable`] when the sandbox cannot run the module at all.
pub async fn replay(
    sandbox: &dyn Sandbox,
    modules: &InMemoryModules,
    module: Bytes,
    input: Bytes,
    receipt: &Receipt,
) -> Result<Report, Unavailable> {
    let mut report = Report::default();
    report.add("module", equal("SHA-256", to_hex(&sha256(&module)), to_hex(&receipt.module_sha256)));
    report.add("input", equal("SHA-256", to_hex(&sha256(&input)), to_hex(&receipt.input_sha256)));
    if !report.passed() {
        return Ok(report);
    }
    let engine = sandbox.engine(RuntimeKind::Wasm).unwrap_or_default();
    if *engine != *receipt.runtime {
        report.skip("runtime", format!("the receipt is of {}, this is {engine}: fuel differs", receipt.runtime));
        return Ok(report);
    }
    if let Some(finding) = derived(receipt) {
        report.add("replayable", finding);
    } else if !receipt.replayable {
        report.skip(
            "replay",
            "the receipt says the call was not replayable (it met its deadline or the end of its stack)",
        );
        return Ok(report);
    }
    let module = modules.add(module);
    let outcome = run(sandbox, &module, input, receipt).await?;
    compare(&outcome, receipt, &mut report);
    Ok(report)
}

/// Whether the receipt may say that the call cannot be replayed. In this version all a module of this engine can see is
/// derived from the receipt, so a call that answered always can: one that says otherwise only evades the check. None
/// where there may be reasons.
pub(crate) fn derived(receipt: &Receipt) -> Option<Finding> {
    if !receipt.runtime.starts_with("wasmtime-") || receipt.outcome != Billed::Ok {
        return None;
    }
    Some(if receipt.replayable {
        Ok(format!("a call of {} that answered can be replayed", receipt.runtime))
    } else {
        Err(format!("the receipt denies that a call of {} that answered can be replayed", receipt.runtime))
    })
}

async fn run(
    sandbox: &dyn Sandbox,
    module: &ModuleRef,
    payload: Bytes,
    receipt: &Receipt,
) -> Result<Outcome, Unavailable> {
    let limits = Limits {
        fuel: receipt.limits.fuel,
        memory_bytes: receipt.limits.memory,
        output_bytes: receipt.limits.output,
        wall: WALL,
        ..Limits::default()
    };
    let invocation = Invocation {
        tier: receipt.tier.map(|tier| tier.to_string()),
        limits,
        seed: receipt.seed,
        time_ms: receipt.time,
        ..Invocation::new(&*receipt.id, &*receipt.endpoint, payload)
    };
    sandbox.run(module, invocation).await
}

fn compare(outcome: &Outcome, receipt: &Receipt, report: &mut Report) {
    if matches!(outcome.result, Err(Failure::StackOverflow)) {
        report.skip("replay", "here the module's stack overflowed; how deep it can call depends on the processor");
        return;
    }
    let code = outcome.result.as_ref().map_or_else(|failure| failure.code(), |_| "ok");
    if receipt.outcome == Billed::OutputInvalid && outcome.result.is_ok() {
        report.skip("outcome", "the module answered; whether the answer breaks its schema is for the manifest to say");
    } else {
        report.add("outcome", equal("outcome", code, receipt.outcome.as_str()));
    }
    if let (Ok(output), Some(billed)) = (&outcome.result, receipt.output_sha256) {
        report.add("output", equal("SHA-256", to_hex(&sha256(output)), to_hex(&billed)));
    }
    report.add("fuel", equal("fuel", outcome.usage.fuel, receipt.fuel));
}
