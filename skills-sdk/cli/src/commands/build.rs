//! `clawos build`: compiles a skill to a WASM component, at the path the manifest names.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::build::component;
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::project::Project;
use crate::table;

/// Flags of `clawos build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The skill's folder, where `skill.toml` is.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
}

/// Builds the skill.
///
/// # Errors
/// [`CliError::Invalid`] with the compiler's messages.
pub async fn run(args: &BuildArgs, context: &Context) -> Result<()> {
    let project = Project::open(&args.folder)?;
    let artifact = project.build(context).await?;
    let interface = component::interface(&artifact).map_err(|error| CliError::invalid(error.to_string()))?;
    let sha256 = hex::encode(clawos_receipts::sha256(&artifact));
    let path = project.artifact_path();
    let value = json!({
        "skill": project.id(),
        "artifact": path,
        "size": artifact.len().to_string(),
        "sha256": sha256,
        "imports": interface.imports,
        "exports": interface.exports,
    });
    context.out.result(&value, || {
        table::fields(&[
            ("artifact", Some(path.display().to_string())),
            ("size", Some(format!("{} bytes", artifact.len()))),
            ("sha256", Some(sha256)),
            ("imports", Some(interface.imports.join(" "))),
        ])
    })?;
    context.out.note(format!("next: clawos test {}", args.folder.display()));
    Ok(())
}
