//! The `clawos` command, called as an agent calls it: one home folder, wallet and session each.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clawos_receipts::Key;
use clawos_receipts::text::from_base58;
use serde_json::{Value, json};

use super::command;

/// One agent's command line.
#[derive(Clone, Debug)]
pub struct Clawos {
    home: PathBuf,
    server: String,
    rpc: String,
}

/// A command that did not do its work.
#[derive(Debug)]
pub struct Refusal {
    /// Its exit code.
    pub exit: i32,
    /// The problem+json on its stderr.
    pub problem: Value,
}

impl Refusal {
    /// The problem's code.
    pub fn code(&self) -> &str {
        self.problem["code"].as_str().unwrap_or_default()
    }
}

impl Clawos {
    /// An agent with its home in `home`, which need not exist.
    pub fn new(home: PathBuf, server: &str, rpc: &str) -> Clawos {
        Clawos { home, server: server.to_owned(), rpc: rpc.to_owned() }
    }

    /// The same agent, asking another chain endpoint.
    #[must_use]
    pub fn with_rpc(&self, rpc: &str) -> Clawos {
        Clawos { rpc: rpc.to_owned(), ..self.clone() }
    }

    /// Runs a command that must succeed; gives its JSON.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Value {
        self.attempt(arguments).unwrap_or_else(|refusal| panic!("clawos {}: {refusal:#?}", arguments.join(" ")))
    }

    /// Runs a command that must be refused with `code`; gives the problem.
    #[track_caller]
    pub fn refused(&self, arguments: &[&str], code: &str) -> Value {
        match self.attempt(arguments) {
            Ok(answer) => panic!("clawos {} should be refused with {code}, but: {answer}", arguments.join(" ")),
            Err(refusal) => {
                assert_eq!(refusal.code(), code, "clawos {}: {:#}", arguments.join(" "), refusal.problem);
                assert_ne!(refusal.exit, 0);
                refusal.problem
            }
        }
    }

    /// Runs a command that may fail.
    ///
    /// # Errors
    /// With its exit code and problem.
    pub fn attempt(&self, arguments: &[&str]) -> Result<Value, Refusal> {
        let output = self.output(arguments);
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
                panic!("clawos {}: {error}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stdout))
            }));
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let problem = text.lines().rev().find_map(|line| serde_json::from_str(line).ok());
        Err(Refusal {
            exit: output.status.code().unwrap_or(-1),
            problem: problem.unwrap_or_else(|| json!({ "code": "none", "detail": text })),
        })
    }

    /// Runs a command and gives all it said.
    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command can be started")
    }

    /// Runs a command that must succeed, without `--json`; gives what people read.
    #[track_caller]
    pub fn for_people(&self, arguments: &[&str]) -> String {
        let output = self.plain(arguments).output().expect("the command can be started");
        assert!(output.status.success(), "clawos {}: {output:?}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("it is text")
    }

    /// Runs a command that must succeed, without `--json`; gives what people read meanwhile, beside the result.
    #[track_caller]
    pub fn told_meanwhile(&self, arguments: &[&str]) -> String {
        let output = self.plain(arguments).output().expect("the command can be started");
        assert!(output.status.success(), "clawos {}: {output:?}", arguments.join(" "));
        String::from_utf8(output.stderr).expect("it is text")
    }

    /// The command, for whoever wants to run it otherwise.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut clawos = self.plain(arguments);
        clawos.arg("--json");
        clawos
    }

    fn plain(&self, arguments: &[&str]) -> Command {
        let mut clawos = command("clawos");
        clawos.args(arguments).args(["--server", &self.server, "--rpc", &self.rpc]).arg("--home").arg(&self.home);
        clawos
    }

    /// Its home folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Its access token.
    pub fn token(&self) -> String {
        let session = std::fs::read(self.home.join("session.json")).expect("it is signed in");
        let session: Value = serde_json::from_slice(&session).expect("JSON");
        session["access_token"].as_str().expect("a session has a token").to_owned()
    }

    /// Its wallet.
    pub fn wallet(&self) -> clawos_client::Wallet {
        clawos_client::Wallet::load(&self.home.join("wallet.json")).expect("it has a wallet")
    }

    /// Its wallet's address, base58.
    pub fn address(&self) -> String {
        self.wallet().address()
    }
}

/// A base58 address of an answer.
#[track_caller]
pub fn key(value: &Value) -> Key {
    let text = value.as_str().unwrap_or_else(|| panic!("no address: {value}"));
    from_base58(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Base units of an answer: a decimal string, or money.
#[track_caller]
pub fn units(value: &Value) -> u64 {
    let digits = value.as_str().or_else(|| value["amount"].as_str());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no amount: {value}"))
}
