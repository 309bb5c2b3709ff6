//! `clawos show`: a skill's listing: endpoints, schemas, limits, prices, state on chain.

use clap::Args;
use clawos_client::api::skills::{Endpoint, ListingChain, SkillDetail};
use clawos_manifest::Prices;
use serde_json::Value;

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
        ("price", Some(prices(&detail.prices))),
        ("on chain", Some(on_chain(chain))),
        ("account", chain.and_then(|chain| chain.skill_account.clone())),
        (
            "note",
            chain
                .filter(|chain| chain.terms_differ)
                .map(|_| "the prices on chain differ from the manifest's; the chain's count".to_owned()),
        ),
        ("limits", Some(detail.limits.to_string())),
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

fn endpoint_text(endpoint: &Endpoint) -> String {
    format!("\n{}  {}\n  input   {}\n  output  {}\n", endpoint.name, endpoint.summary, endpoint.input, endpoint.output)
}

/// The manifest's prices in a line.
fn prices(value: &Value) -> String {
    let Ok(Some(prices)) = serde_json::from_value::<Option<Prices>>(value.clone()) else { return value.to_string() };
    price_line(&prices).unwrap_or_else(|| "free".to_owned())
}

/// `5 USDC once, 2 USDC per 2592000 s, 1 USDC per 1000-calls`.
fn price_line(prices: &Prices) -> Option<String> {
    let money = |amount| amount::money(amount, prices.currency);
    let once = prices.once.map(|amount| format!("{} once", money(amount)));
    let period = prices
        .period
        .as_ref()
        .map(|period| format!("{} per {} days", money(period.amount), f64::from(period.secs) / 86_400.0));
    let unit = prices.unit.as_ref().map(|unit| format!("{} per {}", money(unit.amount), unit.kind));
    let parts: Vec<String> = [once, period, unit].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
