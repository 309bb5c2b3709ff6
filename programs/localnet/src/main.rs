//! The `clawos-localnet` command: opens a chain, serves it, and stops on Ctrl-C or SIGTERM.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use clawos_localnet::{Handle, Localnet, LocalnetConfig, PROGRAM_ID, Result};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let config = LocalnetConfig::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    if let Some(parent) = config.exit_with_parent
        && let Err(error) = exit_with(parent)
    {
        eprintln!("clawos-localnet: cannot watch its parent: {error}");
        return ExitCode::FAILURE;
    }
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clawos-localnet: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Asks for a SIGTERM when the parent ends; an error when it has ended already.
fn exit_with(parent: i32) -> std::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if getppid().map(Pid::as_raw_pid) == Some(parent) {
        return Ok(());
    }
    Err(std::io::Error::other("it has ended"))
}

async fn serve(config: LocalnetConfig) -> Result<()> {
    eprintln!(
        "clawos-localnet is for development only: it has no security and gives money away; its keys are in {}.",
        config.data.join("keys").display()
    );
    let handle = Localnet::open(config)?.start().await?;
    // Whoever reads that we are ready may stop us at once.
    let stop = stop_signal();
    announce(&handle);
    stop.await;
    handle.stop().await;
    Ok(())
}

/// Prints the ready line on stdout; a closed pipe is ignored.
fn announce(handle: &Handle) {
    let line = format!(
        "localnet ready: {} genesis {} program {PROGRAM_ID} usdc {}",
        handle.rpc_url(),
        handle.genesis_hash(),
        handle.usdc_mint()
    );
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Listens from the moment it is called.
fn stop_signal() -> impl Future<Output = ()> {
    let mut interrupt = signal(SignalKind::interrupt()).expect("the runtime handles signals");
    let mut terminate = signal(SignalKind::terminate()).expect("the runtime handles signals");
    async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
