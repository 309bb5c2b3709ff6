//! `clawos receipts`: lists and fetches the signed receipts of earlier calls.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use clawos_api::Timestamp;
use clawos_client::Client;
use clawos_client::api::receipts::{BatchStatus, ReceiptAnswer, ReceiptsQuery, Settlement};
use clawos_receipts::SignedReceipt;

use crate::amount;
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::output::shell_word;
use crate::table;

/// The interval at which `--wait` asks for the receipt.
const POLL: Duration = Duration::from_millis(500);

/// The subcommands of `clawos receipts`.
#[derive(Debug, Subcommand)]
pub enum ReceiptsCommand {
    /// List your own receipts, newest first.
    List(ListArgs),
    /// Fetch one receipt, with its settlement proof once it has one; `clawos verify receipt` reads the output.
    Get {
        /// The receipt's id, run_….
        id: String,
        /// Wait up to this many seconds until it is settled on chain.
        #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(..=86_400))]
        wait: Option<u64>,
    },
}

/// Flags of `clawos receipts list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only receipts of this skill.
    #[arg(long)]
    pub skill: Option<String>,
    /// Only calls from this time on, RFC 3339 such as 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only calls before this time, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// The most receipts to show, 1 to 100.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: Option<u32>,
    /// Continue from the cursor that an earlier list printed.
    #[arg(long)]
    pub cursor: Option<String>,
}

/// Runs a subcommand.
///
/// # Errors
/// `receipt_not_found`, or no session.
pub async fn run(command: &ReceiptsCommand, context: &Context) -> Result<()> {
    let client = context.signed_in().await?;
    match command {
        ReceiptsCommand::List(args) => {
            let query = ReceiptsQuery {
                from: args.from.as_deref().map(time).transpose()?,
                to: args.to.as_deref().map(time).transpose()?,
                skill: args.skill.clone(),
                limit: args.limit,
                cursor: args.cursor.clone(),
            };
            let page = client.receipts(&query).await?;
            context.out.result(&page, || {
                table::columns(
                    &["receipt", "skill", "endpoint", "outcome", "fuel", "amount"],
                    &page.items.iter().map(row).collect::<Vec<_>>(),
                )
            })?;
            if let Some(cursor) = &page.next_cursor {
                context.out.note(format!("more: add --cursor {}", shell_word(cursor)));
            }
        }
        ReceiptsCommand::Get { id, wait } => {
            let answer = match wait {
                Some(secs) => wait_for(&client, id, Duration::from_secs(*secs), context).await?,
                None => client.receipt(id).await?,
            };
            // For people too it is JSON: it is evidence, and meant to be saved.
            context
                .out
                .result(&answer, || serde_json::to_string_pretty(&answer).expect("receipts have string keys only"))?;
            let state = match (answer.anchor, never_settled(answer.settlement)) {
                (Some(anchor), _) => format!("{} in batch {}", anchor.status.as_str(), anchor.seq),
                (None, Some(why)) => why.to_owned(),
                (None, None) => "not settled yet".to_owned(),
            };
            context.out.note(state);
        }
    }
    Ok(())
}

/// Asks again until the receipt's batch is confirmed.
async fn wait_for(client: &Client, id: &str, at_most: Duration, context: &Context) -> Result<ReceiptAnswer> {
    let started = Instant::now();
    let _progress = context.out.progress("waiting for the settlement");
    loop {
        let answer = client.receipt(id).await?;
        if let Some(why) = never_settled(answer.settlement) {
            return Err(CliError::invalid(format!("{id} is never settled on chain: {why}")));
        }
        if answer.anchor.as_ref().is_some_and(|anchor| anchor.status == BatchStatus::Confirmed) {
            return Ok(answer);
        }
        if started.elapsed() >= at_most {
            return Err(CliError::TimedOut(format!(
                "{id} is not settled after {} s; wait longer, or ask again later",
                at_most.as_secs()
            )));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Why a receipt will never be in a batch, if so.
fn never_settled(settlement: Settlement) -> Option<&'static str> {
    match settlement {
        Settlement::Pending | Settlement::Batched => None,
        Settlement::None => Some("the call was free or failed"),
        Settlement::Waived => Some("it was waived, nothing is charged for it"),
        Settlement::SetAside => Some("what the server has stored is not what was signed, so nothing is charged for it"),
    }
}

/// A time as people and the API write it.
fn time(text: &str) -> Result<Timestamp> {
    serde_json::from_value(text.into())
        .map_err(|error| CliError::invalid(format!("`{text}` is not a time: it {error}")))
}

/// One line of the list.
fn row(signed: &SignedReceipt) -> Vec<String> {
    let receipt = &signed.receipt;
    let amount =
        receipt.currency.map_or("free".to_owned(), |currency| amount::money(receipt.amount, currency).to_string());
    let (id, skill, endpoint) = (receipt.id.clone(), receipt.skill.clone(), receipt.endpoint.clone());
    vec![id, skill, endpoint, receipt.outcome.as_str().to_owned(), receipt.fuel.to_string(), amount]
}
