//! The one place that prints. Data goes to stdout, everything else to stderr; with `--json` stdout carries one JSON
//! value and stderr nothing but, on failure, one problem+json.

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;
use serde::Serialize;

use crate::environment;
use crate::error::CliError;

/// How and where to print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    quiet: bool,
    color: bool,
}

impl Output {
    /// Output for people, or JSON for programs.
    pub fn new(json: bool, quiet: bool) -> Self {
        let color = !environment::no_color() && std::io::stderr().is_terminal();
        Self { json, quiet, color }
    }

    /// Whether programs read this.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether [`Self::note`] says anything.
    pub fn shows_notes(&self) -> bool {
        !self.json && !self.quiet
    }

    /// The command's result: `value` as JSON, or the text for people.
    ///
    /// # Errors
    /// As [`Self::raw`].
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), CliError> {
        let text = if self.json {
            serde_json::to_string_pretty(value).expect("results have string keys only")
        } else {
            text()
        };
        self.raw(text.trim_end_matches('\n').as_bytes(), true)
    }

    /// Bytes that are the result as they are.
    ///
    /// # Errors
    /// [`CliError::System`] when not all of them could be written; a full disk must not look like success.
    pub fn raw(&self, bytes: &[u8], newline: bool) -> Result<(), CliError> {
        let mut stdout = std::io::stdout().lock();
        let end: &[u8] = if newline { b"\n" } else { b"" };
        let written = stdout.write_all(bytes).and_then(|()| stdout.write_all(end)).and_then(|()| stdout.flush());
        match written {
            // A reader that closed its end (`| head`) has all it wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }

    /// A line of information for people: not with `--json` or `--quiet`.
    pub fn note(&self, text: impl AsRef<str>) {
        if self.shows_notes() {
            self.stderr(text.as_ref());
        }
    }

    /// A warning: not with `--json`.
    pub fn warn(&self, text: impl AsRef<str>) {
        if !self.json {
            self.stderr(&format!("{} {}", self.paint("warning:", "33"), text.as_ref()));
        }
    }

    /// A spinner for work that takes a while; on a terminal only, removed when dropped.
    pub fn progress(&self, text: impl Into<String>) -> Progress {
        if self.json || self.quiet || !std::io::stderr().is_terminal() {
            return Progress(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(text.into());
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(bar)
    }

    /// Asks for confirmation before money is spent; without a terminal, with `--json` or `--yes`, it does not ask.
    ///
    /// # Errors
    /// [`CliError::Usage`] when the answer is not yes.
    pub fn confirm(&self, question: &str, yes: bool) -> Result<(), CliError> {
        let asked = !yes && !self.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if !asked {
            return Ok(());
        }
        self.stderr(&format!("{question} [y/N]"));
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(CliError::Usage("aborted; answer y, or pass --yes".to_owned()))
    }

    /// Says why the command failed and what to do next; gives its exit code.
    pub fn fail(&self, error: &CliError) -> ExitCode {
        if self.json {
            self.stderr(&serde_json::to_string(&error.problem()).expect("problems have string keys only"));
        } else {
            self.stderr(&format!("{} {error}", self.paint("error:", "31;1")));
            for finding in error.findings() {
                self.stderr(&format!("  {}: {}", finding.pointer, finding.detail));
            }
            if let Some(hint) = error.hint() {
                self.stderr(&format!("{} {hint}", self.paint("next:", "36")));
            }
            let id = error.problem().request_id;
            if !id.is_empty() {
                self.stderr(&format!("request {id}"));
            }
        }
        ExitCode::from(error.exit_code())
    }

    /// `ok` or `FAILED`, coloured for a terminal.
    pub fn mark(&self, ok: bool) -> String {
        if ok { self.paint("ok", "32") } else { self.paint("FAILED", "31;1") }
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn stderr(&self, text: &str) {
        // Nobody is left to tell when stderr is closed.
        drop(writeln!(std::io::stderr().lock(), "{text}"));
    }
}

/// A spinner that is removed when this is dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
