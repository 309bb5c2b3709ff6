//! `clawos verify licence`: reads the licence account, applies the program's access rule to it, and adds up its batches.

use clap::Args;
use clawos_client::key;
use clawos_interface::{Currency, pda};
use clawos_verifier::licence::{LicenceReport, verify};
use clawos_verifier::{Account, Conclusion};
use serde_json::json;

use super::{batches, concluded, human, verdict};
use crate::amount;
use crate::context::{Context, now_secs, rfc3339};
use crate::error::{CliError, Result};
use crate::listing::SkillArg;
use crate::table;

/// Flags of `clawos verify licence`.
#[derive(Debug, Args)]
pub struct LicenceArgs {
    /// The skill to check access to.
    #[command(flatten)]
    pub skill: SkillArg,
    /// The buyer's address [default: your wallet's].
    #[arg(value_name = "BUYER")]
    pub buyer: Option<String>,
    /// Check everything that was charged on it too: that the batches the server publishes add up to what the chain counts,
    /// and, for its buyer and seller, that signed receipts add up to the batches.
    #[arg(long)]
    pub batches: bool,
}

/// Checks a licence.
///
/// # Errors
/// [`CliError::Invalid`] when it gives no access; [`CliError::NotFound`] when there is none.
pub(super) async fn run(args: &LicenceArgs, context: &Context) -> Result<()> {
    let buyer = match &args.buyer {
        Some(address) => key::parse(address)?,
        None => context.wallet()?.key(),
    };
    let listing = args.skill.listing(context).await?;
    let (skill, currency) = (listing.address, listing.currency()?);
    let chain = context.chain();
    let (address, _) = pda::licence(&skill, &buyer);
    let found = chain.account(&address).await?;
    let account = found.value.as_ref().map(|account| Account {
        address,
        owner: account.owner,
        data: &account.data,
        slot: found.slot,
    });
    let now = chain.clock().await?.max(now_secs());
    let report = verify(&skill, &buyer, account.as_ref(), now);
    let mut value = json!(report);
    value["slot"] = json!(found.slot.to_string());
    value["skill"] = json!(args.skill.id);
    value["skill_account"] = json!(key::to_base58(&skill));
    value["creator"] = json!(key::to_base58(&listing.skill.creator));
    value["creator_named_by"] = json!(if args.skill.creator.is_some() { "caller" } else { "server" });
    let books = match &account {
        Some(account) if args.batches => Some(batches::check(context, &args.skill.id, account).await?),
        _ => None,
    };
    let conclusion = books.as_ref().map(|books| (books, Conclusion::of(books, true)));
    if let Some((books, conclusion)) = conclusion {
        let line = conclusion.line(books);
        value["batches"] = json!({ "verdict": conclusion, "conclusion": line, "checks": books.checks });
    }
    context.out.result(&value, || {
        let access = text(&report, args.skill.creator_of(&listing), currency, found.slot, context);
        match conclusion {
            Some((books, conclusion)) => format!("{access}\n{}", concluded(books, conclusion, context)),
            None => access,
        }
    })?;
    if report.reason == "missing" {
        return Err(CliError::NotFound(format!("{} has no licence for {}", key::to_base58(&buyer), args.skill.id)));
    }
    let mut checks = report.report;
    checks.checks.extend(books.into_iter().flat_map(|books| books.checks));
    verdict("the licence", &checks)
}

fn text(report: &LicenceReport, creator: String, currency: Currency, slot: u64, context: &Context) -> String {
    let details = report.details.as_ref();
    let expires =
        details.map(|details| if details.expires_at == 0 { "never".to_owned() } else { rfc3339(details.expires_at) });
    let fields = table::fields(&[
        ("licence", Some(key::to_base58(&report.licence))),
        ("creator", Some(creator)),
        ("access", Some(if report.valid { "yes".to_owned() } else { format!("no: {}", report.reason) })),
        ("kind", details.map(|details| format!("{}, {}", details.kind, details.tier))),
        ("expires", expires),
        (
            "units left",
            details.map(|details| details.units_left.map_or("unlimited".to_owned(), |units| units.to_string())),
        ),
        ("credit", details.map(|details| amount::money(details.credit, currency).to_string())),
        (
            "settled",
            details.map(|details| {
                let units = table::count(details.usage_total, "unit", "units");
                format!("{units} in {}", table::count(details.usage_seq, "batch", "batches"))
            }),
        ),
        ("at slot", Some(slot.to_string())),
    ]);
    format!("{fields}\n{}", human(&report.report, context))
}
