//! Whether a stored receipt may be billed: its signed body decides, and the columns beside it have to agree. Pure.
//!
//! Who can write to the database can change a column, or add a row, but not sign. So a batch takes units and amounts from
//! bodies alone, after their signature was checked against a receipt key that this server's meter certified.

use std::collections::HashSet;

use clawos_base::database::columns::{int, key_text};
use clawos_interface::Key;
use clawos_licensing::KeysByMeter;
use clawos_receipts::merkle::root_of_path;
use clawos_receipts::statement::{CertifiedKey, PublishedKey};
use clawos_receipts::{Evidence, Hash, Receipt, ReceiptError, seal, signature};

use super::contents::Candidate;
use crate::account::Account;

/// A pending receipt as the database holds it.
#[derive(Debug, Clone)]
pub(super) struct StoredReceipt {
    pub columns: Columns,
    /// The receipt's JSON, which is what was signed.
    pub body: String,
    /// Path, root and signature, as JSON.
    pub evidence: String,
}

/// What stands beside the body, for the database's own use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub id: String,
    pub buyer: String,
    pub seller: String,
    pub skill: String,
    pub units: i64,
    pub amount: i64,
    pub issued_at: i64,
    pub leaf: Vec<u8>,
}

/// Why a stored receipt is not billed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unbillable {
    #[error("its row holds a value of another type than its column's")]
    Row,
    #[error("its body or evidence is not that of a receipt")]
    Unreadable,
    #[error("{0}")]
    Contradiction(#[from] ReceiptError),
    #[error("it bills nothing")]
    Free,
    #[error("its {0} is not what its signed body says")]
    Column(&'static str),
    #[error("it is of another chain, program or licence")]
    Elsewhere,
    #[error("it is from before the licence's account was opened")]
    EarlierOpening,
    #[error("its Merkle path does not lead to the signed root")]
    Path,
    #[error("its root is not signed by its key")]
    Signature,
    #[error("its key was not certified by a meter for that time")]
    Key,
    #[error("its key was certified by another meter than this server's")]
    OtherMeter(Box<Candidate>),
}

/// A receipt that is not billed, and why.
#[derive(Debug)]
pub(super) struct Refused {
    pub id: String,
    pub reason: Unbillable,
}

/// Whose signatures count, and which were checked: receipts of one group share theirs.
#[derive(Debug)]
pub(super) struct Signers {
    genesis: Key,
    program: Key,
    keys: KeysByMeter,
    checked: HashSet<(Key, Hash)>,
}

impl Signers {
    /// The receipt keys certified on this network.
    pub(super) fn new(genesis: Key, program: Key, keys: KeysByMeter) -> Signers {
        Signers { genesis, program, keys, checked: HashSet::new() }
    }

    /// Sorts an account's stored receipts, in their order, into those that may be billed and those that may not.
    pub(super) fn sort(mut self, account: &Account, stored: Vec<StoredReceipt>) -> (Vec<Candidate>, Vec<Refused>) {
        let (mut candidates, mut refused) = (Vec::with_capacity(stored.len()), Vec::new());
        for receipt in stored {
            match self.candidate(account, &receipt) {
                Ok(candidate) => candidates.push(candidate),
                Err(reason) => refused.push(Refused { id: receipt.columns.id, reason }),
            }
        }
        (candidates, refused)
    }

    /// What the receipt bills, by its signed body.
    fn candidate(&mut self, account: &Account, stored: &StoredReceipt) -> Result<Candidate, Unbillable> {
        let receipt: Receipt = serde_json::from_str(&stored.body).map_err(|_| Unbillable::Unreadable)?;
        let evidence: Evidence = serde_json::from_str(&stored.evidence).map_err(|_| Unbillable::Unreadable)?;
        receipt.check()?;
        if receipt.units == 0 {
            return Err(Unbillable::Free);
        }
        let leaf = receipt.leaf_hash();
        agree(&stored.columns, &receipt, &leaf)?;
        if (receipt.genesis, receipt.program, receipt.licence) != (self.genesis, self.program, Some(account.licence)) {
            return Err(Unbillable::Elsewhere);
        }
        if receipt.licence_slot.is_none_or(|slot| slot < account.opened_slot) {
            return Err(Unbillable::EarlierOpening);
        }
        if root_of_path(leaf, &evidence.path) != Some(evidence.root) {
            return Err(Unbillable::Path);
        }
        let (ours, other_meters) = self.meters(&receipt);
        if !ours && other_meters.is_empty() {
            return Err(Unbillable::Key);
        }
        self.check_signature(&receipt, &evidence)?;
        let candidate = Candidate { other_meters, ..bill(receipt, leaf) };
        if ours { Ok(candidate) } else { Err(Unbillable::OtherMeter(Box::new(candidate))) }
    }

    /// Whether this server's meter certified the receipt's key for its time, and which others did.
    fn meters(&self, receipt: &Receipt) -> (bool, Vec<Key>) {
        let covers = |certified: &CertifiedKey| certified.key == receipt.key && certified.covers(receipt.issued_at);
        let others = self.keys.others.iter().filter(|PublishedKey { certified, .. }| covers(certified));
        (self.keys.ours.iter().any(covers), others.map(|published| published.meter).collect())
    }

    fn check_signature(&mut self, receipt: &Receipt, evidence: &Evidence) -> Result<(), Unbillable> {
        if self.checked.contains(&(receipt.key, evidence.root)) {
            return Ok(());
        }
        let message = seal::message(&self.genesis, &self.program, &evidence.root);
        signature::verify(&receipt.key, &message, &evidence.signature).map_err(|_| Unbillable::Signature)?;
        self.checked.insert((receipt.key, evidence.root));
        Ok(())
    }
}

/// What a receipt bills by its body, which nobody checked; none when it is not that of a receipt.
pub(super) fn billed(body: &str) -> Option<Candidate> {
    let receipt: Receipt = serde_json::from_str(body).ok()?;
    let leaf = receipt.leaf_hash();
    Some(bill(receipt, leaf))
}

fn bill(receipt: Receipt, leaf: Hash) -> Candidate {
    let Receipt { id, units, amount, issued_at, .. } = receipt;
    Candidate { id, leaf, units, amount, issued_at: int(issued_at), other_meters: Vec::new() }
}

fn agree(columns: &Columns, receipt: &Receipt, leaf: &Hash) -> Result<(), Unbillable> {
    let pairs = [
        ("id", columns.id == receipt.id),
        ("buyer", columns.buyer == key_text(&receipt.buyer)),
        ("seller", columns.seller == key_text(&receipt.seller)),
        ("skill", columns.skill == receipt.skill),
        ("number of units", columns.units == int(receipt.units)),
        ("amount", columns.amount == int(receipt.amount)),
        ("time", columns.issued_at == int(receipt.issued_at)),
        ("leaf", columns.leaf == leaf),
    ];
    match pairs.into_iter().find(|(_, agrees)| !agrees) {
        Some((name, _)) => Err(Unbillable::Column(name)),
        None => Ok(()),
    }
}
