//! `clawos show`: a skill's listing: endpoints, schemas, limits, prices, state on chain.

use clap::Args;
use clawos_client::api::market::ListingChain;
use clawos_client::api::skills::{EndpointView, LimitsView, SkillDetail};
use clawos_manifest::Prices;

use crate::amount;
use crate::context::Context;
use crate::error::Result;
use crate::table;

/// Flags of `clawos show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The skill, like acme.word-count.
    #[arg(value_name = "SKILL")]
    pub skill: String,
}

/// Shows a listing.
///
/// # Errors
/// `skill_not_found`.
pub async fn run(args: &ShowArgs, context: &Context) -> Result<()> {
    let detail = context.public()?.skill(&args.skill).await?;
    context.out.result(&detail, || human(&detail))?;
    Ok(())
}

fn human(detail: &SkillDetail) -> String {
    let chain = detail.chain.as_ref();
    let mut text = table::fields(&[
        ("skill", Some(format!("{} {}", detail.id, detail.latest_version))),
        ("summary", Some(detail.summary.clone())),
        ("category", Some(detail.category.clone())),
        ("tags", (!detail.tags.is_empty()).then(|| detail.tags.join(", "))),
        ("price", Some(detail.prices.as_ref().and_then(price_line).unwrap_or_else(|| "free".to_owned()))),
        ("on chain", Some(on_chain(chain))),
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
        text.push_str(&endpoint_text(endpoint));
    }
    text
}

fn on_chain(chain: Option<&ListingChain>) -> String {
    match chain.filter(|chain| chain.registered) {
        Some(chain) => chain.status.clone().unwrap_or_else(|| "registered".to_owned()),
        None => "not registered".to_owned(),
    }
}

fn endpoint_text(endpoint: &EndpointView) -> String {
    format!("\n{}  {}\n  input   {}\n  output  {}\n", endpoint.name, endpoint.summary, endpoint.input, endpoint.output)
}

fn limits(limits: &LimitsView) -> String {
    let LimitsView { fuel, memory_mib, wall_ms, output_kib } = limits;
    format!("{fuel} fuel, {memory_mib} MiB of memory, {wall_ms} ms, {output_kib} KiB of output")
}

/// A subscription's period in words: `hour`, `day`, `30 days`.
fn length(secs: u32) -> String {
    match secs {
        3_600 => "hour".to_owned(),
        86_400 => "day".to_owned(),
        _ => format!("{} days", f64::from(secs) / 86_400.0),
    }
}

/// `5 USDC once, 2 USDC per 30 days, 1 USDC per 1000-calls`.
fn price_line(prices: &Prices) -> Option<String> {
    let money = |amount| amount::money(amount, prices.currency);
    let once = prices.once.map(|amount| format!("{} once", money(amount)));
    let period = prices.period.as_ref().map(|period| format!("{} per {}", money(period.amount), length(period.secs)));
    let unit = prices.unit.as_ref().map(|unit| format!("{} per {}", money(unit.amount), unit.kind));
    let parts: Vec<String> = [once, period, unit].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
