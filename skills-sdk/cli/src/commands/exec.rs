//! `clawos exec`: call a skill. The result goes to stdout, what it cost to stderr; `--json` prints the whole answer.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;
use clawos_api::market::PricesOnChain;
use clawos_client::ClientError;
use clawos_client::api::execute::{ExecuteAnswer, ExecuteRequest};
use clawos_client::http::{EXECUTE_TIMEOUT, new_idempotency_key};
use clawos_interface::Currency;
use clawos_manifest::Prices;
use clawos_manifest::limits::MAX_INPUT_BYTES;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::amount;
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::whole_file::{self, WholeFile};

/// Flags of `clawos exec`.
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// The skill, like acme.word-count, or one version of it, like acme.word-count@1.2.0.
    #[arg(value_name = "SKILL[@VERSION]")]
    pub skill: String,
    /// The endpoint, as `clawos show` lists it.
    #[arg(value_name = "ENDPOINT")]
    pub endpoint: String,
    /// The input: JSON, @FILE, or - for stdin (also when left out).
    #[arg(value_name = "PAYLOAD")]
    pub payload: Option<String>,
    /// The most the call may cost, with its currency: "0.01 USDC".
    #[arg(long, value_name = "AMOUNT")]
    pub max_cost: Option<String>,
    /// The version to call [default: the latest].
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Check the call and show the most it could cost, without running it.
    #[arg(long)]
    pub dry_run: bool,
    /// Repeat a call safely: the same key returns the first answer again, at no charge [default: a new key, which the
    /// error message names when no answer came or the call was interrupted].
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Write the receipt to this file, for `clawos verify receipt`.
    #[arg(long, value_name = "FILE")]
    pub save_receipt: Option<PathBuf>,
}

/// Calls the skill.
///
/// # Errors
/// Those of execution; a failure after the run carries a zero-charge receipt. [`CliError::Unanswered`] when the call may
/// have been made and its answer is lost.
pub async fn run(args: &ExecArgs, context: &Context) -> Result<()> {
    let payload = payload(args.payload.as_deref())?;
    let named = args.max_cost.as_deref().map(named_currency).transpose()?;
    // What cannot be kept should not be paid for.
    let file = args.save_receipt.as_deref().map(|path| WholeFile::begin(path, whole_file::SHARED)).transpose()?;
    let (skill_id, version) = skill_and_version(args)?;
    let client = context.signed_in().await?;
    let max_cost = match named {
        Some((text, named)) => {
            let skill = client.skill(skill_id).await?;
            let on_chain = skill.chain.as_ref().and_then(|chain| chain.prices.as_ref());
            Some(amount::parse(text, priced_in(on_chain, skill.prices.as_ref()).unwrap_or(named))?)
        }
        None => None,
    };
    let request =
        ExecuteRequest { endpoint: args.endpoint.clone(), payload, max_cost, version: version.map(str::to_owned) };
    let key = args.idempotency_key.clone().unwrap_or_else(new_idempotency_key);
    let progress = context.out.progress(format!("calling {skill_id}, at most {} s", EXECUTE_TIMEOUT.as_secs()));
    let answer = tokio::select! {
        answer = client.execute(skill_id, &request, args.dry_run, Some(&key)) => answer,
        signal = tokio::signal::ctrl_c() => {
            signal?;
            return Err(CliError::Interrupted { idempotency_key: key });
        }
    };
    drop(progress);
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            if let Some(receipt) = error.problem().and_then(|problem| problem.receipt.as_ref()) {
                save(file, receipt)?;
            }
            return Err(failed(error, args.dry_run, key));
        }
    };
    // The result is paid for: it comes before anything else that can fail.
    let printed = context.out.result(&answer, || text(&answer, args.dry_run));
    report(&answer, args.dry_run, context);
    if let Some(receipt) = &answer.receipt {
        save(file, receipt)?;
    }
    printed
}

