//! `clawos clean`: empties the build cache that all projects share.

use serde_json::json;

use crate::context::Context;
use crate::error::{CliError, Result};

/// Deletes what builds keep for later ones. No project loses anything; the next build takes longer.
///
/// # Errors
/// [`CliError::Invalid`] while a skill is being built.
pub fn run(context: &Context) -> Result<()> {
    let cache = context.build_cache()?;
    let freed = cache.clean().map_err(|error| CliError::invalid(error.to_string()))?;
    let value = json!({ "folder": cache.folder(), "freed": freed.to_string() });
    context.out.result(&value, || format!("{}: {} MiB freed", cache.folder().display(), freed >> 20))
}
