//! `clawos completions`: a completion script for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::error::Result;

/// Flags of `clawos completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell to print the script for.
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// [`CliError::System`](crate::error::CliError::System) when it cannot be written.
pub fn run(args: &CompletionsArgs, context: &Context) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "clawos", &mut script);
    context.out.raw(&script, false)?;
    Ok(())
}
