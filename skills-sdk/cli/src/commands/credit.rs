//! `clawos credit`: the prepaid balance of a usage licence.

use clap::{Args, Subcommand};
use clawos_client::key::{self, to_base58};
use clawos_interface::Currency;
use serde_json::json;

use crate::amount;
use crate::args::Fees;
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::listing::SkillArg;
use crate::table;

/// The subcommands of `clawos credit`.
#[derive(Debug, Subcommand)]
pub enum CreditCommand {
    /// Deposit credit; unpaid usage is paid from it first.
    Deposit(DepositArgs),
}

/// Flags of `clawos credit deposit`.
#[derive(Debug, Args)]
pub struct DepositArgs {
    /// The skill whose usage licence it is.
    #[command(flatten)]
    pub skill: SkillArg,
    /// How much, in the skill's currency, like 5 or "5 USDC".
    pub amount: String,
    /// The key that may record usage and spend the credit, if you trust another one than the marketplace's.
    #[arg(long, value_name = "KEY")]
    pub meter: Option<String>,
    /// Show the deposit and what it costs, without signing anything.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation.
    #[arg(long, short)]
    pub yes: bool,
    /// Of the transaction.
    #[command(flatten)]
    pub fees: Fees,
}

/// Runs a subcommand.
///
/// # Errors
/// When there is no usage licence, or not enough money.
pub async fn run(command: &CreditCommand, context: &Context) -> Result<()> {
    match command {
        CreditCommand::Deposit(args) => deposit(args, context).await,
    }
}

async fn deposit(args: &DepositArgs, context: &Context) -> Result<()> {
    let id = &args.skill.id;
    let wallet = context.wallet()?;
    let chain = context.paying_chain(args.fees);
    let listing = args.skill.listing(context).await?;
    let currency = listing.currency()?;
    let units = amount::parse(&args.amount, currency)?;
    if units == 0 {
        return Err(CliError::Usage("the amount must be more than 0".to_owned()));
    }
    let licence = listing.route()?.licence(&wallet.key());
    let before = chain.licence_at(&licence).await?.value.ok_or_else(|| {
        CliError::NotFound(format!("this wallet has no licence for {id}; buy one with `clawos buy {id} --kind usage`"))
    })?;
    let meter = args.meter.as_deref().map(key::parse).transpose()?;
    let assembled = listing.deposit(&wallet.key(), &before, units, meter.as_ref())?;
    let deposit = amount::money(units, currency);
    let costs = chain.rent_and_fees(&assembled.instructions, &[]).await?;
    let more = amount::money(costs, Currency::Sol);
    let (mut after, mut confirmed) = (before, None);
    if !args.dry_run {
        let deposited = if currency == Currency::Sol { units } else { 0 };
        chain.check_lamports(&wallet.key(), deposited.saturating_add(costs)).await?;
        context.out.confirm(&format!("deposit {deposit} for {id} (and pay {more} for rent and fees)?"), args.yes)?;
        let _progress = context.out.progress("waiting for the chain");
        confirmed = Some(chain.send(&wallet, &assembled.instructions).await?);
        after = chain.licence_at(&licence).await?.value.unwrap_or(before);
    }
    let credit = amount::money(after.credit(), currency);
    let transaction = confirmed.as_ref().map(|confirmed| confirmed.signature.clone());
    let value = json!({
        "skill": id,
        "licence": to_base58(&licence),
        "meter": to_base58(&before.meter),
        "deposit": deposit,
        "rent_and_fees": more,
        "credit_before": amount::money(before.credit(), currency),
        "unbilled_before": amount::money(before.unbilled(), currency),
        "credit": credit,
        "unbilled": amount::money(after.unbilled(), currency),
        "transaction": transaction,
        "slot": confirmed.as_ref().map(|confirmed| confirmed.slot.to_string()),
        "dry_run": args.dry_run,
    });
    context.out.result(&value, || {
        table::fields(&[
            ("licence", Some(to_base58(&licence))),
            (if args.dry_run { "to deposit" } else { "deposited" }, Some(deposit.to_string())),
            ("rent and fees", Some(more.to_string())),
            ("credit", Some(credit.to_string())),
            ("transaction", transaction),
        ])
    })?;
    Ok(())
}
