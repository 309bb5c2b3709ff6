//! `clawos withdraw`: withdraws credit or closes a licence, in two steps, so that earlier calls can be settled in between.
//! On chain this is the licence's exit, of kind withdraw or close.

use clap::Subcommand;
use clawos_client::Wallet;
use clawos_client::key::to_base58;
use clawos_client::solana::purchase::Listing;
use clawos_client::solana::{Chain, actions};
use clawos_interface::accounts::Licence;
use clawos_interface::rules::exit::ready_at;
use clawos_interface::{Currency, ExitKind};
use serde_json::json;

use crate::amount;
use crate::args::Fees;
use crate::context::{Context, rfc3339};
use crate::error::{CliError, Result};
use crate::listing::SkillArg;
use crate::table;

/// The subcommands of `clawos withdraw`.
#[derive(Debug, Subcommand)]
pub enum WithdrawCommand {
    /// Ask for the credit back; calls are refused from now on.
    Request {
        /// The skill whose licence it is.
        #[command(flatten)]
        skill: SkillArg,
        /// Close the licence as well, and get its rent back.
        #[arg(long)]
        close: bool,
        /// Of the transaction.
        #[command(flatten)]
        fees: Fees,
    },
    /// Take what was asked for, once the delay has passed.
    Execute {
        /// The skill whose licence it is.
        #[command(flatten)]
        skill: SkillArg,
        /// Of the transaction.
        #[command(flatten)]
        fees: Fees,
    },
}

/// Runs a subcommand.
///
/// # Errors
/// When there is no licence, or the program refuses.
pub async fn run(command: &WithdrawCommand, context: &Context) -> Result<()> {
    match command {
        WithdrawCommand::Request { skill, close, fees } => {
            let kind = if *close { ExitKind::Close } else { ExitKind::Withdraw };
            request(skill, kind, &context.paying_chain(*fees), context).await
        }
        WithdrawCommand::Execute { skill, fees } => execute(skill, &context.paying_chain(*fees), context).await,
    }
}

async fn request(skill: &SkillArg, kind: ExitKind, chain: &Chain, context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let listing = skill.listing(context).await?;
    held(skill, &listing, &wallet, context).await?;
    let progress = context.out.progress("waiting for the chain");
    let confirmed = chain.request_exit(&wallet, &listing.address, kind).await?;
    let licence = chain.licence(&listing.address, &wallet.key()).await?.value;
    drop(progress);
    let ready = licence.and_then(|licence| ready_at(&licence, &listing.config).ok()).map(rfc3339);
    let value = json!({
        "skill": skill.id,
        "withdrawal": kind.as_str(),
        "ready_at": ready,
        "transaction": confirmed.signature,
        "slot": confirmed.slot.to_string(),
    });
    context.out.result(&value, || {
        table::fields(&[
            ("withdrawal", Some(kind.to_string())),
            ("ready at", ready.clone()),
            ("transaction", Some(confirmed.signature.clone())),
        ])
    })?;
    context.out.note(format!("next, once it is ready: clawos withdraw execute {}", skill.id));
    Ok(())
}

async fn execute(skill: &SkillArg, chain: &Chain, context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let listing = skill.listing(context).await?;
    let licence = held(skill, &listing, &wallet, context).await?;
    let credit = amount::money(licence.credit(), listing.currency()?);
    let costs = chain.rent_and_fees(&actions::exit(&wallet.key(), &listing, &licence)?, &[]).await?;
    chain.check_lamports(&wallet.key(), costs).await?;
    let more = amount::money(costs, Currency::Sol);
    context.out.note(format!("paying {more} for rent and fees"));
    let progress = context.out.progress("waiting for the chain");
    let confirmed = chain.execute_exit(&wallet, &listing, &licence).await?;
    let after = chain.licence(&listing.address, &wallet.key()).await?.value;
    drop(progress);
    let value = json!({
        "skill": skill.id,
        "licence": to_base58(&listing.route()?.licence(&wallet.key())),
        "credit_before": credit,
        "rent_and_fees": more,
        "closed": after.is_none(),
        "transaction": confirmed.signature,
        "slot": confirmed.slot.to_string(),
    });
    context.out.result(&value, || {
        table::fields(&[
            ("credit was", Some(credit.to_string())),
            ("rent and fees", Some(more.to_string())),
            ("licence", Some(if after.is_none() { "closed".to_owned() } else { "kept".to_owned() })),
            ("transaction", Some(confirmed.signature.clone())),
        ])
    })?;
    Ok(())
}

/// The wallet's licence of the skill.
async fn held(skill: &SkillArg, listing: &Listing, wallet: &Wallet, context: &Context) -> Result<Licence> {
    let found = context.chain().licence(&listing.address, &wallet.key()).await?.value;
    found.ok_or_else(|| CliError::NotFound(format!("this wallet has no licence for {}", skill.id)))
}