/// The skill's id, and the version that it names or `--version` does.
fn skill_and_version(args: &ExecArgs) -> Result<(&str, Option<&str>)> {
    match (args.skill.split_once('@'), args.version.as_deref()) {
        (None, version) => Ok((&args.skill, version)),
        (Some((id, version)), None) => Ok((id, Some(version))),
        (Some(_), Some(_)) => Err(CliError::Usage("name the version once: after the @, or with --version".to_owned())),
    }
}

/// A call whose answer is lost names its key: whoever calls again without it may pay twice.
fn failed(error: ClientError, dry_run: bool, idempotency_key: String) -> CliError {
    if error.outcome_unknown() && !dry_run {
        CliError::Unanswered { source: error, idempotency_key }
    } else {
        error.into()
    }
}

/// The result for people: the JSON as the skill gave it, or after a dry run the most that the call could cost.
fn text(answer: &ExecuteAnswer, dry_run: bool) -> String {
    if dry_run {
        return format!("costs at most {}", answer.price);
    }
    answer.result.as_ref().map_or("null", |result| result.get()).to_owned()
}

/// Logs, usage and cost, beside the result.
fn report(answer: &ExecuteAnswer, dry_run: bool, context: &Context) {
    if dry_run {
        context.out.note("dry run: nothing was run or charged");
        return;
    }
    for line in &answer.logs {
        // Each further line is set in, so that none looks like one of ours.
        context.out.report(format!("log {}: {}", line.level, line.message.replace('\n', "\n  ")));
    }
    let usage = &answer.usage;
    let receipt = answer.receipt.as_ref().map_or_else(String::new, |signed| format!(", receipt {}", signed.receipt.id));
    context.out.note(format!("{} fuel, {} µs, cost {}{receipt}", usage.fuel, usage.wall_us, answer.price));
}

fn save(file: Option<WholeFile>, receipt: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(receipt).expect("receipts have string keys only");
    file.map_or(Ok(()), |file| file.finish(&text))
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

/// The bound with the currency that it names: the same number is far more in another one.
fn named_currency(text: &str) -> Result<(&str, Currency)> {
    let currency = amount::named_currency(text);
    let currency =
        currency.ok_or_else(|| CliError::Usage(format!("--max-cost needs a currency, like \"{text} USDC\"")))?;
    amount::parse(text, currency)?;
    Ok((text, currency))
}

/// What a skill is priced in: as the chain says where it is registered, else as its manifest does; none for a free one.
fn priced_in(on_chain: Option<&PricesOnChain>, manifest: Option<&Prices>) -> Option<Currency> {
    let on_chain =
        on_chain.and_then(|prices| [&prices.once, &prices.period, &prices.unit].into_iter().flatten().next());
    match (on_chain, manifest) {
        (Some(price), _) => Currency::from_name(&price.currency),
        (None, Some(prices)) => Some(prices.currency),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn the_chain_says_what_a_skill_is_priced_in_and_before_it_the_manifest() {
        let unit = Some(amount::money(5, Currency::Usdc));
        let (tier_bps, refund_secs) = ([10_000; 3], 0);
        let usdc =
            PricesOnChain { once: None, period: None, period_secs: None, unit, unit_kind: None, tier_bps, refund_secs };
        let sol = json!({
            "currency": "SOL", "once": null, "period": null, "unit": null, "tier_bps": tier_bps, "free_calls": 0,
            "refund_secs": refund_secs,
        });
        let sol: Prices = serde_json::from_value(sol).expect("prices");
        assert_eq!(priced_in(Some(&usdc), Some(&sol)), Some(Currency::Usdc));
        assert_eq!(priced_in(None, Some(&sol)), Some(Currency::Sol));
        assert_eq!(priced_in(None, None), None);
    }

    #[test]
    fn a_bound_on_the_cost_names_its_currency() {
        assert_eq!(named_currency("0.01 USDC").expect("an amount").1, Currency::Usdc);
        assert_eq!(named_currency("1sol").expect("an amount").1, Currency::Sol);
        assert_eq!(named_currency("1").expect_err("which?").exit_code(), 2);
        assert_eq!(named_currency("x SOL").expect_err("how much?").exit_code(), 2);
    }
}
