//! A small marketplace on paper: one licence, three recorded batches, and a receipt in the second of them.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::{Currency, Key, Kind, PROGRAM_ID, Tier, Unit, pda, skill_id};
use clawos_receipts::batch::Batch;
use clawos_receipts::merkle::Tree;
use clawos_receipts::seal::seal;
use clawos_receipts::statement::{CertifiedKey, KeyCertificate, VersionStatement};
use clawos_receipts::{Receipt, SignedReceipt, sha256, sha256_parts};
use clawos_verifier::anchor::{Anchor, Placement};
use clawos_verifier::batches::PublishedBatch;
use clawos_verifier::receipt::{Evidence, verify};
use clawos_verifier::version::SignedVersion;
use clawos_verifier::{Account, Report, Verdict};

use crate::sample::{GENESIS, ISSUED_AT, SKILL, UNIT_PRICE, key, manifest, manifest_sha256, receipt, signer};

const CREATED_SLOT: u64 = 4_242;

/// Everything a verifier can fetch, to be tampered with.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) genesis: Key,
    pub(crate) signed: SignedReceipt,
    pub(crate) keys: Vec<CertifiedKey>,
    pub(crate) owner: Key,
    pub(crate) config: Config,
    pub(crate) licence_address: Key,
    pub(crate) licence: Licence,
    pub(crate) skill_address: Key,
    pub(crate) skill: Skill,
    pub(crate) placement: Placement,
    pub(crate) batches: Vec<PublishedBatch>,
    pub(crate) version: SignedVersion,
    /// The receipts of each batch.
    pub(crate) groups: Vec<Vec<SignedReceipt>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let creator = key("seller");
        let (skill_address, _) = pda::skill(&creator, &skill_id(SKILL));
        let (licence_address, _) = pda::licence(&skill_address, &key("buyer"));
        let groups: Vec<Vec<SignedReceipt>> = [3, 5, 1].map(|count| sealed(licence_address, count)).into();
        let batches = publish(licence_address, &groups);
        let statement = VersionStatement {
            skill: SKILL.to_owned(),
            version: "1.2.0".to_owned(),
            module_sha256: sha256(b"module"),
            manifest_sha256: manifest_sha256(&manifest()),
        };
        let signature = statement.sign(&signer("seller")).unwrap();
        Self {
            genesis: GENESIS,
            signed: groups[1][2].clone(),
            keys: vec![certificate("receipt-key", "meter")],
            owner: PROGRAM_ID,
            config: config(),
            licence_address,
            licence: licence(skill_address, &batches),
            skill_address,
            skill: skill(creator),
            placement: Placement::InBatch(anchor(&batches[1], &groups[1], 2)),
            batches,
            version: SignedVersion { statement, publisher: creator, signature, manifest: manifest() },
            groups,
        }
    }

    /// The report with everything at hand.
    pub(crate) fn report(&self) -> Report {
        let (config, licence, skill) = (self.config.encode(), self.licence.encode(), self.skill.encode());
        verify(&Evidence {
            genesis: self.genesis,
            signed: &self.signed,
            keys: &self.keys,
            config: Some(self.account(pda::config().0, &config)),
            licence: Some(self.account(self.licence_address, &licence)),
            skill: Some(self.account(self.skill_address, &skill)),
            placement: &self.placement,
            batches: Some(&self.batches),
            version: Some(&self.version),
        })
    }

    pub(crate) fn account<'a>(&self, address: Key, data: &'a [u8]) -> Account<'a> {
        Account { address, owner: self.owner, data, slot: 5_000 }
    }

    /// Records these batches on the licence instead of those there are, as its meter can.
    pub(crate) fn record(&mut self, batches: Vec<Batch>) {
        self.batches = chain(self.licence_address, batches);
        self.licence.chain_root = self.batches.last().unwrap().chain_root;
        self.licence.usage_total.set(self.batches.iter().map(|each| each.batch.units).sum());
        let amount: u64 = self.batches.iter().map(|each| each.batch.amount).sum();
        self.licence.billed_total.set(amount - self.licence.unbilled());
    }

    /// Changes the receipt, seals it with that key and settles it as the licence's only batch.
    pub(crate) fn settle_alone(&mut self, change: impl FnOnce(&mut Receipt), key_name: &str) {
        change(&mut self.signed.receipt);
        self.seal_again(key_name);
        let group = vec![self.signed.clone()];
        self.batches = publish(self.licence_address, std::slice::from_ref(&group));
        self.placement = Placement::InBatch(anchor(&self.batches[0], &group, 0));
        let batch = &self.batches[0];
        self.licence.chain_root = batch.chain_root;
        self.licence.usage_seq.set(1);
        self.licence.usage_total.set(batch.batch.units);
        self.licence.billed_total.set(batch.batch.amount);
        self.licence.unbilled.set(0);
    }

    /// The proof, to be tampered with.
    pub(crate) fn anchor(&mut self) -> &mut Anchor {
        match &mut self.placement {
            Placement::InBatch(anchor) => anchor,
            other => panic!("{other:?}"),
        }
    }

    /// Seals the receipt again after a change, alone, as someone with that key would.
    pub(crate) fn seal_again(&mut self, name: &str) {
        let mut receipt = self.signed.receipt.clone();
        receipt.key = key(name);
        self.signed = seal(vec![receipt], &signer(name)).unwrap().remove(0);
    }
}

