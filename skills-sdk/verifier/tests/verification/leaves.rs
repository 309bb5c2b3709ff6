//! What is in the batches: an operator who anchors more than was signed for is caught by buyer and seller.

use std::collections::BTreeMap;

use clawos_receipts::SignedReceipt;
use clawos_receipts::merkle::Tree;
use clawos_receipts::seal::seal;
use clawos_verifier::leaves::{Contents, PublishedLeaf, verify};
use clawos_verifier::{Report, Verdict};

use crate::sample::{GENESIS, ISSUED_AT, key, receipt, signer};
use crate::world::{World, certificate};

/// Chain times an hour before and after the receipts, Unix seconds.
const BEFORE_SECS: i64 = (ISSUED_AT / 1_000) as i64 - 3_600;
const AFTER_SECS: i64 = BEFORE_SECS + 7_200;

/// What the operator publishes: to be tampered with.
struct Books {
    world: World,
    leaves: BTreeMap<u64, Vec<PublishedLeaf>>,
    receipts: Vec<SignedReceipt>,
}

fn published(signed: &SignedReceipt) -> PublishedLeaf {
    PublishedLeaf { receipt: signed.receipt.id.clone(), leaf: signed.receipt.leaf() }
}

impl Books {
    fn new() -> Self {
        let world = World::new();
        let leaves = (1..).zip(&world.groups).map(|(seq, group)| (seq, group.iter().map(published).collect()));
        Self { leaves: leaves.collect(), receipts: world.groups.concat(), world }
    }

    fn report(&self) -> Report {
        let contents =
            Contents { genesis: GENESIS, keys: &self.world.keys, leaves: &self.leaves, receipts: &self.receipts };
        let (world, mut report) = (&self.world, Report::default());
        clawos_verifier::batches::verify(&world.licence_address, &world.licence, &world.batches, &mut report);
        verify(&world.licence_address, &world.licence, &world.batches, Ok(&contents), &mut report);
        report
    }

    /// Anchors batch 2 anew with these leaves and totals, as an operator can who holds the meter key.
    fn anchor_again(&mut self, units: u64, amount: u64) {
        let leaves = &self.leaves[&2];
        let tree = Tree::from_leaves(leaves.iter().map(|each| each.leaf.hash()).collect()).unwrap();
        let mut batches: Vec<_> = self.world.batches.iter().map(|each| each.batch.clone()).collect();
        batches[1].tree_root = tree.root();
        (batches[1].count, batches[1].units, batches[1].amount) = (leaves.len() as u64, units, amount);
        self.world.record(batches);
    }

    fn sums(&self) -> (u64, u64) {
        let leaves = &self.leaves[&2];
        let (units, amounts) = (leaves.iter().map(|each| each.leaf.units), leaves.iter().map(|each| each.leaf.amount));
        (units.sum(), amounts.sum())
    }
}

