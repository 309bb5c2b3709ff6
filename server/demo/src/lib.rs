//! `clawos-server demo`: publish, buy, call, settle and verify on embedded defaults, shown step by step.
//!
//! Starts the local chain and the server as children, then does what an author, a buyer, a stranger and an outsider
//! would do, by calling the `clawos` command as they would. Every step looks first at what is there, so a demo that was
//! killed continues where it stopped.

mod author;
mod books;
mod buyer;
mod calls;
mod children;
mod command;
mod config;
mod folder;
mod outsider;
mod settlement;
mod show;
mod world;

pub use config::DemoConfig;
use std::process::ExitCode;

use show::Show;
use world::World;

/// Why the demo stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// A file or a process could not be used.
    #[error("{what}: {source}")]
    System {
        /// The operation, such as `finding the programs`.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A child process ended or did not become ready.
    #[error("{0}")]
    Child(String),
    /// A command did not do what the demo shows.
    #[error("`{command}` failed: {problem}")]
    Command {
        /// The command line as one would type it.
        command: String,
        /// The detail of its problem+json, or its error output.
        problem: String,
    },
    /// Something turned out different from what the demo promises.
    #[error("{0}")]
    Unexpected(String),
}

/// Wraps a system error with what was tried.
fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> DemoError {
    let what = what.into();
    move |source| DemoError::System { what, source }
}

/// Runs the demo; unless told to end, stays up until stopped.
pub fn run(config: &DemoConfig) -> ExitCode {
    match steps(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ndemo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn steps(config: &DemoConfig) -> Result<(), DemoError> {
    let show = Show::start(8);
    show.step("start the local chain (our program's real binary) and the server");
    let (world, mut children) = World::start(config, &show)?;
    show.step("make two wallets, fund them, enrol both agents by signed challenge");
    world.enrol(&show)?;
    show.step("build two skills from source, check, publish, register on chain");
    author::publish(&world, &show)?;
    show.step("search, quote, buy a licence of each; deposit credit for use");
    buyer::buy(&world, &show)?;
    show.step("call both through the proxy; three calls that are refused and cost nothing");
    let calls = calls::make(&world, &show)?;
    show.step("settle: anchor the receipts on chain, pay seller and treasury");
    settlement::show(&world, &show, &calls)?;
    show.step("verify as an outsider: no account, no trust in the server");
    outsider::verify(&world, &show, &calls)?;
    show.step(if config.exit { "done" } else { "stay up" });
    world.farewell(&show, config.exit);
    if config.exit { children.stop() } else { children.watch() }
}
