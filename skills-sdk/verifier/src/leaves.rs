//! What is in a licence's batches: leaves that add up to each batch's totals and root, and a signed receipt for each leaf.
//!
//! Only the licence's buyer and seller may read leaves. With them an operator who anchored more than was signed for is
//! caught: totals above the sum of the leaves, a leaf without a receipt, a receipt that is counted twice. The meters before the
//! last two are not on chain: what only they can have vouched for is said to be unchecked.

use std::collections::{BTreeMap, HashMap};

use clawos_interface::accounts::Licence;
use clawos_interface::{Key, PROGRAM_ID};
use clawos_receipts::merkle::{Leaf, Tree};
use clawos_receipts::statement::CertifiedKey;
use clawos_receipts::text::to_hex;
use clawos_receipts::{Hash, SignedReceipt};

use crate::account::shown;
use crate::batches::{PublishedBatch, recorded};
use crate::generation::{self, Generation};
use crate::report::{Report, equal};

/// A receipt in a batch, as the server publishes it to buyer and seller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedLeaf {
    /// The receipt's id.
    pub receipt: String,
    /// What its leaf commits to.
    pub leaf: Leaf,
}

/// The contents of a licence's batches, and what is needed to believe them.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// Genesis hash of the chain that the verifier uses.
    pub genesis: Key,
    /// The receipt keys the server publishes, with their certificates.
    pub keys: &'a [CertifiedKey],
    /// The leaves of each batch, by its number, in the order of its tree.
    pub leaves: &'a BTreeMap<u64, Vec<PublishedLeaf>>,
    /// The licence's receipts, in any order.
    pub receipts: &'a [SignedReceipt],
}

/// Checks what is in the batches of the licence account at `address`; every mismatch is named. `contents` is what the
/// verifier could read, or why not.
pub fn verify(
    address: &Key,
    licence: &Licence,
    batches: &[PublishedBatch],
    contents: Result<&Contents<'_>, &str>,
    report: &mut Report,
) {
    let contents = match contents {
        Ok(contents) => contents,
        Err(why) => {
            report.skip("leaves", why);
            return report.skip("receipts", why);
        }
    };
    let (mut wrong, mut unsigned, mut unknown, mut count) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut batch_of: HashMap<Hash, u64> = HashMap::new();
    let receipts: HashMap<&str, &SignedReceipt> =
        contents.receipts.iter().map(|signed| (signed.receipt.id.as_str(), signed)).collect();
    for published in recorded(licence, batches) {
        let seq = published.batch.seq;
        let leaves = contents.leaves.get(&seq).map(Vec::as_slice).unwrap_or_default();
        wrong.extend(mismatches(published, leaves).into_iter().map(|problem| format!("batch {seq}: {problem}")));
        for each in leaves {
            count += 1;
            if let Some(other) = batch_of.insert(each.leaf.receipt_sha256, seq) {
                wrong.push(format!("{} is in batch {other} and again in batch {seq}", each.receipt));
            }
            match backing(address, licence, each, receipts.get(each.receipt.as_str()), contents) {
                Ok(Backing::Meter) => {}
                Ok(Backing::Unknown(why)) => unknown.push(why),
                Err(problem) => unsigned.push(format!("{} in batch {seq}: {problem}", each.receipt)),
            }
        }
    }
    report.add_all("leaves", wrong, || {
        format!("{count} leaves add up to the units, amounts and roots of their batches, each receipt once")
    });
    if let (true, Some(why)) = (unsigned.is_empty(), unknown.first()) {
        return report.skip("receipts", format!("{} of {count} leaves cannot be checked: {why}", unknown.len()));
    }
    report.add_all("receipts", unsigned, || format!("each of {count} leaves is a receipt that was signed and adds up"));
}

/// What the leaves say otherwise than their batch.
fn mismatches(published: &PublishedBatch, leaves: &[PublishedLeaf]) -> Vec<String> {
    let batch = &published.batch;
    let sum = |part: fn(&Leaf) -> u64| leaves.iter().map(|each| u128::from(part(&each.leaf))).sum::<u128>();
    let root = Tree::from_leaves(leaves.iter().map(|each| each.leaf.hash()).collect()).map(|tree| tree.root());
    let root = root.map_or_else(|| "none".to_owned(), |root| to_hex(&root));
    let checks = [
        equal("the number of leaves", leaves.len() as u128, batch.count.into()),
        equal("the sum of the leaves' units", sum(|leaf| leaf.units), batch.units.into()),
        equal("the sum of the leaves' amounts", sum(|leaf| leaf.amount), batch.amount.into()),
        equal("the root of the leaves", root, to_hex(&batch.tree_root)),
    ];
    checks.into_iter().filter_map(Result::err).collect()
}

/// Who stands behind a receipt that is right otherwise.
enum Backing {
    /// A meter that the licence's account names.
    Meter,
    /// It cannot be told, for this reason: somebody certified its key, and the meter of that time is not on chain any more.
    Unknown(&'static str),
}

/// Whether a leaf is the receipt that was signed for it, and by a key that the licence's meter certifies.
fn backing(
    address: &Key,
    licence: &Licence,
    published: &PublishedLeaf,
    found: Option<&&SignedReceipt>,
    contents: &Contents<'_>,
) -> Result<Backing, String> {
    let signed = found.ok_or("the server has no receipt for it")?;
    let receipt = &signed.receipt;
    if receipt.leaf() != published.leaf {
        return Err("the server's receipt is another than the leaf's".to_owned());
    }
    receipt.check().map_err(|error| error.to_string())?;
    signed.verify_evidence().map_err(|error| error.to_string())?;
    let licence_of = receipt.licence.map_or_else(|| "none".to_owned(), |key| shown(&key));
    equal("its licence", licence_of, shown(address))?;
    equal("its genesis", shown(&receipt.genesis), shown(&contents.genesis))?;
    equal("its program", shown(&receipt.program), shown(&PROGRAM_ID))?;
    if receipt.licence_slot.is_none_or(|slot| slot < licence.created_slot()) {
        return Err("it is from before the licence's account was made".to_owned());
    }
    let meters = generation::meters(receipt, licence);
    let certified = contents.keys.iter().filter(|each| each.key == receipt.key && each.covers(receipt.issued_at));
    let statement = |each: &CertifiedKey| each.statement(receipt.genesis, receipt.program);
    let vouched =
        |each: &CertifiedKey| meters.iter().any(|meter| statement(each).verify(meter, &each.certificate).is_ok());
    if certified.clone().any(vouched) {
        return Ok(Backing::Meter);
    }
    let excuse = Generation::of(receipt, licence, true)?.excuses_meter();
    let unknown = excuse.filter(|_| certified.clone().next().is_some()).map(Backing::Unknown);
    unknown.ok_or_else(|| format!("no certificate of its key {} is signed by the licence's meter", shown(&receipt.key)))
}
