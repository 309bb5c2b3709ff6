//! The `clawos-server` program: `serve`, `demo`, and the hidden `compile` that the sandbox runs as its killable child.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clawos_config::Config;
use clawos_demo::DemoConfig;
use clawos_server::serve;
use tracing_subscriber::EnvFilter;

/// The ClawOS server.
#[derive(Parser)]
#[command(name = "clawos-server", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the HTTP API.
    Serve(Box<Config>),
    /// Show the whole job on embedded defaults: publish, buy, execute, settle, verify.
    Demo(DemoConfig),
    /// Compile one module; started by the sandbox, with limits set.
    #[command(hide = true)]
    Compile,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Compile => clawos_runtime::wasm::compile::child_main(),
        Command::Demo(config) => clawos_demo::run(&config),
        Command::Serve(config) => {
            let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
            let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
            log.with_ansi(std::io::stderr().is_terminal()).init();
            report(block_on(serve::run(*config)))
        }
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, serve::ServeError>>) -> Result<T, serve::ServeError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn report<E: std::fmt::Display>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clawos-server: {error}");
            ExitCode::FAILURE
        }
    }
}
