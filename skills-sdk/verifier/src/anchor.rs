//! A receipt's place on chain: the batch it is in, and that this batch is one of those that lead to the licence's root.

use clawos_interface::accounts::Licence;
use clawos_receipts::Receipt;
use clawos_receipts::batch::Batch;
use clawos_receipts::merkle::{Step, verify_path};
use clawos_receipts::text::to_hex;

use crate::account::shown;
use crate::batches::PublishedBatch;
use crate::generation::{EARLIER_OPENING, Generation};
use crate::report::{Finding, Report, Verdict, equal};

/// Where a receipt is said to be anchored.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// The batch it is in.
    pub batch: Batch,
    /// The batch's root as the chain was told it.
    pub anchored_root: [u8; 32],
    /// From the receipt's leaf to the batch's tree root.
    pub path: Vec<Step>,
}

/// What is known of a receipt's place on chain.
#[derive(Debug, Clone)]
pub enum Placement {
    /// It is said to be in this batch.
    InBatch(Anchor),
    /// The server says that it is not in a batch yet.
    Pending,
    /// The server says that it will never be charged, and why.
    NeverCharged(&'static str),
    /// Nobody said, and why.
    Unknown(String),
}

impl Placement {
    /// The anchor, where there is one.
    pub fn anchor(&self) -> Option<&Anchor> {
        match self {
            Self::InBatch(anchor) => Some(anchor),
            _ => None,
        }
    }
}

/// Whether a receipt that is in no batch will never be in one.
pub fn is_final(receipt: &Receipt, placement: &Placement) -> bool {
    match placement {
        Placement::InBatch(_) => false,
        Placement::NeverCharged(_) => true,
        Placement::Pending | Placement::Unknown(_) => !is_settled(receipt),
    }
}

/// Whether the report shows that the receipt is in a batch that stands on chain.
pub fn is_anchored(report: &Report) -> bool {
    report.check(ANCHORED).is_some_and(|check| check.verdict == Verdict::Ok)
}

/// The check that the batch is one of those on chain.
const ANCHORED: &str = "anchored";

/// Whether calls like this one are ever put in a batch.
pub(crate) fn is_settled(receipt: &Receipt) -> bool {
    receipt.licence.is_some() && receipt.units > 0
}

/// The receipt is in the batch, the batch's root is the hash of its totals, and the batch is on chain.
pub(crate) fn check(
    receipt: &Receipt,
    placement: &Placement,
    batches: Option<&[PublishedBatch]>,
    licence: Option<&Licence>,
    generation: Generation,
    report: &mut Report,
) {
    let anchor = match placement {
        Placement::InBatch(anchor) => anchor,
        _ if !is_settled(receipt) => {
            return report.not_applicable("anchor", "free and failed calls are never put in a batch");
        }
        Placement::Pending => {
            return report.skip("anchor", "the server says that the receipt is not in a batch yet: ask again later");
        }
        Placement::NeverCharged(why) => {
            return report.skip("anchor", format!("the server says that the receipt will never be charged: {why}"));
        }
        Placement::Unknown(why) => {
            return report.skip("anchor", format!("whether the receipt is in a batch is not known: {why}"));
        }
    };
    let batch = &anchor.batch;
    report.add("anchor", in_batch(receipt, anchor));
    let root = to_hex(&anchor.anchored_root);
    report.add("anchored_root", equal("the batch's root", root, to_hex(&batch.anchored_root())));
    if generation == Generation::EarlierOpening {
        report.skip(ANCHORED, EARLIER_OPENING);
    } else if !licence.is_some_and(|licence| is_recorded(licence, anchor)) {
        report.skip(ANCHORED, format!("batch {} is not on chain at the account's slot: ask again later", batch.seq));
    } else {
        match batches {
            None => report.skip(ANCHORED, "needs all published batches"),
            Some(batches) if is_published(batches, anchor) => {
                report.add(ANCHORED, Ok(format!("batch {} is one of those that lead to the root on chain", batch.seq)));
            }
            Some(_) => report
                .add(ANCHORED, Err(format!("batch {} of the proof is not the one published for the chain", batch.seq))),
        }
    }
}

/// Whether the account has recorded as many batches.
pub(crate) fn is_recorded(licence: &Licence, anchor: &Anchor) -> bool {
    anchor.batch.seq <= licence.usage_seq()
}

/// Whether the batch is one of those that the account's hash chain is compared with.
pub(crate) fn is_published(batches: &[PublishedBatch], anchor: &Anchor) -> bool {
    batches.iter().any(|each| each.batch == anchor.batch && each.anchored_root == anchor.anchored_root)
}

pub(crate) fn in_batch(receipt: &Receipt, anchor: &Anchor) -> Finding {
    let batch = &anchor.batch;
    let licence = receipt.licence.map_or_else(|| "none".to_owned(), |key| shown(&key));
    equal("the batch's licence", shown(&batch.licence), licence)?;
    if receipt.units > batch.units || receipt.amount > batch.amount || batch.count == 0 {
        return Err(format!(
            "the batch bills {} units for {}, less than this receipt alone",
            batch.units, batch.amount
        ));
    }
    // Alone in its batch, it is all that the batch may bill.
    if batch.count == 1 {
        equal("units of a batch of one receipt", batch.units, receipt.units)?;
        equal("amount of a batch of one receipt", batch.amount, receipt.amount)?;
    }
    let leaf = receipt.leaf_hash();
    if !verify_path(leaf, &anchor.path, batch.tree_root) {
        return Err(format!("leaf {} does not lead to the batch's tree {}", to_hex(&leaf), to_hex(&batch.tree_root)));
    }
    Ok(format!("leaf {} is in batch {}, tree {}", to_hex(&leaf), batch.seq, to_hex(&batch.tree_root)))
}
