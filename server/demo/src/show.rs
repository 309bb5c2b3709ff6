//! What the demo prints: numbered steps with the time since the start, and the evidence below each.

use std::cell::Cell;
use std::io::Write;
use std::time::Instant;

/// Prints to stdout; counts the steps and the seconds since the start.
pub(super) struct Show {
    started: Instant,
    steps: u32,
    current: Cell<u32>,
}

impl Show {
    pub(super) fn start(steps: u32) -> Self {
        Self { started: Instant::now(), steps, current: Cell::new(0) }
    }

    /// Opens the next step.
    pub(super) fn step(&self, what: &str) {
        self.current.set(self.current.get() + 1);
        let seconds = self.started.elapsed().as_secs_f64();
        self.print(&format!("\n[{}/{}] {seconds:5.1} s  {what}", self.current.get(), self.steps));
    }

    /// A fact: what, and its evidence.
    pub(super) fn fact(&self, what: &str, evidence: impl std::fmt::Display) {
        self.print(&format!("      {what:<26} {evidence}"));
    }

    /// A line of prose.
    pub(super) fn say(&self, text: &str) {
        self.print(&format!("      {text}"));
    }

    /// The command that is run, as one would type it.
    pub(super) fn command(&self, text: &str) {
        self.print(&format!("    $ {text}"));
    }

    fn print(&self, line: &str) {
        let mut out = std::io::stdout().lock();
        // Whoever closed our output does not want to read on; the demo itself goes on.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
