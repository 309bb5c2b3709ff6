//! `clawos quote`: shows what a licence or its use costs.

use clap::Args;
use clawos_client::api::market::{Quote, QuoteQuery};

use crate::args::{kinds, tiers};
use crate::context::Context;
use crate::error::Result;
use crate::table;

/// Flags of `clawos quote`.
#[derive(Debug, Args)]
pub struct QuoteArgs {
    /// The skill, like acme.word-count.
    #[arg(value_name = "SKILL")]
    pub skill: String,
    /// The kind of licence [default: the first kind the skill offers].
    #[arg(long, value_parser = kinds())]
    pub kind: Option<String>,
    /// The tier of the licence: who will use the skill.
    #[arg(long, default_value = "personal", value_parser = tiers())]
    pub tier: String,
    /// Also price this many units of usage.
    #[arg(long)]
    pub units: Option<u64>,
}

/// Prints a quote.
///
/// # Errors
/// Those of the server.
pub async fn run(args: &QuoteArgs, context: &Context) -> Result<()> {
    let query = QuoteQuery { kind: args.kind.clone(), tier: Some(args.tier.clone()), units: args.units.unwrap_or(0) };
    let quote = context.public()?.quote(&args.skill, &query).await?;
    context.out.result(&quote, || human(&quote))?;
    if !quote.registered {
        context
            .out
            .warn("this skill is not registered on chain, so no licence can be bought (a free skill needs none)");
    } else if quote.purchasable {
        context.out.note(format!("next: clawos buy {} --kind {} --tier {}", quote.skill, quote.kind, quote.tier));
    } else if let Some(reason) = &quote.reason {
        context.out.warn(format!("no licence can be bought here: {reason}"));
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
        ("total", Some(quote.total.to_string())),
        ("seller", Some(quote.seller_receives.to_string())),
        ("platform", Some(quote.fee.to_string())),
        ("account", Some(quote.skill_account.clone())),
        ("meter", Some(quote.meter.clone())),
    ])
}
