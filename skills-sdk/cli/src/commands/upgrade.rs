//! `clawos upgrade`: moves a project to the SDK that this command brings.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::language;
use crate::sdk;
use crate::table;

/// Flags of `clawos upgrade`.
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// The skill's folder, where `skill.toml` is.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
}

/// Names the SDK in the project's build file and says what differs from the one before.
///
/// # Errors
/// [`CliError::Invalid`](crate::error::CliError::Invalid) where there is no project, or one that does not use our SDK.
pub fn run(args: &UpgradeArgs, context: &Context) -> Result<()> {
    let language = language::of(&args.folder).ok_or_else(|| language::missing(&args.folder))?;
    let done = sdk::upgrade(language, &args.folder, &context.home)?;
    let upgraded = done.from != done.to;
    let value = json!({
        "from": done.from,
        "to": done.to,
        "upgraded": upgraded,
        "build_file": language.marker,
        "changed": done.changed,
    });
    context.out.result(&value, || {
        if !upgraded {
            return format!("{} is the SDK of this clawos already", done.to);
        }
        let changed = table::count(done.changed.len() as u64, "file of the SDK differs", "files of the SDK differ");
        let files: String = done.changed.iter().map(|path| format!("  {path}\n")).collect();
        format!("{} now names {} (before: {})\n{changed}:\n{files}", language.marker, done.to, done.from)
    })?;
    if upgraded {
        context.out.note(format!("next: clawos test {}, then commit {}", args.folder.display(), language.marker));
    }
    Ok(())
}
