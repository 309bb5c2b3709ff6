//! What verification found: one line per check.

use std::fmt;

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The evidence supports it.
    Ok,
    /// The evidence contradicts it, which is ground for a dispute.
    Failed,
    /// It was not made; the evidence says what was missing.
    Skipped,
    /// There is nothing to check: the evidence says why.
    #[serde(rename = "not_applicable")]
    NotApplicable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotApplicable => "not applicable",
        })
    }
}

/// One check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked: a short, stable word.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What that rests on: the values compared, or what was missing.
    pub evidence: String,
}

/// All checks, in the order they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One after the other.
    pub checks: Vec<Check>,
}

/// What a check finds: evidence for or against.
pub(crate) type Finding = Result<String, String>;

impl Report {
    /// Whether no check failed. Skipped checks prove nothing either way: see [`Self::is_complete`].
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Whether every check that applies was made and passed.
    pub fn is_complete(&self) -> bool {
        self.passed() && self.skipped().next().is_none()
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict == Verdict::Failed)
    }

    /// The checks that were not made.
    pub fn skipped(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict == Verdict::Skipped)
    }

    /// The check called `name`.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    pub(crate) fn add(&mut self, name: &'static str, finding: Finding) {
        let (verdict, evidence) = match finding {
            Ok(evidence) => (Verdict::Ok, evidence),
            Err(evidence) => (Verdict::Failed, evidence),
        };
        self.checks.push(Check { name, verdict, evidence });
    }

    /// Adds a check with all it found wrong, or `good` when that is nothing.
    pub(crate) fn add_all(&mut self, name: &'static str, wrong: Vec<String>, good: impl FnOnce() -> String) {
        self.add(name, if wrong.is_empty() { Ok(good()) } else { Err(wrong.join("; ")) });
    }

    pub(crate) fn not_applicable(&mut self, name: &'static str, why: impl Into<String>) {
        self.checks.push(Check { name, verdict: Verdict::NotApplicable, evidence: why.into() });
    }

    pub(crate) fn skip(&mut self, name: &'static str, missing: impl Into<String>) {
        self.checks.push(Check { name, verdict: Verdict::Skipped, evidence: missing.into() });
    }
}

/// Both values in the evidence, equal or not.
pub(crate) fn equal<T: PartialEq + fmt::Display>(what: &str, found: T, expected: T) -> Finding {
    if found == expected { Ok(format!("{what} {found}")) } else { Err(format!("{what} is {found}, not {expected}")) }
}
