//! `clawos caps`: sets the buyer's own caps on usage, which the program enforces.

use clap::Args;
use clawos_client::api::market::CapsRequest;
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
    let caps = changed(Caps::for_spending(&licence), args.limit, args.per_batch, args.per_day);
    let progress = context.out.progress("waiting for the chain");
    let confirmed = chain.set_licence_caps(&wallet, &skill, &caps).await?;
    drop(progress);
    let value = json!({
        "skill": args.skill.id,
        "caps": view(&caps),
        "transaction": confirmed.signature,
        "slot": confirmed.slot.to_string(),
    });
    context.out.result(&value, || {
        table::fields(&[
            ("in total", Some(shown(caps.usage_limit))),
            ("per batch", Some(shown(caps.max_units_per_batch))),
            ("per day", Some(shown(caps.max_units_per_day))),
            ("transaction", Some(confirmed.signature.clone())),
        ])
    })?;
    context.out.note("stricter caps apply to new calls at once; earlier calls are still settled");
    Ok(())
}

/// The caps `now`, with those that were named in place of them.
pub(super) fn changed(now: Caps, limit: Option<u64>, per_batch: Option<u64>, per_day: Option<u64>) -> Caps {
    Caps {
        usage_limit: limit.unwrap_or(now.usage_limit),
        max_units_per_batch: per_batch.unwrap_or(now.max_units_per_batch),
        max_units_per_day: per_day.unwrap_or(now.max_units_per_day),
    }
}

/// Caps as the API writes them.
pub(super) fn view(caps: &Caps) -> CapsRequest {
    let Caps { usage_limit, max_units_per_batch, max_units_per_day } = *caps;
    CapsRequest { usage_limit, max_units_per_batch, max_units_per_day }
}

/// Caps in one line.
pub(super) fn line(caps: &Caps) -> String {
    let Caps { usage_limit, max_units_per_batch, max_units_per_day } = *caps;
    format!(
        "{} in total, {} per batch, {} per day",
        shown(usage_limit),
        shown(max_units_per_batch),
        shown(max_units_per_day)
    )
}

fn shown(units: u64) -> String {
    if units == 0 { "none".to_owned() } else { units.to_string() }
}
