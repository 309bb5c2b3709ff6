//! `clawos-server demo`: where it keeps its data and what it listens on.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Flags of the demo.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoConfig {
    /// End after the last step instead of staying up.
    #[arg(long)]
    pub exit: bool,
    /// Start over: remove what earlier demos left in the data folder.
    #[arg(long)]
    pub fresh: bool,
    /// Folder of the demo's chain, server and wallets; created when absent.
    #[arg(long, default_value = ".demo")]
    pub data: PathBuf,
    /// The repository, where the example skills are.
    #[arg(long, default_value = ".")]
    pub project: PathBuf,
    /// Port of the server.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Port of the local chain; its websocket takes the next one.
    #[arg(long, default_value_t = 8899)]
    pub rpc_port: u16,
}

/// One of the programs beside this one, without the settings that the environment has for a marketplace of one's own: the
/// demo shows the defaults.
pub(crate) fn sister_program(file: &Path) -> Command {
    let mut command = Command::new(file);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CLAWOS_")) {
        command.env_remove(name);
    }
    command
}

/// The folder of this program, where its sister programs are.
///
/// # Errors
/// When the system does not say.
pub(crate) fn sister_programs() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new("/")).to_path_buf())
}
