//! `clawos caps`: sets the buyer's own caps on usage, which the program enforces.

use clap::Args;
use clawos_interface::rules::usage::Caps;
use serde_json::json;

use crate::args::Fees;
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::listing::SkillArg;
use crate::table;

/// Flags of `clawos caps`. What is not named stays as it is.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("bounds").required(true).multiple(true))]
pub struct CapsArgs {
    /// The skill whose licence it is.
    #[command(flatten)]
    pub skill: SkillArg,
    /// The most units in total; 0 for no cap.
    #[arg(long, value_name = "UNITS", group = "bounds")]
    pub limit: Option<u64>,
    /// The most units in one settlement; 0 for no cap.
    #[arg(long, value_name = "UNITS", group = "bounds")]
    pub per_batch: Option<u64>,
    /// The most units in a day; 0 for no cap.
    #[arg(long, value_name = "UNITS", group = "bounds")]
    pub per_day: Option<u64>,
    /// Of the transaction.
    #[command(flatten)]
    pub fees: Fees,
}

/// Sets the caps that were given and keeps the others.
///
/// # Errors
/// When there is no licence.
pub async fn run(args: &CapsArgs, context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.paying_chain(args.fees);
    let skill = args.skill.listing(context).await?.address;
    let licence = chain.licence(&skill, &wallet.key()).await?.value;
    let licence = licence.ok_or_else(|| {
        CliError::NotFound(format!("this wallet has no licence for {}; buy one with `clawos buy`", args.skill.id))
    })?;
    let now = Caps::for_spending(&licence);
    let caps = Caps {
        usage_limit: args.limit.unwrap_or(now.usage_limit),
        max_units_per_batch: args.per_batch.unwrap_or(now.max_units_per_batch),
        max_units_per_day: args.per_day.unwrap_or(now.max_units_per_day),
    };
    let progress = context.out.progress("waiting for the chain");
    let confirmed = chain.set_licence_caps(&wallet, &skill, &caps).await?;
    drop(progress);
    let value = json!({
        "skill": args.skill.id,
        "caps": {
            "usage_limit": caps.usage_limit.to_string(),
            "max_units_per_batch": caps.max_units_per_batch.to_string(),
            "max_units_per_day": caps.max_units_per_day.to_string(),
        },
        "transaction": confirmed.signature,
        "slot": confirmed.slot.to_string(),
    });
    let shown = |units: u64| Some(if units == 0 { "none".to_owned() } else { units.to_string() });
    context.out.result(&value, || {
        table::fields(&[
            ("in total", shown(caps.usage_limit)),
            ("per batch", shown(caps.max_units_per_batch)),
            ("per day", shown(caps.max_units_per_day)),
            ("transaction", Some(confirmed.signature.clone())),
        ])
    })?;
    context.out.note("stricter caps apply to new calls at once; earlier calls are still settled");
    Ok(())
}
