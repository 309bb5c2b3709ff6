//! `clawos check`: finds what the server would refuse at publish, with the reasons.

use std::path::PathBuf;

use clap::Args;
use clawos_runtime::{ModuleInfo, ModuleRef};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{CliError, Result};
use crate::project::Project;
use crate::sandbox::{LocalSandbox, permission_mismatches, permissions_not_offered};
use crate::table;

/// Flags of `clawos check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The skill's folder, where `skill.toml` is.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
}

/// Checks manifest, schemas, examples and limits; and, when it is built, the module and its imports.
///
/// # Errors
/// [`CliError::Invalid`] with every finding.
pub async fn run(args: &CheckArgs, context: &Context) -> Result<()> {
    let project = Project::open(&args.folder)?;
    let findings = permissions_not_offered(&project.manifest);
    if !findings.is_empty() {
        let message = "the manifest asks for permissions that no server can give".to_owned();
        return Err(CliError::Invalid { message, findings });
    }
    let module = check_module(&project, context).await?;
    let examples = project.manifest.endpoints.iter().map(|endpoint| endpoint.examples.len()).sum();
    let mut warnings = Vec::new();
    if examples == 0 {
        warnings.push("there are no examples; buyers and the health check rely on them".to_owned());
    }
    if module.is_none() {
        let path = project.artifact_path();
        warnings.push(format!(
            "{} is not built, so its imports were not checked; build it with `clawos build`",
            path.display()
        ));
    }
    let value = json(&project, module.as_ref(), examples, &warnings);
    context.out.result(&value, || text(&project, module.as_ref(), examples))?;
    for warning in warnings {
        context.out.warn(warning);
    }
    Ok(())
}

/// The module and what it imports, when it is built; an error when they are not what the manifest says.
async fn check_module(project: &Project, context: &Context) -> Result<Option<(ModuleRef, ModuleInfo)>> {
    let Some(artifact) = project.artifact()? else { return Ok(None) };
    let progress = context.out.progress("compiling the module");
    let (module, info) = LocalSandbox::start(&context.home)?.prepare(artifact).await?;
    drop(progress);
    let findings = permission_mismatches(&project.manifest, &info);
    if findings.is_empty() {
        return Ok(Some((module, info)));
    }
    Err(CliError::Invalid {
        message: "the manifest's permissions are not those the module imports".to_owned(),
        findings,
    })
}

fn json(project: &Project, module: Option<&(ModuleRef, ModuleInfo)>, examples: usize, warnings: &[String]) -> Value {
    let manifest = &project.manifest;
    let module = module.map(|(module, info)| {
        json!({ "sha256": hex::encode(module.sha256), "size": info.size.to_string(), "imports": info.imports })
    });
    json!({
        "skill": manifest.skill.id,
        "version": manifest.skill.version,
        "manifest_sha256": hex::encode(project.manifest_sha256),
        "limits": manifest.limits,
        "permissions": manifest.permissions,
        "prices": manifest.prices,
        "endpoints": manifest.endpoints.iter().map(|endpoint| &endpoint.name).collect::<Vec<_>>(),
        "examples": examples,
        "module": module,
        "warnings": warnings,
    })
}

fn text(project: &Project, module: Option<&(ModuleRef, ModuleInfo)>, examples: usize) -> String {
    let manifest = &project.manifest;
    let size = |(module, info): &(ModuleRef, ModuleInfo)| {
        format!("ok, {} bytes, sha256 {}", info.size, hex::encode(module.sha256))
    };
    let imports = |(_, info): &(ModuleRef, ModuleInfo)| info.imports.iter().cloned().collect::<Vec<_>>().join(" ");
    table::fields(&[
        ("skill", Some(format!("{} {}", manifest.skill.id, manifest.skill.version))),
        ("manifest", Some("ok".to_owned())),
        ("schemas", Some(format!("ok, {}", table::count(manifest.endpoints.len() as u64, "endpoint", "endpoints")))),
        ("examples", Some(format!("ok, {examples} checked against their schemas (`clawos test` runs them)"))),
        ("price", Some(if manifest.prices.is_some() { "ok".to_owned() } else { "free".to_owned() })),
        ("module", module.map(size)),
        ("imports", module.map(imports)),
    ])
}
