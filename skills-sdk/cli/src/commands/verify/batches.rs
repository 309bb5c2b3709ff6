//! `clawos verify licence --batches`: everything that was charged on a licence, from its account's first root to its present
//! one, and what is in the batches where the caller may see it.

use std::collections::BTreeMap;

use clawos_client::api::receipts::LeafView;
use clawos_interface::Key;
use clawos_interface::accounts::Licence;
use clawos_receipts::SignedReceipt;
use clawos_receipts::merkle::Leaf;
use clawos_receipts::text::to_base58;
use clawos_verifier::batches::{self, PublishedBatch};
use clawos_verifier::leaves::{self, Contents, PublishedLeaf};
use clawos_verifier::{Account, Report};

use super::evidence::{fetch_batches, hash, receipt_keys};
use crate::context::Context;
use crate::error::{CliError, Result};

/// Why the batches' contents are not checked.
const NOT_ENTITLED: &str =
    "only the licence's buyer and seller may read what is in its batches: sign in as one of them";

/// What is in the batches.
#[derive(Default)]
struct Found {
    leaves: BTreeMap<u64, Vec<PublishedLeaf>>,
    receipts: Vec<SignedReceipt>,
}

/// Checks the batches of the licence of `skill` whose account was read.
///
/// # Errors
/// When the account is not a licence, or the server cannot be asked.
pub(super) async fn check(context: &Context, skill: &str, account: &Account<'_>) -> Result<Report> {
    let licence = account.licence().map_err(CliError::invalid)?;
    let (client, address) = (context.public()?, account.address);
    let progress = context.out.progress("reading what was charged");
    let published = fetch_batches(&client, address, &licence).await?;
    let found = contents(context, skill, address, &licence, &published).await?;
    let keys = receipt_keys(&client).await?;
    let genesis = context.chain().genesis().await?;
    drop(progress);
    let mut report = Report::default();
    batches::verify(&address, &licence, &published, &mut report);
    let contents = found.as_ref().map(|Found { leaves, receipts }| Contents { genesis, keys: &keys, leaves, receipts });
    leaves::verify(&address, &licence, &published, contents.as_ref().ok_or(NOT_ENTITLED), &mut report);
    Ok(report)
}

/// The leaves of the recorded batches and the licence's receipts; none when the caller may not see them.
async fn contents(
    context: &Context,
    skill: &str,
    address: Key,
    licence: &Licence,
    published: &[PublishedBatch],
) -> Result<Option<Found>> {
    let client = match context.signed_in().await {
        Ok(client) => client,
        Err(CliError::NotSignedIn(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut found = Found::default();
    for seq in published.iter().map(|each| each.batch.seq).filter(|seq| *seq <= licence.usage_seq()) {
        let batch = client.batch(&to_base58(&address), licence.created_slot(), seq).await?;
        let Some(leaves) = batch.leaves else { return Ok(None) };
        found.leaves.insert(seq, leaves.iter().map(convert_leaf).collect::<Result<_>>()?);
    }
    let wanted = found.leaves.values().flatten().map(|leaf| leaf.receipt.clone()).collect();
    found.receipts = client.receipts_of(skill, wanted).await?;
    Ok(Some(found))
}

fn convert_leaf(view: &LeafView) -> Result<PublishedLeaf> {
    let receipt_sha256 = hash("receipt_sha256", &view.receipt_sha256)?;
    Ok(PublishedLeaf {
        receipt: view.receipt.clone(),
        leaf: Leaf { units: view.units, amount: view.amount, receipt_sha256 },
    })
}
