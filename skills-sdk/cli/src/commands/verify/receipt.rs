//! `clawos verify receipt`: checks signature, key certificate, Merkle proof, hash chain, bill, publisher and replay.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use clawos_client::api::receipts::Anchor;
use clawos_manifest::ResolvedManifest;
use clawos_receipts::{Receipt, SignedReceipt, strict_json};
use clawos_verifier::anchor::is_anchored;
use clawos_verifier::receipt::{is_proven, verify};
use clawos_verifier::replay::replay;
use clawos_verifier::{Conclusion, Report, Verdict};
use serde_json::{Value, json};

use super::evidence::Gathered;
use super::{concluded, finding, verdict};
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::sandbox::{LocalSandbox, unavailable};

/// Flags of `clawos verify receipt`.
#[derive(Debug, Args)]
pub struct ReceiptArgs {
    /// A receipt as written by `clawos exec --save-receipt`, `clawos exec --json` or `clawos receipts get`.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Run the module again on the same input and compare output and fuel.
    #[arg(long, requires = "input")]
    pub replay: bool,
    /// The call's payload, byte for byte as it was sent.
    #[arg(long, value_name = "FILE", requires = "replay")]
    pub input: Option<PathBuf>,
    /// Fail unless the receipt is proven to be on chain: with exit code 9 while it may still get there, so that a script
    /// can try again, and with 5 when it never will.
    #[arg(long)]
    pub require_anchor: bool,
    /// Use this module instead of the server's.
    #[arg(long, value_name = "FILE", requires = "replay")]
    pub module: Option<PathBuf>,
}

/// Verifies a receipt.
///
/// # Errors
/// [`CliError::Invalid`] with every check that failed: evidence for a dispute. [`CliError::Unproven`] when none failed,
/// but no meter key on chain certifies the signing key: anyone could have made such a receipt. [`CliError::NotAnchored`]
/// when it has to be on chain and is not yet.
pub(super) async fn run(args: &ReceiptArgs, context: &Context) -> Result<()> {
    let (signed, anchor) = read(&args.file)?;
    let progress = context.out.progress("reading the chain");
    let gathered = Gathered::fetch(context, &signed.receipt, anchor).await?;
    drop(progress);
    let mut report = verify(&gathered.evidence(&signed));
    if let Some(input) = &args.input {
        let manifest = gathered.manifest(&signed.receipt);
        let replayed = run_again(args, input, &signed.receipt, manifest.as_ref(), context).await?;
        report.checks.extend(replayed.checks);
    }
    let conclusion = Conclusion::of(&report, is_proven(&report));
    let value = json!({
        "receipt": signed.receipt.id,
        "verdict": conclusion,
        "conclusion": conclusion.line(&report),
        "complete": report.is_complete(),
        "anchored": is_anchored(&report),
        "checks": report.checks,
    });
    context.out.result(&value, || concluded(&report, conclusion, context))?;
    verdict("the receipt", &report)?;
    if conclusion == Conclusion::Unproven {
        return Err(unproven(&report));
    }
    if args.require_anchor && !is_anchored(&report) {
        return Err(not_anchored(&report, gathered.is_final(&signed.receipt)));
    }
    Ok(())
}

fn not_anchored(report: &Report, never: bool) -> CliError {
    let about = ["anchor", "anchored"].into_iter().filter_map(|name| report.check(name));
    let findings: Vec<_> = about.filter(|check| check.verdict != Verdict::Ok).map(finding).collect();
    let why = findings.first().map_or("its batch was not checked", |finding| &finding.detail);
    let message = format!("the receipt is not proven to be on chain: {why}");
    if never { CliError::Unproven { message, findings } } else { CliError::NotAnchored { message, findings } }
}

fn unproven(report: &Report) -> CliError {
    CliError::Unproven {
        message: "the receipt is not proven: no meter key was found on chain that certifies the key that signed it"
            .to_owned(),
        findings: report.skipped().map(finding).collect(),
    }
}

async fn run_again(
    args: &ReceiptArgs,
    input: &Path,
    receipt: &Receipt,
    manifest: Option<&ResolvedManifest>,
    context: &Context,
) -> Result<Report> {
    let input = std::fs::read_to_string(input).map_err(CliError::file(input))?;
    // The bytes that were sent, hashed and billed: the JSON without the white space around it.
    let input = Bytes::from(input.trim().to_owned());
    let module = match &args.module {
        Some(path) => Bytes::from(std::fs::read(path).map_err(CliError::file(path))?),
        None => context.public()?.artifact(&receipt.skill, Some(&receipt.version)).await?,
    };
    let local = LocalSandbox::start(&context.home)?;
    let progress = context.out.progress("running the module again");
    let report = replay(local.engine(), local.modules(), module, input, receipt, manifest).await;
    drop(progress);
    report.map_err(unavailable)
}

/// A signed receipt, bare or inside an answer, with its anchor where that is there too.
fn read(path: &Path) -> Result<(SignedReceipt, Option<Anchor>)> {
    let text = std::fs::read_to_string(path).map_err(CliError::file(path))?;
    let invalid = |error: serde_json::Error| CliError::invalid(format!("{} is not a receipt: {error}", path.display()));
    // Of two members with one name another reader may see the other one.
    strict_json::check(text.as_bytes())
        .map_err(|error| CliError::invalid(format!("{} is not a receipt: {error}", path.display())))?;
    let value: Value = serde_json::from_str(&text).map_err(invalid)?;
    let receipt = value.get("receipt").filter(|inner| inner.is_object()).unwrap_or(&value);
    let signed = serde_json::from_value(receipt.clone()).map_err(invalid)?;
    let anchor = value.get("anchor").filter(|anchor| !anchor.is_null());
    let anchor = anchor.map(|anchor| serde_json::from_value(anchor.clone())).transpose().map_err(invalid)?;
    Ok((signed, anchor))
}
