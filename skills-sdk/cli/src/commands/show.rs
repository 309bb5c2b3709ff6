//! `clawos show`: a skill's listing: versions, endpoints with a call of each, limits, prices, state on chain.

use clap::Args;
use clawos_client::api::market::ListingChain;
use clawos_client::api::skills::{EndpointView, LimitsView, SkillDetail, VersionView};
use clawos_client::{Client, ClientError};
use clawos_manifest::names;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{CliError, Result};
use crate::output::{one_line, shell_word};
use crate::price_text;
use crate::schema_text;
use crate::table;

/// The longest example that is shown as a command, in characters; a longer one is a file's content.
const MAX_EXAMPLE_CHARS: usize = 300;
/// The most versions that are named.
const MAX_VERSIONS: usize = 20;

/// Flags of `clawos show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The skill, like acme.word-count, or one version of it, like acme.word-count@1.2.0.
    #[arg(value_name = "SKILL[@VERSION]")]
    pub skill: String,
}

/// Shows a listing, with what its newest version does, or the one that is named.
///
/// # Errors
/// `skill_not_found`; `version_not_found`, with the versions that there are; [`ClientError::Unreadable`] when the server
/// answers with what is no listing of this skill.
pub async fn run(args: &ShowArgs, context: &Context) -> Result<()> {
    let client = context.public()?;
    let (id, version) = args.skill.split_once('@').map_or((args.skill.as_str(), None), |(id, at)| (id, Some(at)));
    let versions = client.versions(id).await?;
    if let Some(unknown) = version.filter(|at| !versions.iter().any(|known| known.version == *at)) {
        return Err(CliError::VersionNotFound(format!("{id} has no version {unknown}; it has {}", listed(&versions))));
    }
    let detail = client.skill_at(id, version).await?;
    check(&detail, id, &client)?;
    let mut value = json!(detail);
    value["versions"] = versions.iter().map(|version| json!(version.version)).collect();
    context.out.result(&value, || human(&detail, &versions))
}

/// Checks the names that are shown as parts of a command: those that no skill can have would have people run another one.
fn check(detail: &SkillDetail, id: &str, client: &Client) -> Result<()> {
    let unreadable = |reason| Err(ClientError::Unreadable { url: client.origin(), reason }.into());
    if detail.id != id {
        return unreadable(format!("it was asked for {id} and answers with {}", shell_word(&detail.id)));
    }
    match detail.endpoints.iter().find(|endpoint| !names::is_endpoint_name(&endpoint.name)) {
        Some(wrong) => unreadable(format!("{} is no endpoint's name", shell_word(&wrong.name))),
        None => Ok(()),
    }
}

/// The versions' numbers, newest first.
fn listed(versions: &[VersionView]) -> String {
    let mut shown: Vec<&str> = versions.iter().take(MAX_VERSIONS).map(|version| version.version.as_str()).collect();
    if versions.len() > MAX_VERSIONS {
        shown.push("… (--json lists all)");
    }
    shown.join(", ")
}

fn human(detail: &SkillDetail, versions: &[VersionView]) -> String {
    let chain = detail.chain.as_ref();
    let newest = detail.version == detail.latest_version;
    let called = if newest { detail.id.clone() } else { format!("{}@{}", detail.id, detail.version) };
    let mut text = table::fields(&[
        ("skill", Some(format!("{} {}", detail.id, detail.version))),
        ("latest", (!newest).then(|| detail.latest_version.clone())),
        ("summary", Some(detail.summary.clone())),
        ("versions", Some(listed(versions))),
        ("category", Some(detail.category.clone())),
        ("tags", (!detail.tags.is_empty()).then(|| detail.tags.join(", "))),
        ("price", Some(price_text::line(detail.prices.as_ref()))),
        ("on chain", detail.prices.is_some().then(|| on_chain(chain))),
        ("account", chain.map(|chain| chain.skill_account.clone())),
        (
            "note",
            chain
                .filter(|chain| chain.terms_differ)
                .map(|_| "the prices on chain differ from the manifest's; those on chain apply".to_owned()),
        ),
        ("limits", Some(limits(&detail.limits))),
    ]);
    for endpoint in &detail.endpoints {
        text.push_str(&endpoint_text(&called, endpoint));
    }
    text
}

fn on_chain(chain: Option<&ListingChain>) -> String {
    match chain.filter(|chain| chain.registered) {
        Some(chain) => chain.status.clone().unwrap_or_else(|| "registered".to_owned()),
        None => "not registered".to_owned(),
    }
}

fn endpoint_text(skill: &str, endpoint: &EndpointView) -> String {
    let EndpointView { name, summary, input, output, examples } = endpoint;
    let part = |title: &str, schema: &Value| format!("\n  {title}\n{}", schema_text::describe(schema, 4));
    let call = examples
        .first()
        .map_or_else(String::new, |example| format!("\n  example\n    {}\n", call(skill, name, &example.input)));
    format!("\n{}  {}\n{}{}{call}", one_line(name), one_line(summary), part("input", input), part("output", output))
}

/// The command that makes a call with this input.
fn call(skill: &str, endpoint: &str, input: &Value) -> String {
    let payload = input.to_string();
    let payload = if payload.chars().count() > MAX_EXAMPLE_CHARS { "@input.json" } else { &payload };
    format!("clawos exec {} {} {}", shell_word(skill), shell_word(endpoint), shell_word(payload))
}

fn limits(limits: &LimitsView) -> String {
    let LimitsView { fuel, memory_mib, wall_ms, output_kib } = limits;
    format!("{fuel} fuel, {memory_mib} MiB of memory, {wall_ms} ms, {output_kib} KiB of output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_a_command_that_a_shell_reads_as_it_is() {
        assert_eq!(call("acme.x", "count", &json!({ "n": 1 })), r#"clawos exec acme.x count '{"n":1}'"#);
        let input = json!({ "text": "it's; rm -rf" });
        let words = shlex::split(&call("acme.x@1.0.0; sh", "count", &input)).expect("a command");
        assert_eq!(words, ["clawos", "exec", "acme.x@1.0.0; sh", "count", r#"{"text":"it's; rm -rf"}"#]);
        let long = json!({ "text": "a".repeat(MAX_EXAMPLE_CHARS) });
        assert_eq!(call("acme.x", "count", &long), "clawos exec acme.x count @input.json");
    }
}
