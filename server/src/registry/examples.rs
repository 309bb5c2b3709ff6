//! The manifest's examples, run in the real sandbox: what a listing shows is what a buyer gets.

use super::candidate::refused;
use super::types::ExampleReport;
use crate::app::App;
use crate::error::{ApiError, Code, FieldError};
use clawos_manifest::ResolvedManifest;
use clawos_runtime::{ExampleRun, ExamplesError, ModuleRef, run_examples};
use std::time::Duration;

/// All examples of a version together may take this long: they run while the publisher waits.
const BUDGET: Duration = Duration::from_secs(60);

/// Runs every example. Errors with all that do not match.
pub(super) async fn run(
    app: &App,
    module: &ModuleRef,
    manifest: &ResolvedManifest,
) -> Result<Vec<ExampleReport>, ApiError> {
    let runs = run_examples(&*app.sandbox, module, manifest, BUDGET).await.map_err(unfinished)?;
    let errors: Vec<FieldError> = runs.iter().filter_map(mismatch).collect();
    if !errors.is_empty() {
        let detail = "The module does not give what its examples say.";
        return Err(ApiError::new(Code::ExampleFailed, detail).with_errors(errors));
    }
    let report = |run: ExampleRun| ExampleReport {
        endpoint: manifest.endpoints[run.endpoint].name.clone(),
        ok: true,
        fuel: run.usage.fuel.to_string(),
    };
    Ok(runs.into_iter().map(report).collect())
}

fn mismatch(run: &ExampleRun) -> Option<FieldError> {
    let pointer = format!("/manifest/endpoints/{}/examples/{}/output", run.endpoint, run.example);
    run.problem.clone().map(|detail| FieldError { pointer, detail })
}

fn unfinished(error: ExamplesError) -> ApiError {
    match error {
        ExamplesError::OverBudget(budget) => {
            let detail = format!("All examples together may take {} s; use smaller ones.", budget.as_secs());
            ApiError::new(Code::ExampleFailed, detail)
        }
        ExamplesError::Unavailable(error) => refused(error),
        other => ApiError::internal(other),
    }
}
