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

/// Checks the batches against the licence account at `address`.
///
/// Read the account first and all batches afterwards: batches newer than the account are ignored, a missing one fails.
pub fn verify(address: &Key, licence: &Licence, batches: &[PublishedBatch], report: &mut Report) {
    let recorded: Vec<_> = batches.iter().filter(|each| each.batch.seq <= licence.usage_seq()).collect();
    report.add("batches", numbered(address, licence, &recorded));
    report.add("batch_roots", roots(&recorded));
    report.add("hash_chain", chain(address, licence, &recorded));
    report.add("totals", totals(licence, &recorded));
}

/// Every recorded batch is there, once and in order, and is this licence's.
fn numbered(address: &Key, licence: &Licence, batches: &[&PublishedBatch]) -> Finding {
    for (seq, published) in (1_u64..).zip(batches) {
        if published.batch.seq != seq {
            return Err(format!("batch {seq} is not published in its place: {} is there", published.batch.seq));
        }
        if published.batch.licence != *address {
            return Err(format!("batch {seq} is of another licence"));
        }
    }
    let count = u64::try_from(batches.len()).unwrap_or(u64::MAX);
    if count != licence.usage_seq() {
        return Err(format!("{count} batches are published where the chain has recorded {}", licence.usage_seq()));
    }
    Ok(format!("all {count} recorded batches are published"))
}

/// Every anchored root is the hash of the totals and tree it stands for.
fn roots(batches: &[&PublishedBatch]) -> Finding {
    for published in batches {
        let recomputed = published.batch.anchored_root();
        if recomputed != published.anchored_root {
            let (seq, wrong) = (published.batch.seq, to_hex(&published.anchored_root));
            return Err(format!(
                "the root of batch {seq} is {wrong}, its totals and tree give {}",
                to_hex(&recomputed)
            ));
        }
    }
    Ok(format!("{} anchored roots recomputed from totals and trees", batches.len()))
}

/// The roots lead, one after the other, from the account's first root to its present one.
fn chain(address: &Key, licence: &Licence, batches: &[&PublishedBatch]) -> Finding {
    let mut root = first_root(sha256, address, licence.created_slot());
    for published in batches {
        let seq = published.batch.seq;
        if published.prev_root != root {
            return Err(format!("batch {seq} says it follows {}, not {}", to_hex(&published.prev_root), to_hex(&root)));
        }
        // From the totals themselves, so that this holds whatever root is published next to them.
        root = next_root(sha256, &root, &published.batch.anchored_root());
        if published.chain_root != root {
            return Err(format!(
                "after batch {seq} the chain is at {}, not at {}",
                to_hex(&root),
                to_hex(&published.chain_root)
            ));
        }
    }
    equal("the batches lead to", to_hex(&root), to_hex(&licence.chain_root))
        .map(|evidence| format!("{evidence}, which is the root on chain"))
}

/// Units and amounts add up to what the account counts.
fn totals(licence: &Licence, batches: &[&PublishedBatch]) -> Finding {
    let sum = |part: fn(&Batch) -> u64| batches.iter().map(|each| u128::from(part(&each.batch))).sum::<u128>();
    let units = equal("units", sum(|batch| batch.units), licence.usage_total().into())?;
    let billed = u128::from(licence.billed_total()) + u128::from(licence.unbilled());
    let amount = equal("amount", sum(|batch| batch.amount), billed)?;
    Ok(format!("{units}, {amount} base units, as the account counts"))
}
