//! `clawos exit`: withdraws credit or closes a licence, in two steps, so that earlier calls can be settled in between.

use clap::{Subcommand, ValueEnum};
use clawos_client::Wallet;
use clawos_client::key::to_base58;
use clawos_client::solana::purchase::Listing;
use clawos_interface::ExitKind;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::exit::ready_at;
use serde_json::json;

use crate::amount;
use crate::context::{Context, rfc3339};
use crate::error::{CliError, Result};
use crate::listing::SkillArg;
use crate::table;

/// The subcommands of `clawos exit`.
#[derive(Debug, Subcommand)]
pub enum ExitCommand {
    /// Request an exit; calls are refused from now on.
    Request {
        /// The skill whose licence it is.
        #[command(flatten)]
        skill: SkillArg,
        /// The action to request.
        kind: Way,
    },
    /// Execute the requested exit, once its delay has passed.
    Execute {
        /// The skill whose licence it is.
        #[command(flatten)]
        skill: SkillArg,
    },
}

/// What an exit does.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Way {
    /// Withdraw the credit and keep the licence.
    Withdraw,
    /// Withdraw credit and rent, and close the licence.
    Close,
}

/// Runs a subcommand.
///
/// # Errors
/// When there is no licence, or the program refuses.
pub async fn run(command: &ExitCommand, context: &Context) -> Result<()> {
    match command {
        ExitCommand::Request { skill, kind } => request(skill, *kind, context).await,
        ExitCommand::Execute { skill } => execute(skill, context).await,
    }
}

async fn request(skill: &SkillArg, way: Way, context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain();
    let listing = skill.listing(context).await?;
    held(skill, &listing, &wallet, context).await?;
    let kind = match way {
        Way::Withdraw => ExitKind::Withdraw,
        Way::Close => ExitKind::Close,
    };
    let progress = context.out.progress("waiting for the chain");
    let confirmed = chain.request_exit(&wallet, &listing.address, kind).await?;
    let licence = chain.licence(&listing.address, &wallet.key()).await?.value;
    drop(progress);
    let ready = licence.and_then(|licence| ready_at(&licence, &listing.config).ok()).map(rfc3339);
    let value = json!({
        "skill": skill.id,
        "exit": kind.as_str(),
        "ready_at": ready,
        "transaction": confirmed.signature,
        "slot": confirmed.slot.to_string(),
    });
    context.out.result(&value, || {
        table::fields(&[
            ("exit", Some(kind.to_string())),
            ("ready at", ready.clone()),
            ("transaction", Some(confirmed.signature.clone())),
        ])
    })?;
    context.out.note(format!("next, once it is ready: clawos exit execute {}", skill.id));
    Ok(())
}

async fn execute(skill: &SkillArg, context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain();
    let listing = skill.listing(context).await?;
    let licence = held(skill, &listing, &wallet, context).await?;
    let credit = amount::money(licence.credit(), listing.currency()?);
    let progress = context.out.progress("waiting for the chain");
    let confirmed = chain.execute_exit(&wallet, &listing, &licence).await?;
    let after = chain.licence(&listing.address, &wallet.key()).await?.value;
    drop(progress);
    let value = json!({
        "skill": skill.id,
        "licence": to_base58(&listing.route()?.licence(&wallet.key())),
        "credit_before": credit,
        "closed": after.is_none(),
        "transaction": confirmed.signature,
        "slot": confirmed.slot.to_string(),
    });
    context.out.result(&value, || {
        table::fields(&[
            ("credit was", Some(credit.to_string())),
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
