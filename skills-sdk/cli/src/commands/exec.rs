//! `clawos exec`: call a skill. The result goes to stdout, what it cost to stderr; `--json` prints the whole answer.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;
use clawos_client::api::execute::{ExecuteAnswer, ExecuteRequest};
use clawos_interface::Currency;
use clawos_manifest::limits::MAX_INPUT_BYTES;
use serde_json::value::RawValue;

use crate::amount;
use crate::context::Context;
use crate::error::{CliError, Result};

/// Flags of `clawos exec`.
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// The skill, like acme.word-count.
    #[arg(value_name = "SKILL")]
    pub skill: String,
    /// The endpoint.
    #[arg(value_name = "ENDPOINT")]
    pub endpoint: String,
    /// The input: JSON, @FILE, or - for stdin (also when left out).
    #[arg(value_name = "PAYLOAD")]
    pub payload: Option<String>,
    /// The most the call may cost, with its currency: "0.01 USDC".
    #[arg(long, value_name = "AMOUNT")]
    pub max_cost: Option<String>,
    /// Call this version.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Check everything and say the price, without running.
    #[arg(long)]
    pub dry_run: bool,
    /// Repeat a call safely: the same key gives the first answer again, uncharged [default: a new one].
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Write the receipt to this file, for `clawos verify receipt`.
    #[arg(long, value_name = "FILE")]
    pub save_receipt: Option<PathBuf>,
}

/// Calls the skill.
///
/// # Errors
/// Those of execution; a failure after the run carries a zero-charge receipt.
pub async fn run(args: &ExecArgs, context: &Context) -> Result<()> {
    let request = ExecuteRequest {
        endpoint: args.endpoint.clone(),
        payload: payload(args.payload.as_deref())?,
        max_cost: args.max_cost.as_deref().map(max_cost).transpose()?,
        version: args.version.clone(),
    };
    let client = context.signed_in().await?;
    let progress = context.out.progress(format!("calling {}", args.skill));
    let answer = client.execute(&args.skill, &request, args.dry_run, args.idempotency_key.as_deref()).await;
    drop(progress);
    if let (Err(error), Some(path)) = (&answer, &args.save_receipt)
        && let Some(receipt) = error.problem().and_then(|problem| problem.receipt.as_ref())
    {
        save(path, receipt)?;
    }
    let answer = answer?;
    if let (Some(path), Some(receipt)) = (&args.save_receipt, &answer.receipt) {
        save(path, receipt)?;
    }
    context.out.result(&answer, || answer.result.get().to_owned());
    report(&answer, context);
    Ok(())
}

/// What people want to know beside the result.
fn report(answer: &ExecuteAnswer, context: &Context) {
    for line in &answer.logs {
        context.out.note(format!("log {}: {}", line.level, line.message));
    }
    let usage = &answer.usage;
    let receipt = answer.receipt.as_ref().map_or_else(String::new, |signed| format!(", receipt {}", signed.receipt.id));
    context.out.note(format!("{} fuel, {} µs, cost {}{receipt}", usage.fuel, usage.wall_us, answer.price));
}

fn save(path: &PathBuf, receipt: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(receipt).expect("receipts have string keys only");
    std::fs::write(path, text).map_err(CliError::file(path))
}

/// The exact bytes of the input, white space around them aside: they are what the receipt's hash is over.
fn payload(argument: Option<&str>) -> Result<Box<RawValue>> {
    let text = match argument {
        None | Some("-") => from_stdin(argument.is_none())?,
        Some(argument) => match argument.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path).map_err(CliError::file(path))?,
            None => argument.to_owned(),
        },
    };
    if text.len() as u64 > MAX_INPUT_BYTES {
        return Err(CliError::invalid(format!("the payload has {} bytes, {MAX_INPUT_BYTES} are allowed", text.len())));
    }
    let text = text.trim().to_owned();
    RawValue::from_string(text)
        .map_err(|error| CliError::invalid(format!("the payload is not JSON ({error}); quote text like '\"hello\"'")))
}

fn from_stdin(left_out: bool) -> Result<String> {
    if left_out && std::io::stdin().is_terminal() {
        return Err(CliError::Usage("give the payload as an argument, as @FILE, or on stdin".to_owned()));
    }
    let mut text = String::new();
    std::io::stdin().take(MAX_INPUT_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn max_cost(text: &str) -> Result<u64> {
    let currency: Option<Currency> = amount::named_currency(text);
    let currency =
        currency.ok_or_else(|| CliError::Usage(format!("say which currency: --max-cost \"{text} USDC\"")))?;
    amount::parse(text, currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_s_bytes_are_kept_as_they_are() {
        let raw = payload(Some(" {\"b\" : 1.0,\n \"a\":\"\\u00e4\"} ")).expect("JSON");
        assert_eq!(raw.get(), "{\"b\" : 1.0,\n \"a\":\"\\u00e4\"}");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.json");
        std::fs::write(&path, "[1, 2]\n").expect("written");
        let raw = payload(Some(&format!("@{}", path.display()))).expect("JSON");
        assert_eq!(raw.get(), "[1, 2]");
    }

    #[test]
    fn what_is_not_json_or_not_there_is_refused_with_its_exit_code() {
        assert_eq!(payload(Some("hello")).expect_err("not JSON").exit_code(), 5);
        assert_eq!(payload(Some("@/nowhere/at/all")).expect_err("no file").exit_code(), 4);
        let large = format!("\"{}\"", "a".repeat(MAX_INPUT_BYTES as usize));
        assert_eq!(payload(Some(&large)).expect_err("too large").exit_code(), 5);
    }

    #[test]
    fn a_bound_on_the_cost_names_its_currency() {
        assert_eq!(max_cost("0.01 USDC").expect("an amount"), 10_000);
        assert_eq!(max_cost("1sol").expect("an amount"), 1_000_000_000);
        assert_eq!(max_cost("1").expect_err("which?").exit_code(), 2);
    }
}
