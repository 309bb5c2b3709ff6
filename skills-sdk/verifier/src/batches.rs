//! The published batches of a licence against its account: roots recomputed, hash chain walked, totals added up.

use clawos_interface::accounts::Licence;
use clawos_interface::rules::usage::{first_root, next_root};
use clawos_interface::{Key, sha256};
use clawos_receipts::batch::Batch;
use clawos_receipts::text::to_hex;

use crate::report::{Finding, Report, equal};

/// A batch as the server publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedBatch {
    /// Its totals and the root of its tree.
    pub batch: Batch,
    /// The chain's root before it.
    pub prev_root: [u8; 32],
    /// The root told to the chain.
    pub anchored_root: [u8; 32],
    /// The chain's root after it.
    pub chain_root: [u8; 32],
}

/// Checks the batches against the licence account at `address`; every mismatch is named.
///
/// Read the account first and all batches afterwards: batches newer than the account are ignored, a missing one fails.
pub fn verify(address: &Key, licence: &Licence, batches: &[PublishedBatch], report: &mut Report) {
    let recorded: Vec<_> = recorded(licence, batches).collect();
    let count = recorded.len();
    report.add_all("batches", misnumbered(address, licence, &recorded), || {
        format!("all {count} recorded batches are published")
    });
    report.add_all("batch_roots", wrong_roots(&recorded), || {
        format!("{count} anchored roots recomputed from totals and trees")
    });
    let (root, breaks) = walk(address, licence, &recorded);
    report
        .add_all("hash_chain", breaks, || format!("the batches lead to {}, which is the root on chain", to_hex(&root)));
    report.add("totals", totals(licence, &recorded));
}

/// The batches that the account has recorded.
pub(crate) fn recorded<'a>(
    licence: &Licence,
    batches: &'a [PublishedBatch],
) -> impl Iterator<Item = &'a PublishedBatch> {
    let last = licence.usage_seq();
    batches.iter().filter(move |each| each.batch.seq <= last)
}

/// Every recorded batch is there, once and in order, and is this licence's.
fn misnumbered(address: &Key, licence: &Licence, batches: &[&PublishedBatch]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (seq, published) in (1_u64..).zip(batches) {
        if published.batch.seq != seq {
            wrong.push(format!("batch {seq} is not published in its place: {} is there", published.batch.seq));
        }
        if published.batch.licence != *address {
            wrong.push(format!("batch {seq} is of another licence"));
        }
    }
    let count = u64::try_from(batches.len()).unwrap_or(u64::MAX);
    if count != licence.usage_seq() {
        wrong.push(format!("{count} batches are published where the chain has recorded {}", licence.usage_seq()));
    }
    wrong
}

/// Every anchored root is the hash of the totals and tree it stands for.
fn wrong_roots(batches: &[&PublishedBatch]) -> Vec<String> {
    let wrong = batches.iter().filter(|published| published.batch.anchored_root() != published.anchored_root);
    wrong
        .map(|published| {
            let (published_root, recomputed) = (published.anchored_root, published.batch.anchored_root());
            let (seq, root) = (published.batch.seq, to_hex(&published_root));
            format!("the root of batch {seq} is {root}, its totals and tree give {}", to_hex(&recomputed))
        })
        .collect()
}

/// Walks the roots, one after the other, from the account's first root to its present one: where that leads, and where
/// it breaks.
fn walk(address: &Key, licence: &Licence, batches: &[&PublishedBatch]) -> ([u8; 32], Vec<String>) {
    let mut root = first_root(sha256, address, licence.created_slot());
    let mut breaks = Vec::new();
    for published in batches {
        let seq = published.batch.seq;
        if published.prev_root != root {
            let said = to_hex(&published.prev_root);
            breaks.push(format!("batch {seq} says it follows {said}, not {}", to_hex(&root)));
        }
        // From the totals themselves, so that this holds whatever root is published next to them.
        root = next_root(sha256, &root, &published.batch.anchored_root());
        if published.chain_root != root {
            let said = to_hex(&published.chain_root);
            breaks.push(format!("after batch {seq} the chain is at {}, not at {said}", to_hex(&root)));
        }
    }
    if root != licence.chain_root {
        let on_chain = to_hex(&licence.chain_root);
        breaks.push(format!("the batches lead to {}, the root on chain is {on_chain}", to_hex(&root)));
    }
    (root, breaks)
}

/// Units and amounts add up to what the account counts.
fn totals(licence: &Licence, batches: &[&PublishedBatch]) -> Finding {
    let sum = |part: fn(&Batch) -> u64| batches.iter().map(|each| u128::from(part(&each.batch))).sum::<u128>();
    let units = equal("the batches' units", sum(|batch| batch.units), licence.usage_total().into())?;
    let billed = u128::from(licence.billed_total()) + u128::from(licence.unbilled());
    let amount = equal("their amount", sum(|batch| batch.amount), billed)?;
    Ok(format!("{units}, {amount} base units, as the account counts"))
}