pub(crate) fn certificate(key_name: &str, meter: &str) -> CertifiedKey {
    let from_ms = i64::try_from(ISSUED_AT).unwrap() - 1_000;
    let certificate = KeyCertificate {
        genesis: GENESIS,
        program: PROGRAM_ID,
        key: key(key_name),
        from_ms,
        to_ms: from_ms + 86_400_000,
    };
    certificate.sign(&signer(meter))
}

fn sealed(licence: Key, count: usize) -> Vec<SignedReceipt> {
    seal((0..count).map(|_| receipt(Some(licence))).collect(), &signer("receipt-key")).unwrap()
}

fn tree(receipts: &[SignedReceipt]) -> Tree {
    Tree::from_leaves(receipts.iter().map(|each| each.receipt.leaf_hash()).collect()).unwrap()
}

/// The batches of these receipts, by the words of the specification.
fn publish(licence: Key, groups: &[Vec<SignedReceipt>]) -> Vec<PublishedBatch> {
    let batch = |(seq, receipts): (u64, &Vec<SignedReceipt>)| Batch {
        licence,
        seq,
        count: receipts.len() as u64,
        units: receipts.iter().map(|each| each.receipt.units).sum(),
        amount: receipts.iter().map(|each| each.receipt.amount).sum(),
        tree_root: tree(receipts).root(),
    };
    chain(licence, (1..).zip(groups).map(batch).collect())
}

/// Their hash chain.
fn chain(licence: Key, batches: Vec<Batch>) -> Vec<PublishedBatch> {
    let mut root = sha256_parts(&[&[0x03], &licence, &CREATED_SLOT.to_le_bytes()]);
    let publish = |batch: Batch| {
        let (prev_root, anchored_root) = (root, batch.anchored_root());
        root = sha256_parts(&[&[0x04], &prev_root, &anchored_root]);
        PublishedBatch { batch, prev_root, anchored_root, chain_root: root }
    };
    batches.into_iter().map(publish).collect()
}

fn anchor(published: &PublishedBatch, receipts: &[SignedReceipt], index: usize) -> Anchor {
    Anchor {
        batch: published.batch.clone(),
        anchored_root: published.anchored_root,
        path: tree(receipts).path(index).unwrap(),
    }
}

fn licence(skill: Key, batches: &[PublishedBatch]) -> Licence {
    let mut licence = Licence::blank();
    let total: u64 = batches.iter().map(|each| each.batch.amount).sum();
    (licence.skill, licence.buyer, licence.meter) = (skill, key("buyer"), key("meter"));
    licence.chain_root = batches.last().unwrap().chain_root;
    licence.created_slot.set(CREATED_SLOT);
    licence.unit_price.set(UNIT_PRICE);
    licence.usage_seq.set(batches.len() as u64);
    licence.usage_total.set(batches.iter().map(|each| each.batch.units).sum());
    licence.billed_total.set(total - 100);
    licence.unbilled.set(100);
    licence.credit.set(1_000_000);
    licence.terms_version.set(3);
    licence.purchases.set(1);
    (licence.kind, licence.tier, licence.status) = (Kind::Usage as u8, Tier::Personal as u8, 1);
    (licence.currency, licence.unit_kind) = (Currency::Usdc as u8, Unit::Megafuel as u8);
    licence
}

fn skill(creator: Key) -> Skill {
    let mut skill = Skill::blank();
    (skill.creator, skill.seller, skill.skill_id) = (creator, creator, skill_id(SKILL));
    skill
}

fn config() -> Config {
    let mut config = Config::blank();
    config.meter = key("meter");
    config
}

/// The report after a change; `names` must be among the checks that fail.
#[track_caller]
pub(crate) fn caught(names: &[&str], change: impl FnOnce(&mut World)) -> Report {
    let mut world = World::new();
    change(&mut world);
    let report = world.report();
    for name in names {
        let check = report.check(name).unwrap_or_else(|| panic!("no check {name}: {report:#?}"));
        assert_eq!(check.verdict, Verdict::Failed, "{name}: {report:#?}");
    }
    assert!(!report.passed());
    report
}
