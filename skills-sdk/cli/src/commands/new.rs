//! `clawos new`: creates a skill project from a template, with a link to the SDK.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use clawos_manifest::names::{is_handle, is_skill_id};
use serde_json::json;

use crate::context::Context;
use crate::error::{CliError, Result};
use crate::language::{self, LANGUAGES, Language};
use crate::sdk;
use crate::template;

/// Flags of `clawos new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The skill's name: the part of its id after the dot.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Your handle: the part of its id before the dot [default: the handle you are signed in with].
    #[arg(long, value_name = "HANDLE")]
    pub publisher: Option<String>,
    /// The language to write it in.
    #[arg(long, default_value = LANGUAGES[0].word, value_parser = language::parser())]
    pub lang: &'static Language,
    /// The folder to create [default: the name].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Writes the template.
///
/// # Errors
/// [`CliError::Usage`] for names that no server takes, and for a folder that is not empty.
pub fn run(args: &NewArgs, context: &Context) -> Result<()> {
    let publisher = match &args.publisher {
        Some(publisher) => publisher.clone(),
        None => context.home.session()?.map(|session| session.agent.name).ok_or_else(|| {
            CliError::Usage("name the publisher with --publisher HANDLE, or sign in with `clawos login`".to_owned())
        })?,
    };
    let id = format!("{publisher}.{}", args.name);
    if !is_handle(&publisher) || !is_skill_id(&id) {
        return Err(CliError::Usage(format!(
            "`{id}` is not a valid skill id: handle (3 to 32 characters) and name (2 to 64) consist of lower-case letters, digits and hyphens, and begin with a letter"
        )));
    }
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CliError::Usage(format!("{} is not empty; name another folder with --dir", folder.display())));
    }
    let files = template::files(args.lang, &publisher, &args.name);
    for (path, text) in &files {
        write(&folder.join(path), text)?;
    }
    sdk::provide(args.lang, &folder, &context.home)?;
    let paths: Vec<&String> = files.iter().map(|(path, _)| path).collect();
    let value = json!({ "skill": id, "folder": folder, "files": paths, "sdk": args.lang.sdk.name(args.lang) });
    context.out.result(&value, || format!("{}: {} files", folder.display(), files.len()))?;
    context.out.note(format!("next: cd {} && clawos test", folder.display()));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(CliError::file(parent))?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(CliError::file(path))?;
    file.write_all(text.as_bytes()).map_err(CliError::file(path))
}
