//! A folder of its own for each test, and the command in it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of one's own, with the command working in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn clawos(&self, line: &[&str]) -> Output {
        self.command(line).output().expect("it starts")
    }

    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clawos"));
        command.args(line).current_dir(self.path());
        for name in ["CLAWOS_SERVER", "CLAWOS_RPC", "CLAWOS_WALLET", "CLAWOS_API_KEY"] {
            command.env_remove(name);
        }
        command.env("CLAWOS_HOME", self.path().join("home")).env("CLAWOS_CACHE", self.path().join("cache"));
        command
    }

    /// Puts a program into the only folder that [`Self::with_tools`] finds programs in.
    pub(crate) fn tool(&self, name: &str, script: &str) {
        let tools = self.path().join("tools");
        std::fs::create_dir_all(&tools).expect("made");
        std::fs::write(tools.join(name), format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(tools.join(name), std::fs::Permissions::from_mode(0o755)).expect("chmod");
    }

    pub(crate) fn with_tools(&self, line: &[&str]) -> Output {
        self.command(line).env("PATH", self.path().join("tools")).output().expect("it starts")
    }
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("not killed")
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}
