//! Replay: the module runs again on the same input, seed, time, context and limits; output and fuel must come out the
//! same.
//!
//! Only a call that met its deadline or the end of its stack, there or here, proves nothing: both depend on the machine.

use std::time::Duration;

use bytes::Bytes;
use clawos_manifest::{EndpointSchemas, ResolvedManifest};
use clawos_receipts::receipt::Outcome as Billed;
use clawos_receipts::text::to_hex;
use clawos_receipts::{Receipt, sha256};
use clawos_runtime::{
    Failure, InMemoryModules, Invocation, Limits, ModuleRef, Outcome, RuntimeKind, Sandbox, Unavailable,
};

use crate::report::{Finding, Report, equal};
use crate::version::reaches_outside;

/// Wall time of a replay. Time is not part of the bill, and this machine may be slower than the proxy.
const WALL: Duration = Duration::from_secs(300);

/// Runs `module` on `input` again and compares with `receipt`.
///
/// `manifest` is the version's, checked by [`crate::version::manifest_of`]: it says whether an answer fits its schema.
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
    manifest: Option<&ResolvedManifest>,
) -> Result<Report, Unavailable> {
    let mut report = Report::default();
    report.add("module", equal("SHA-256", to_hex(&sha256(&module)), to_hex(&receipt.module_sha256)));
    report.add("input", equal("SHA-256", to_hex(&sha256(&input)), to_hex(&receipt.input_sha256)));
    if !report.passed() {
        return Ok(report);
    }
    let engine = sandbox.engine(RuntimeKind::Wasm).unwrap_or_default();
    if *engine != *receipt.runtime {
        let needed = format!("this command has the engine {engine}, the call was run by {}", receipt.runtime);
        report.skip(
            "replay",
            format!("{needed}, which may count fuel differently: replay it with a release that has that"),
        );
        return Ok(report);
    }
    if receipt.exchanges_sha256.is_some() {
        report.skip("replay", "the call learned something from outside, which is not told here");
        return Ok(report);
    }
    if let Some(finding) = derived(receipt, manifest) {
        report.add("replayable", finding);
    } else if !receipt.replayable {
        let why = "it met its deadline or the end of its stack, or wrote to something outside";
        report.skip("replay", format!("the receipt says that the call was not replayable ({why})"));
        return Ok(report);
    }
    let module = modules.add(module);
    let outcome = run(sandbox, &module, input, receipt).await?;
    compare(&outcome, receipt, manifest, &mut report);
    Ok(report)
}

/// Whether the receipt may say that the call cannot be replayed. All that a module of this engine can see is derived from
/// the receipt, unless its manifest permits it something outside; so a call that answered always can: one that says
/// otherwise only evades the check. None where there may be reasons.
pub(crate) fn derived(receipt: &Receipt, manifest: Option<&ResolvedManifest>) -> Option<Finding> {
    let outside = receipt.exchanges_sha256.is_some() || manifest.is_some_and(reaches_outside);
    if !receipt.runtime.starts_with("wasmtime-") || receipt.outcome != Billed::Ok || outside {
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

fn compare(outcome: &Outcome, receipt: &Receipt, manifest: Option<&ResolvedManifest>, report: &mut Report) {
    if matches!(outcome.result, Err(Failure::StackOverflow)) {
        report.skip("replay", "here the module's stack overflowed; how deep it can call depends on the processor");
        return;
    }
    match (&outcome.result, manifest) {
        (Err(failure), _) => report.add("outcome", equal("outcome", failure.code(), receipt.outcome.as_str())),
        (Ok(output), Some(manifest)) => {
            let judged = schema_fits(manifest, &receipt.endpoint, output);
            report.add("outcome", judged.and_then(|code| equal("outcome", code, receipt.outcome.as_str())));
        }
        (Ok(_), None) if matches!(receipt.outcome, Billed::Ok | Billed::OutputInvalid) => {
            report
                .skip("outcome", "the module answered; whether the answer fits its schema is for the manifest to say");
        }
        (Ok(_), None) => report.add("outcome", equal("outcome", "ok", receipt.outcome.as_str())),
    }
    if let (Ok(output), Some(billed)) = (&outcome.result, receipt.output_sha256) {
        report.add("output", equal("SHA-256", to_hex(&sha256(output)), to_hex(&billed)));
    }
    report.add("fuel", equal("fuel", outcome.usage.fuel, receipt.fuel));
}

/// The outcome of a call that answered `output`, by the endpoint's schema.
fn schema_fits(manifest: &ResolvedManifest, endpoint: &str, output: &[u8]) -> Result<&'static str, String> {
    let endpoint = manifest.endpoint(endpoint).ok_or_else(|| format!("the manifest has no endpoint {endpoint}"))?;
    let schemas = EndpointSchemas::compile(&endpoint.input, &endpoint.output).map_err(|error| error.to_string())?;
    let fits = schemas.validate_output(output).is_ok();
    Ok(if fits { Billed::Ok } else { Billed::OutputInvalid }.as_str())
}
