//! The manifest's examples, run in the real sandbox: what a listing shows is what a buyer gets.

use super::candidate::refused;
use super::types::ExampleReport;
use crate::app::App;
use crate::error::{ApiError, Code, FieldError};
use bytes::Bytes;
use clawos_manifest::resolved::{Endpoint, Example};
use clawos_manifest::{ResolvedManifest, examples};
use clawos_runtime::{Capabilities, Invocation, Limits, ModuleRef, Outcome};
use std::time::{Duration, Instant};

/// All examples of a version together may take this long: they run while the publisher waits.
const BUDGET: Duration = Duration::from_secs(60);

/// Runs every example. Errors with all that do not match.
pub(super) async fn run(
    app: &App,
    module: &ModuleRef,
    manifest: &ResolvedManifest,
) -> Result<Vec<ExampleReport>, ApiError> {
    let started = Instant::now();
    let (mut reports, mut errors) = (Vec::new(), Vec::new());
    for (index, endpoint) in manifest.endpoints.iter().enumerate() {
        for (number, example) in endpoint.examples.iter().enumerate() {
            if started.elapsed() > BUDGET {
                let detail = format!("All examples together may take {} s; use smaller ones.", BUDGET.as_secs());
                return Err(ApiError::new(Code::ExampleFailed, detail));
            }
            let invocation = invocation(manifest, endpoint, example)?;
            let outcome = app.sandbox.run(module, invocation).await.map_err(refused)?;
            let problem = problem(example, &outcome);
            let ok = problem.is_none();
            if let Some(detail) = problem {
                let pointer = format!("/manifest/endpoints/{index}/examples/{number}/output");
                errors.push(FieldError { pointer, detail });
            }
            reports.push(ExampleReport { endpoint: endpoint.name.clone(), ok, fuel: outcome.usage.fuel.to_string() });
        }
    }
    if errors.is_empty() {
        return Ok(reports);
    }
    Err(ApiError::new(Code::ExampleFailed, "The module does not give what its examples say.").with_errors(errors))
}

fn invocation(manifest: &ResolvedManifest, endpoint: &Endpoint, example: &Example) -> Result<Invocation, ApiError> {
    let limits = &manifest.limits;
    Ok(Invocation {
        call_id: examples::CALL_ID.to_owned(),
        tier: None,
        endpoint: endpoint.name.clone(),
        payload: Bytes::from(serde_json::to_vec(&example.input).map_err(ApiError::internal)?),
        limits: Limits {
            fuel: limits.fuel,
            memory_bytes: limits.memory_bytes(),
            output_bytes: limits.output_bytes(),
            wall: limits.wall(),
            ..Limits::default()
        },
        seed: examples::SEED,
        time_ms: examples::TIME_MS,
        capabilities: Capabilities::default(),
    })
}

fn problem(example: &Example, outcome: &Outcome) -> Option<String> {
    match &outcome.result {
        Ok(answer) => examples::compare(&example.output, answer).err().map(|difference| difference.to_string()),
        Err(failure) => Some(format!("the call failed: {failure}")),
    }
}
