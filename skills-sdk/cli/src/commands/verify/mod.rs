//! `clawos verify`: checks licences and receipts against accounts read from the RPC, trusting neither seller nor server.

mod batches;
mod evidence;
mod licence;
mod receipt;

use clap::Subcommand;
use clawos_client::FieldError;
use clawos_verifier::{Check, Conclusion, Report, Verdict};

use crate::context::Context;
use crate::error::{CliError, Result};
use crate::output::one_line;
use crate::table;

/// The subcommands of `clawos verify`.
#[derive(Debug, Subcommand)]
pub enum VerifyCommand {
    /// Check whether a buyer's licence gives access now, from the chain alone; --batches also checks all that was charged
    /// on it.
    Licence(licence::LicenceArgs),
    /// Check that a receipt is signed, anchored and billed as agreed; --replay also runs the module again.
    Receipt(receipt::ReceiptArgs),
}

/// Runs a subcommand.
///
/// # Errors
/// [`CliError::Invalid`] when a check fails, [`CliError::Unproven`] when evidence for a receipt is missing,
/// [`CliError::NotAnchored`] when it has to be on chain and is not yet.
pub async fn run(command: &VerifyCommand, context: &Context) -> Result<()> {
    match command {
        VerifyCommand::Licence(args) => licence::run(args, context).await,
        VerifyCommand::Receipt(args) => receipt::run(args, context).await,
    }
}

/// The checks as a table, and under it what they come to.
fn concluded(report: &Report, conclusion: Conclusion, context: &Context) -> String {
    format!("{}\n{}", human(report, context), one_line(&conclusion.line(report)))
}

/// The checks as a table.
fn human(report: &Report, context: &Context) -> String {
    let row = |check: &Check| {
        let mark = match check.verdict {
            Verdict::Skipped => "not checked".to_owned(),
            Verdict::NotApplicable => "-".to_owned(),
            verdict => context.out.mark(verdict == Verdict::Ok),
        };
        vec![mark, check.name.to_owned(), check.evidence.clone()]
    };
    table::columns(&["", "check", "evidence"], &report.checks.iter().map(row).collect::<Vec<_>>())
}

/// The error of a report in which something failed.
fn verdict(what: &str, report: &Report) -> Result<()> {
    let findings: Vec<_> = report.failures().map(finding).collect();
    if findings.is_empty() {
        return Ok(());
    }
    let message = format!("{what} is invalid: {} of {} checks failed", findings.len(), report.checks.len());
    Err(CliError::Invalid { message, findings })
}

fn finding(check: &Check) -> FieldError {
    FieldError { pointer: check.name.to_owned(), detail: check.evidence.clone() }
}