/// The report after a change: the named checks fail with these words, and no other does.
#[track_caller]
fn caught(expected: &[(&str, &str)], change: impl FnOnce(&mut Books)) {
    let mut books = Books::new();
    change(&mut books);
    let report = books.report();
    let failed: Vec<&str> = report.failures().map(|check| check.name).collect();
    assert_eq!(failed, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{report:#?}");
    for (name, words) in expected {
        let check = report.check(name).unwrap();
        assert!(check.evidence.contains(words), "{name}: {}", check.evidence);
    }
}

#[test]
fn honest_books_add_up() {
    let report = Books::new().report();
    assert!(report.is_complete(), "{report:#?}");
    let leaves = report.check("leaves").unwrap();
    assert!(leaves.evidence.starts_with("9 leaves add up"), "{}", leaves.evidence);
}

#[test]
fn totals_above_the_leaves_are_caught() {
    // 504 units more than five calls used, anchored and charged: roots, chain and account agree with each other.
    caught(&[("leaves", "the sum of the leaves' units is 15, not 519")], |books| {
        let (units, amount) = books.sums();
        books.anchor_again(units + 504, amount + 504 * 250);
    });
}

#[test]
fn leaves_that_bill_more_than_was_signed_are_caught() {
    caught(&[("receipts", "the server's receipt is another than the leaf's")], |books| {
        books.leaves.get_mut(&2).unwrap()[0].leaf.units += 504;
        let (units, amount) = books.sums();
        books.anchor_again(units, amount);
    });
    // Without anchoring again not even the roots fit.
    caught(&[("leaves", "the root of the leaves"), ("receipts", "another than the leaf's")], |books| {
        books.leaves.get_mut(&2).unwrap()[0].leaf.units += 504;
    });
}

#[test]
fn phantom_leaves_are_caught() {
    let add = |books: &mut Books, phantom: &SignedReceipt| {
        let leaves = books.leaves.get_mut(&2).unwrap();
        leaves.push(published(phantom));
        leaves.sort_by(|a, b| a.receipt.cmp(&b.receipt));
        let (units, amount) = books.sums();
        books.anchor_again(units, amount);
    };
    caught(&[("receipts", "the server has no receipt for it")], |books| {
        let phantom = seal(vec![receipt(Some(books.world.licence_address))], &signer("receipt-key")).unwrap().remove(0);
        add(books, &phantom);
    });
    caught(&[("receipts", "no certificate of its key")], |books| {
        let mut made_up = receipt(Some(books.world.licence_address));
        made_up.key = key("stranger");
        let phantom = seal(vec![made_up], &signer("stranger")).unwrap().remove(0);
        add(books, &phantom);
        books.receipts.push(phantom);
    });
    caught(&[("receipts", "its licence is")], |books| {
        let phantom = seal(vec![receipt(Some([9; 32]))], &signer("receipt-key")).unwrap().remove(0);
        add(books, &phantom);
        books.receipts.push(phantom);
    });
    caught(&[("receipts", "before the licence's account")], |books| {
        let mut old = receipt(Some(books.world.licence_address));
        old.licence_slot = Some(1);
        let phantom = seal(vec![old], &signer("receipt-key")).unwrap().remove(0);
        add(books, &phantom);
        books.receipts.push(phantom);
    });
}

#[test]
fn a_receipt_that_is_charged_twice_is_caught() {
    caught(&[("leaves", "is in batch 1 and again in batch 2")], |books| {
        let again = books.leaves[&1][0].clone();
        let leaves = books.leaves.get_mut(&2).unwrap();
        leaves.push(again);
        leaves.sort_by(|a, b| a.receipt.cmp(&b.receipt));
        let (units, amount) = books.sums();
        books.anchor_again(units, amount);
    });
}

#[test]
fn a_forged_certificate_of_an_earlier_meter_makes_no_receipt_good() {
    // Bought again under a new meter: who was the meter of the calls before is not on chain.
    let bought_again = |meter: &str, starts_at: i64| {
        let mut books = Books::new();
        books.world.keys = vec![certificate("receipt-key", meter)];
        let licence = &mut books.world.licence;
        (licence.meter, licence.previous_meter) = (key("new meter"), key("old meter"));
        licence.purchases.set(3);
        licence.starts_at.set(starts_at);
        licence.meter_until.set(starts_at);
        books
    };
    // An operator certified the key as a meter that never was, or it is the honest one's certificate: nobody can tell.
    for meter in ["forger", "meter"] {
        let report = bought_again(meter, AFTER_SECS).report();
        let receipts = report.check("receipts").unwrap();
        assert_eq!(receipts.verdict, Verdict::Skipped, "{receipts:?}");
        assert!(receipts.evidence.starts_with("9 of 9 leaves cannot be checked"), "{}", receipts.evidence);
        assert!(report.passed() && !report.is_complete());
    }
    // The account still knows the last two meters.
    for meter in ["old meter", "new meter"] {
        assert!(bought_again(meter, AFTER_SECS).report().is_complete(), "{meter}");
    }
    // Calls since the last purchase were recorded by the meter it names, so another purchase excuses nothing.
    let report = bought_again("forger", BEFORE_SECS).report();
    assert_eq!(report.check("receipts").unwrap().verdict, Verdict::Failed);
    // Nor is one good whose key nobody certified, and that is said although others cannot be checked.
    let mut books = bought_again("forger", AFTER_SECS);
    let mut made_up = receipt(Some(books.world.licence_address));
    made_up.key = key("stranger");
    let phantom = seal(vec![made_up], &signer("stranger")).unwrap().remove(0);
    books.leaves.get_mut(&3).unwrap()[0] = published(&phantom);
    books.receipts.push(phantom);
    let report = books.report();
    let evidence = &report.check("receipts").unwrap().evidence;
    assert!(evidence.contains("batch 3: no certificate") && !evidence.contains("batch 1"), "{evidence}");
}

#[test]
fn leaves_that_are_held_back_are_caught_or_said() {
    caught(&[("leaves", "batch 3: the number of leaves is 0, not 1")], |books| {
        books.leaves.remove(&3);
    });
    let (books, mut report) = (Books::new(), Report::default());
    verify(&books.world.licence_address, &books.world.licence, &books.world.batches, Err("not signed in"), &mut report);
    assert!(report.passed() && !report.is_complete());
    assert_eq!(report.check("leaves").unwrap().verdict, Verdict::Skipped);
}
