//! `clawos`: the command line of ClawOS, for authors, buyers and validators; people and agents alike.
//!
//! | place | owns |
//! | --- | --- |
//! | [`args`] | global flags and subcommands; each command's own flags are in its file |
//! | `commands/` | one file per command |
//! | [`context`], [`state`], [`environment`] | which server, chain, wallet and session; what is kept on disk |
//! | [`whole_file`] | files that appear whole or not at all |
//! | [`output`], [`table`] | the one place that prints: data on stdout, the rest on stderr, nothing that a terminal obeys |
//! | [`price_text`], [`schema_text`] | prices and JSON Schemas for people |
//! | [`error`], [`hint`] | exit codes, problem+json, and what to do next |
//! | [`language`], [`template`], [`sdk`], `build` | the languages of skills: one table, a new project's files, the SDKs, the toolchains |
//! | [`amount`], [`project`], [`sandbox`] | money as text, a skill's folder, the local sandbox |
//! | [`listing`], [`registration`] | a skill on chain, as its buyer and as its author sees it |

pub mod amount;
pub mod args;
pub mod build;
pub mod commands;
pub mod context;
mod embedded;
pub mod environment;
pub mod error;
pub mod hint;
pub mod language;
pub mod listing;
pub mod output;
pub mod price_text;
pub mod project;
pub mod registration;
pub mod sandbox;
pub mod schema_text;
pub mod sdk;
pub mod state;
pub mod table;
pub mod template;
pub mod whole_file;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

/// Runs the command line and returns its exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are answers; a program that asked for JSON gets its usage errors as JSON too.
        Err(error) if error.use_stderr() && environment::asks_for_json() => {
            let text = error.render().to_string();
            return Output::new(true, false).fail(&CliError::Usage(complaint(&text)));
        }
        Err(error) => error.exit(),
    };
    if matches!(cli.command, Command::Compile) {
        // The child that compiles hostile modules: no runtime, no network, limits of its own.
        return clawos_runtime::wasm::compile::child_main();
    }
    let output = Output::new(cli.global.json, cli.global.quiet);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&CliError::from(error)),
    };
    let result = runtime.block_on(async {
        let context = Context::new(cli.global, output)?;
        let done = commands::run(cli.command, &context).await;
        done.map_err(|error| error.of_api_key(context.uses_api_key()))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.fail(&error),
    }
}

/// What clap complains about, without the usage and tips that follow after an empty line: it may name what is missing
/// on lines of their own.
fn complaint(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}
