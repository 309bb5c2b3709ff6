//! `clawos test`: runs the manifest's examples in the real sandbox and reports what each one used.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use clawos_client::FieldError;
use clawos_manifest::ResolvedManifest;
use clawos_runtime::{ExampleRun, ExamplesError, run_examples};
use serde::Serialize;

use crate::context::Context;
use crate::error::{CliError, Result};
use crate::project::Project;
use crate::sandbox::{LocalSandbox, permission_mismatches, unavailable};
use crate::table;

/// Flags of `clawos test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The skill's folder, where `skill.toml` is.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// Test the artifact as it is, without building it first.
    #[arg(long)]
    pub no_build: bool,
}

/// The result of one example.
#[derive(Debug, Serialize)]
struct Run {
    endpoint: String,
    example: usize,
    ok: bool,
    problem: Option<String>,
    #[serde(with = "clawos_receipts::text::decimal")]
    fuel: u64,
    #[serde(with = "clawos_receipts::text::decimal")]
    wall_us: u64,
    #[serde(with = "clawos_receipts::text::decimal")]
    peak_memory: u64,
    logs: Vec<String>,
}

/// The results of all examples.
#[derive(Debug, Serialize)]
struct Report {
    skill: String,
    version: String,
    module_sha256: String,
    runtime: String,
    ok: bool,
    #[serde(with = "clawos_receipts::text::decimal")]
    fuel_limit: u64,
    examples: Vec<Run>,
}

/// Runs every example.
///
/// # Errors
/// [`CliError::Invalid`] when one does not match.
pub async fn run(args: &TestArgs, context: &Context) -> Result<()> {
    let project = Project::open(&args.folder)?;
    let artifact = project.build_and_read(!args.no_build, context).await?;
    let report = test(&project, artifact, context).await?;
    let failed: Vec<FieldError> = report.examples.iter().filter_map(finding).collect();
    if failed.is_empty() {
        context.out.result(&report, || human(&report, context))?;
        context.out.note(format!("next: clawos publish {}", args.folder.display()));
        return Ok(());
    }
    context.out.report(human(&report, context).trim_end());
    let message = format!("{} of {} examples failed", failed.len(), report.examples.len());
    Err(CliError::Invalid { message, findings: failed })
}

async fn test(project: &Project, artifact: Bytes, context: &Context) -> Result<Report> {
    let local = LocalSandbox::start(&context.home)?;
    let progress = context.out.progress("compiling the module");
    let (module, info) = local.prepare(artifact).await?;
    drop(progress);
    let mismatches = permission_mismatches(&project.manifest, &info);
    if !mismatches.is_empty() {
        let message = "the manifest's permissions are not those the module imports".to_owned();
        return Err(CliError::Invalid { message, findings: mismatches });
    }
    let manifest = &project.manifest;
    // Publishing bounds the time of all together; here their author decides.
    let runs = run_examples(local.engine(), &module, manifest, Duration::MAX).await.map_err(failed)?;
    let examples: Vec<Run> = runs.into_iter().map(|run| row(manifest, run)).collect();
    Ok(Report {
        skill: project.id().to_owned(),
        version: manifest.skill.version.to_string(),
        module_sha256: hex::encode(module.sha256),
        runtime: local.engine_id(),
        ok: examples.iter().all(|run| run.ok),
        fuel_limit: manifest.limits.fuel,
        examples,
    })
}

fn row(manifest: &ResolvedManifest, run: ExampleRun) -> Run {
    let ExampleRun { endpoint, example, problem, usage, logs } = run;
    Run {
        endpoint: manifest.endpoints[endpoint].name.clone(),
        example,
        ok: problem.is_none(),
        problem,
        fuel: usage.fuel,
        wall_us: usage.wall_us,
        peak_memory: usage.peak_memory,
        logs: logs.into_iter().map(|line| format!("{}: {}", line.level.as_str(), line.message)).collect(),
    }
}

fn failed(error: ExamplesError) -> CliError {
    match error {
        ExamplesError::Unavailable(error) => unavailable(error),
        other => CliError::Sandbox(other.to_string()),
    }
}

fn finding(run: &Run) -> Option<FieldError> {
    let detail = run.problem.clone()?;
    Some(FieldError { pointer: format!("{} example {}", run.endpoint, run.example), detail })
}

fn human(report: &Report, context: &Context) -> String {
    let cells = |run: &Run| {
        vec![
            context.out.mark(run.ok),
            run.endpoint.clone(),
            run.example.to_string(),
            run.fuel.to_string(),
            format!("{:.3} %", run.fuel as f64 * 100.0 / report.fuel_limit as f64),
            format!("{} KiB", run.peak_memory / 1024),
            format!("{} µs", run.wall_us),
        ]
    };
    let rows: Vec<_> = report.examples.iter().map(cells).collect();
    let header = ["", "endpoint", "example", "fuel", "of limit", "memory", "time"];
    format!("{}{} {} on {}\n", table::columns(&header, &rows), report.skill, report.version, report.runtime)
}
