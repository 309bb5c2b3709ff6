//! `clawos renew`: pays the next period of a subscription, at the present price.

use clap::Args;
use clawos_client::solana::ChainError;
use clawos_interface::{Kind, Tier};

use crate::args::Fees;
use crate::commands::buy::{self, BuyArgs};
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::listing::SkillArg;

/// Flags of `clawos renew`.
#[derive(Debug, Args)]
pub struct RenewArgs {
    /// The skill whose subscription it is.
    #[command(flatten)]
    pub skill: SkillArg,
    /// The most to pay for the period, like "5 USDC".
    #[arg(long, value_name = "AMOUNT")]
    pub max_price: Option<String>,
    /// The key that may record usage and spend credit, if you trust another one than the marketplace's.
    #[arg(long, value_name = "KEY")]
    pub meter: Option<String>,
    /// Show the payment without signing anything.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation.
    #[arg(long, short)]
    pub yes: bool,
    /// Of the transaction.
    #[command(flatten)]
    pub fees: Fees,
}

/// Renews the subscription in its own tier and with its own caps; one that has ended begins anew.
///
/// # Errors
/// [`CliError::NotFound`] without a licence, [`CliError::Invalid`] for one that does not end; those of `clawos buy`.
pub async fn run(args: &RenewArgs, context: &Context) -> Result<()> {
    let id = &args.skill.id;
    let listing = args.skill.listing(context).await?;
    let licence = context.chain().licence(&listing.address, &context.wallet()?.key()).await?.value;
    let licence = licence.ok_or_else(|| {
        CliError::NotFound(format!("this wallet has no licence for {id}; `clawos buy {id}` buys one"))
    })?;
    if licence.kind != Kind::Subscription as u8 {
        return Err(CliError::invalid(format!(
            "the licence for {id} has no periods to pay; a usage licence gets credit with `clawos credit deposit {id} AMOUNT`"
        )));
    }
    let tier = Tier::try_from(licence.tier).map_err(ChainError::from)?;
    let purchase = BuyArgs {
        skill: args.skill.clone(),
        kind: Some(Kind::Subscription.to_string()),
        tier: tier.to_string(),
        max_price: args.max_price.clone(),
        meter: args.meter.clone(),
        limit: None,
        per_batch: None,
        per_day: None,
        dry_run: args.dry_run,
        yes: args.yes,
        fees: args.fees,
    };
    buy::run(&purchase, context).await
}
