//! `clawos quote`: what a licence or its use costs.

use clap::Args;
use clawos_client::api::skills::{Quote, QuoteRequest};

use crate::context::Context;
use crate::error::Result;
use crate::table;

/// Flags of `clawos quote`.
#[derive(Debug, Args)]
pub struct QuoteArgs {
    /// The skill, like acme.word-count.
    #[arg(value_name = "SKILL")]
    pub skill: String,
    /// How it is paid for [default: the first kind the skill offers].
    #[arg(long, value_parser = ["one_time", "subscription", "usage"])]
    pub kind: Option<String>,
    /// Who uses it.
    #[arg(long, default_value = "personal", value_parser = ["personal", "commercial", "enterprise"])]
    pub tier: String,
    /// Price this many units of usage.
    #[arg(long)]
    pub units: Option<u64>,
}

/// Asks for a price.
///
/// # Errors
/// Those of the server.
pub async fn run(args: &QuoteArgs, context: &Context) -> Result<()> {
    let ask = QuoteRequest { kind: args.kind.clone(), tier: Some(args.tier.clone()), units: args.units };
    let quote = context.public()?.quote(&args.skill, &ask).await?;
    context.out.result(&quote, || human(&quote))?;
    if !quote.registered {
        context.out.warn("this skill is not on chain yet, so it cannot be bought");
    } else if quote.purchasable {
        context.out.note(format!("next: clawos buy {} --kind {} --tier {}", quote.skill, quote.kind, quote.tier));
    } else if let Some(reason) = &quote.reason {
        context.out.warn(format!("it cannot be bought here: {reason}"));
    }
    Ok(())
}

fn human(quote: &Quote) -> String {
    let unit = quote.unit_kind.as_deref().unwrap_or("unit");
    table::fields(&[
        ("skill", Some(quote.skill.clone())),
        ("licence", Some(format!("{}, {}", quote.kind, quote.tier))),
        ("to pay now", Some(quote.price.to_string())),
        ("per use", quote.unit_price.as_ref().map(|price| format!("{price} per {unit}"))),
        ("total", quote.total.as_ref().map(ToString::to_string)),
        ("seller", Some(quote.seller_receives.to_string())),
        ("platform", Some(quote.fee.to_string())),
        ("account", quote.skill_account.clone()),
        ("meter", quote.meter.clone()),
    ])
}
