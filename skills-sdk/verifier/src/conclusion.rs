//! What a report comes to, in one word and one line: for who reads nothing else.

use serde::Serialize;

use crate::report::{Check, Report};

/// What a report comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Every check that applies was made and passed.
    Verified,
    /// No check failed, and some were not made.
    VerifiedExcept,
    /// No check failed, and nothing on chain speaks for it either: anybody could have made it.
    Unproven,
    /// A check failed, which is ground for a dispute.
    Invalid,
}

impl Conclusion {
    /// What `report` comes to. `proven` says whether something on chain stands behind it.
    pub fn of(report: &Report, proven: bool) -> Self {
        if !report.passed() {
            Self::Invalid
        } else if !proven {
            Self::Unproven
        } else if report.is_complete() {
            Self::Verified
        } else {
            Self::VerifiedExcept
        }
    }

    /// The line that says so, with the checks that failed or were not made.
    pub fn line(self, report: &Report) -> String {
        let made = report.checks.len() - report.skipped().count();
        match self {
            Self::Verified => format!("verified: all {made} checks passed"),
            Self::VerifiedExcept => format!("verified except: {}", listed(report.skipped(), "not checked")),
            Self::Unproven => format!(
                "not proven: nothing on chain stands behind it, so anybody could have made it; {}",
                listed(report.skipped(), "not checked")
            ),
            Self::Invalid => {
                let failed = report.failures().count();
                format!("INVALID: {failed} of {made} checks failed: {}", listed(report.failures(), "failed"))
            }
        }
    }
}

fn listed<'a>(checks: impl Iterator<Item = &'a Check>, what: &str) -> String {
    let texts: Vec<String> = checks.map(|check| format!("{} {what} ({})", check.name, check.evidence)).collect();
    texts.join("; ")
}
