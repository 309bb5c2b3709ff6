//! Runs a manifest's examples in a sandbox: before a version is published, and for its author on the command line.

use std::time::{Duration, Instant};

use clawos_manifest::resolved::{Endpoint, Example};
use clawos_manifest::{ResolvedManifest, examples};

use crate::{Invocation, Limits, LogLine, ModuleRef, Outcome, Sandbox, Unavailable, Usage, last_error};

/// How one example went.
#[derive(Clone, Debug)]
pub struct ExampleRun {
    /// The endpoint's place in the manifest, from 0.
    pub endpoint: usize,
    /// The example's place in its endpoint, from 0.
    pub example: usize,
    /// Why it does not match: the first difference, or the failure with what the guest logged as its last error. None when
    /// it does.
    pub problem: Option<String>,
    /// What the call used.
    pub usage: Usage,
    /// What the guest logged.
    pub logs: Vec<LogLine>,
}

/// Why examples were not run to the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExamplesError {
    /// All of them together took longer than they may.
    #[error("the examples took longer than {} s together", .0.as_secs())]
    OverBudget(Duration),
    /// The sandbox could not run one.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Runs every example of `manifest`, one after the other, under the manifest's limits. None is begun once all before it
/// took longer than `budget`.
///
/// # Errors
/// [`ExamplesError`]. An example that does not match is no error: its [`ExampleRun`] says so.
pub async fn run_examples(
    sandbox: &dyn Sandbox,
    module: &ModuleRef,
    manifest: &ResolvedManifest,
    budget: Duration,
) -> Result<Vec<ExampleRun>, ExamplesError> {
    let (started, limits) = (Instant::now(), Limits::from(&manifest.limits));
    let mut runs = Vec::new();
    for (place, endpoint) in manifest.endpoints.iter().enumerate() {
        for (number, example) in endpoint.examples.iter().enumerate() {
            if started.elapsed() > budget {
                return Err(ExamplesError::OverBudget(budget));
            }
            let outcome = sandbox.run(module, invocation(endpoint, example, limits)).await?;
            let problem = problem(example, &outcome);
            let Outcome { usage, logs, .. } = outcome;
            runs.push(ExampleRun { endpoint: place, example: number, problem, usage, logs });
        }
    }
    Ok(runs)
}

fn invocation(endpoint: &Endpoint, example: &Example, limits: Limits) -> Invocation {
    Invocation {
        limits,
        seed: examples::SEED,
        time_ms: examples::TIME_MS,
        ..Invocation::new(examples::CALL_ID, &*endpoint.name, example.input.to_string())
    }
}

fn problem(example: &Example, outcome: &Outcome) -> Option<String> {
    match &outcome.result {
        Ok(answer) => examples::compare(&example.output, answer).err().map(|difference| difference.to_string()),
        Err(failure) => {
            let logged = last_error(&outcome.logs).map_or_else(String::new, |logged| format!("; it logged: {logged}"));
            Some(format!("the call failed: {failure} ({}){logged}", failure.code()))
        }
    }
}
