//! The `clawos` command, called as a person or agent would call it.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::show::Show;
use super::{DemoError, system};
use crate::config::sister_program;

/// One agent's command line: its own home folder, wallet and session.
#[derive(Clone)]
pub(super) struct Clawos {
    program: PathBuf,
    home: PathBuf,
    server: String,
    rpc: String,
    project: PathBuf,
}

impl Clawos {
    pub(super) fn new(program: &Path, home: PathBuf, server: &str, rpc: &str, project: &Path) -> Self {
        Self {
            program: program.to_path_buf(),
            home,
            server: server.to_owned(),
            rpc: rpc.to_owned(),
            project: project.to_path_buf(),
        }
    }

    /// This agent's home folder.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Shows the command, runs it, and gives its JSON answer.
    pub(super) fn run(&self, show: &Show, arguments: &[&str]) -> Result<Value, DemoError> {
        show.command(&shown(arguments));
        self.ask(arguments)
    }

    /// Runs the command without showing it, and gives its JSON answer.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<Value, DemoError> {
        let failed = |problem: Value| DemoError::Command { command: shown(arguments), problem: detail(&problem) };
        self.attempt(arguments)?.map_err(failed)
    }

    /// Runs a command that may be refused; the inner error is the problem.
    pub(super) fn attempt(&self, arguments: &[&str]) -> Result<Result<Value, Value>, DemoError> {
        let output = self.output(arguments)?;
        if !output.status.success() {
            return Ok(Err(problem(&output)));
        }
        serde_json::from_slice(&output.stdout).map(Ok).map_err(|error| DemoError::Command {
            command: shown(arguments),
            problem: format!("its answer is not JSON: {error}"),
        })
    }

    /// Runs a command that answers even when its answer is "no", and gives that answer.
    pub(super) fn look(&self, arguments: &[&str]) -> Result<Value, DemoError> {
        let output = self.output(arguments)?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| DemoError::Command { command: shown(arguments), problem: detail(&problem(&output)) })
    }

    /// Shows and runs a command that must be refused with `code`; gives the problem.
    pub(super) fn refused(&self, show: &Show, arguments: &[&str], code: &str) -> Result<Value, DemoError> {
        show.command(&shown(arguments));
        let found = match self.attempt(arguments)? {
            Err(problem) if problem["code"] == code => return Ok(problem),
            Err(problem) => detail(&problem),
            Ok(_) => "it succeeded".to_owned(),
        };
        let command = shown(arguments);
        Err(DemoError::Unexpected(format!("`{command}` should be refused with {code}, but: {found}")))
    }

    fn output(&self, arguments: &[&str]) -> Result<Output, DemoError> {
        sister_program(&self.program)
            .args(arguments)
            .arg("--json")
            .args(["--server", &self.server, "--rpc", &self.rpc])
            .arg("--home")
            .arg(&self.home)
            .current_dir(&self.project)
            .output()
            .map_err(system(self.program.display().to_string()))
    }
}

/// The command line as one would type it.
pub(super) fn shown(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| {
        let plain =
            argument.chars().all(|c| c.is_ascii_alphanumeric() || "._-/@=:".contains(c)) && !argument.is_empty();
        if plain { (*argument).to_owned() } else { format!("'{argument}'") }
    });
    format!("clawos {}", quoted.collect::<Vec<_>>().join(" "))
}

/// The problem+json on stderr; whatever else was said when there is none.
fn problem(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    last.unwrap_or_else(|| serde_json::json!({ "code": "unknown", "detail": text.trim() }))
}

fn detail(problem: &Value) -> String {
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().into_iter().flatten();
    let errors: String = errors.map(|error| format!("; {} {}", error["pointer"], error["detail"])).collect();
    format!("{}: {}{errors}", text("code"), text("detail"))
}

/// A string of an answer.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, DemoError> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.ok_or_else(|| DemoError::Unexpected(format!("an answer lacks `{pointer}`: {value}")))
}

/// Base units of an answer: a decimal string, or money.
pub(super) fn units(value: &Value, pointer: &str) -> Result<u64, DemoError> {
    let found = value.pointer(pointer);
    let digits = found.and_then(|found| found.as_str().or_else(|| found["amount"].as_str()));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| DemoError::Unexpected(format!("an answer lacks the amount `{pointer}`: {value}")))
}
