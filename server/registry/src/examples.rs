//! The manifest's examples, run in the real sandbox: what a listing shows is what a buyer gets.

use clawos_api::FieldError;
use clawos_api::registry::ExampleReport;
use clawos_manifest::ResolvedManifest;
use clawos_runtime::{ExampleRun, ExamplesError, ModuleRef, Sandbox, run_examples};

use crate::RegistryError;
use crate::limits::EXAMPLES_BUDGET;

/// Runs every example.
///
/// # Errors
/// [`RegistryError::ExamplesFailed`] with all that do not match; [`RegistryError::ExamplesTooSlow`].
pub(crate) async fn run(
    sandbox: &dyn Sandbox,
    module: &ModuleRef,
    manifest: &ResolvedManifest,
) -> Result<Vec<ExampleReport>, RegistryError> {
    let runs = run_examples(sandbox, module, manifest, EXAMPLES_BUDGET).await.map_err(unfinished)?;
    let errors: Vec<FieldError> = runs.iter().filter_map(mismatch).collect();
    if !errors.is_empty() {
        return Err(RegistryError::ExamplesFailed(errors));
    }
    let report = |run: ExampleRun| ExampleReport {
        endpoint: manifest.endpoints[run.endpoint].name.clone(),
        ok: true,
        fuel: run.usage.fuel,
    };
    Ok(runs.into_iter().map(report).collect())
}

fn mismatch(run: &ExampleRun) -> Option<FieldError> {
    let pointer = format!("/manifest/endpoints/{}/examples/{}/output", run.endpoint, run.example);
    run.problem.clone().map(|detail| FieldError { pointer, detail })
}

fn unfinished(error: ExamplesError) -> RegistryError {
    match error {
        ExamplesError::OverBudget(_) => RegistryError::ExamplesTooSlow,
        ExamplesError::Unavailable(error) => error.into(),
        other => RegistryError::internal(other),
    }
}
