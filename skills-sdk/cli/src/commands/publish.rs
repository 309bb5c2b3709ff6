//! `clawos publish`: uploads a version signed by the wallet, then registers or updates its price on chain.

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use clawos_client::api::skills::{Publication, PublishReport};
use clawos_client::key::{self, to_base58};
use clawos_client::solana::Chain;
use clawos_client::{Client, Wallet};
use clawos_receipts::statement::VersionStatement;
use serde::Serialize;

use crate::args::Fees;
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::project::Project;
use crate::registration::{Action, Registration, RegistrationReport};
use crate::table;

/// Flags of `clawos publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The skill's folder, where `skill.toml` is.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// Let the server check everything and show the cost of registering, without changing anything.
    #[arg(long)]
    pub dry_run: bool,
    /// Publish the artifact as it is, without building it first.
    #[arg(long)]
    pub no_build: bool,
    /// Publish only; do not register or update the price on chain.
    #[arg(long, conflicts_with = "register_only")]
    pub no_register: bool,
    /// Only register or update the price on chain, for a version that is published already.
    #[arg(long)]
    pub register_only: bool,
    /// The address that receives payments [default: the present one; for a new skill, your wallet].
    #[arg(long, value_name = "ADDRESS")]
    pub payout: Option<String>,
    /// Do not ask for confirmation before the terms on chain change.
    #[arg(long, short)]
    pub yes: bool,
    /// Of the transaction with the price.
    #[command(flatten)]
    pub fees: Fees,
}

/// The result as it is printed.
#[derive(Debug, Serialize)]
struct Published {
    dry_run: bool,
    /// None with `--register-only`.
    published: Option<PublishReport>,
    /// None for a free skill, and with `--no-register`.
    registration: Option<RegistrationReport>,
}

/// Publishes.
///
/// # Errors
/// What the server finds wrong, and what the program refuses.
pub async fn run(args: &PublishArgs, context: &Context) -> Result<()> {
    let project = Project::open(&args.folder)?;
    let wallet = context.wallet()?;
    let chain = context.paying_chain(args.fees);
    let plan = plan(args, &project, &wallet, &chain, context).await?;
    let published = if args.register_only { None } else { Some(upload(args, &project, &wallet, context).await?) };
    let registration = match &plan {
        None => None,
        Some(plan) if args.dry_run => Some(plan.report(None)),
        Some(plan) => {
            let progress = context.out.progress("waiting for the chain");
            let sent = plan.send(&chain, &wallet, project.id()).await;
            drop(progress);
            let confirmed = sent.map_err(|error| match error {
                CliError::Client(error) if published.is_some() => CliError::Unregistered(error),
                other => other,
            });
            Some(plan.report(confirmed?.as_ref()))
        }
    };
    let done = Published { dry_run: args.dry_run, published, registration };
    context.out.result(&done, || human(&done))?;
    for warning in done.published.iter().flat_map(|report| &report.warnings) {
        context.out.warn(warning);
    }
    if args.dry_run {
        context.out.note("dry run: nothing was published or registered");
        // A report was printed, and a script must not take it for leave to publish.
        return plan.map_or(Ok(()), |plan| check_funds(args, &plan));
    }
    Ok(())
}

/// The change on chain; none for a free skill. It is affordable and confirmed before anything is published.
async fn plan(
    args: &PublishArgs,
    project: &Project,
    wallet: &Wallet,
    chain: &Chain,
    context: &Context,
) -> Result<Option<Registration>> {
    let Some(prices) = project.manifest.prices.as_ref().filter(|_| !args.no_register) else { return Ok(None) };
    let payout = args.payout.as_deref().map(key::parse).transpose()?;
    let plan = Registration::plan(chain, &wallet.key(), project.id(), prices, payout).await?;
    if !args.dry_run {
        check_funds(args, &plan)?;
    }
    plan.confirm(project.id(), args.yes || args.dry_run, context)?;
    Ok(Some(plan))
}

/// Checks that the wallet can pay for the change on chain.
fn check_funds(args: &PublishArgs, plan: &Registration) -> Result<()> {
    match plan.lacking() {
        None => Ok(()),
        Some(lacking) if args.register_only => Err(lacking.into()),
        Some(lacking) => Err(CliError::Unaffordable(lacking)),
    }
}

async fn upload(args: &PublishArgs, project: &Project, wallet: &Wallet, context: &Context) -> Result<PublishReport> {
    let artifact = project.build_and_read(!args.no_build, context).await?;
    let client = context.signed_in().await?;
    let statement = VersionStatement {
        skill: project.id().to_owned(),
        version: project.manifest.skill.version.to_string(),
        module_sha256: clawos_receipts::sha256(&artifact),
        manifest_sha256: project.manifest_sha256,
    };
    let publication = publication(project, artifact, sign(&statement, wallet)?)?;
    let progress = context.out.progress(format!("publishing {} {}", statement.skill, statement.version));
    let report = client.publish(existing(&client, project).await?, &publication, args.dry_run).await?;
    drop(progress);
    let ours = (hex::encode(statement.module_sha256), hex::encode(statement.manifest_sha256));
    if (&report.module_sha256, &report.manifest_sha256) != (&ours.0, &ours.1) {
        return Err(CliError::invalid(
            "the server reports different hashes from the signed ones; do not trust this listing",
        ));
    }
    Ok(report)
}

fn sign(statement: &VersionStatement, wallet: &Wallet) -> Result<String> {
    let signature = statement.sign(wallet.signing_key()).map_err(|error| CliError::invalid(error.to_string()))?;
    Ok(to_base58(&signature))
}

fn publication(project: &Project, artifact: Bytes, signature: String) -> Result<Publication> {
    Ok(Publication {
        manifest: project.text.clone(),
        artifact,
        files: project.files.clone(),
        readme: project.readme()?,
        signature: Some(signature),
    })
}

/// The skill's id when the server has a version of it already.
async fn existing<'a>(client: &Client, project: &'a Project) -> Result<Option<&'a str>> {
    match client.skill(project.id()).await {
        Ok(_) => Ok(Some(project.id())),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn human(done: &Published) -> String {
    let (report, registration) = (done.published.as_ref(), done.registration.as_ref());
    let on_chain = match registration.map(|registration| registration.action) {
        Some(Action::None) => "up to date",
        Some(action) => action.as_str(),
        None => "nothing to do",
    };
    table::fields(&[
        ("skill", report.map(|report| format!("{} {}", report.skill, report.version))),
        ("module", report.map(|report| format!("{} ({} bytes)", report.module_sha256, report.size))),
        ("manifest", report.map(|report| report.manifest_sha256.clone())),
        (
            "examples",
            report.map(|report| {
                format!("{} ran and matched", report.examples.iter().filter(|example| example.ok).count())
            }),
        ),
        ("on chain", Some(on_chain.to_owned())),
        ("rent and fees", registration.map(|registration| registration.cost.to_string())),
        ("account", registration.map(|registration| registration.skill_account.clone())),
        ("transaction", registration.and_then(|registration| registration.transaction.clone())),
    ])
}
