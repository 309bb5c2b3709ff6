//! The audit: whatever happened, receipts, batches, chain and money must tell the same story in the end.

use std::collections::{BTreeMap, HashSet};

use clawos_interface::Currency;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::fee::fee_delta;
use clawos_receipts::Key;
use clawos_receipts::text::{to_base58, to_hex};
use clawos_tests::processes::Clawos;
use clawos_tests::processes::clawos::{key, units};
use serde_json::Value;

use crate::world::{World, until};

/// The fee of the local chain, in 1/10,000.
const FEE_BPS: u16 = 250;

/// Pages of a hundred receipts that a test may fill.
const MAX_PAGES: usize = 20;

/// A licence and what was paid into it.
pub(crate) struct Account {
    pub(crate) skill: &'static str,
    pub(crate) licence: Key,
    /// Base units of credit.
    pub(crate) deposited: u64,
}

/// What was found on one licence.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) receipts: u64,
    pub(crate) units: u64,
    pub(crate) amount: u64,
}

/// All receipts of an agent for a skill.
pub(crate) async fn receipts(world: &World, agent: &Clawos, skill: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    for _ in 0..MAX_PAGES {
        let path = format!("/receipts?skill={skill}&limit=100{cursor}");
        let page = world.get(agent, &path).await.json(200);
        found.extend(page["items"].as_array().expect("a page has items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
    panic!("the list of receipts does not end");
}

/// Waits until everything is settled, then compares receipts, batches, licence and balances. The author must have had no
/// USDC before, and the platform none.
pub(crate) async fn audit(world: &World, accounts: &[Account]) -> BTreeMap<&'static str, Totals> {
    let mut totals = BTreeMap::new();
    let (mut to_seller, mut to_platform) = (0, 0);
    for account in accounts {
        let found = audit_licence(world, account).await;
        let fee = fee_delta(0, found.amount, FEE_BPS).expect("a small amount");
        to_seller += found.amount - fee;
        to_platform += fee;
        totals.insert(account.skill, found);
    }
    let seller = key(&Value::from(world.author.address()));
    assert_eq!(world.usdc(&seller).await, to_seller, "what the seller has");
    assert_eq!(world.usdc(&world.chain.address("treasury")).await, to_platform, "what the platform has");
    totals
}

/// Waits until everything of one licence is settled, then compares receipts, batches, licence and its credit.
pub(crate) async fn audit_licence(world: &World, account: &Account) -> Totals {
    let receipts = receipts(world, &world.buyer, account.skill).await;
    let mut ids: Vec<&str> = receipts.iter().map(|receipt| receipt["id"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    let distinct: HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len(), "no receipt is listed twice");
    let billed: Vec<&Value> = receipts.iter().filter(|receipt| units(&receipt["units"]) > 0).collect();
    let sum = |name: &str| billed.iter().map(|receipt| units(&receipt[name])).sum::<u64>();
    let totals = Totals { receipts: receipts.len() as u64, units: sum("units"), amount: sum("amount") };
    for receipt in &receipts {
        let free = receipt["outcome"] != "ok";
        assert!(!free || (units(&receipt["units"]), units(&receipt["amount"])) == (0, 0), "{receipt}");
    }
    until(&format!("all usage of {} is on chain", account.skill), async || {
        world.recorded(&account.licence).await == totals.units && all_confirmed(world, account).await
    })
    .await;
    let billed: HashSet<String> = billed.iter().map(|receipt| receipt["id"].as_str().unwrap().to_owned()).collect();
    audit_batches(world, account, &totals, &billed).await;
    let licence = world.ledger().licence_at(&account.licence).await.expect("the chain answers").value.unwrap();
    assert_eq!((licence.unbilled(), licence.billed_total()), (0, totals.amount), "{}", account.skill);
    assert_eq!(licence.credit(), account.deposited - totals.amount, "{}", account.skill);
    assert_eq!(vault(world, &account.licence, &licence).await, licence.credit(), "the vault of {}", account.skill);
    totals
}

/// What is kept for a licence's credit: tokens of its own, or lamports above its rent.
async fn vault(world: &World, address: &Key, licence: &Licence) -> u64 {
    if licence.currency == Currency::Usdc as u8 {
        return world.usdc(address).await;
    }
    world.sol(address).await - world.licence_rent().await
}

/// What those who trade own in one currency, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Purses {
    pub(crate) buyer: u64,
    pub(crate) seller: u64,
    pub(crate) platform: u64,
}

/// The purses of `buyer`, the author and the platform.
pub(crate) async fn purses(world: &World, buyer: &Clawos, currency: Currency) -> Purses {
    let of = async |owner: Key| match currency {
        Currency::Sol => world.sol(&owner).await,
        Currency::Usdc => world.usdc(&owner).await,
    };
    let address = |agent: &Clawos| key(&Value::from(agent.address()));
    Purses {
        buyer: of(address(buyer)).await,
        seller: of(address(&world.author)).await,
        platform: of(world.chain.address("treasury")).await,
    }
}

/// The batches of a licence, as the buyer sees them.
pub(crate) async fn batches(world: &World, licence: &Key) -> Vec<Value> {
    let path = format!("/licences/{}/batches?limit=100", to_base58(licence));
    let answer = world.get(&world.buyer, &path).await;
    if answer.status == 404 {
        return Vec::new();
    }
    let list = answer.json(200);
    assert!(list["next_cursor"].is_null(), "a test has fewer than a hundred batches");
    list["items"].as_array().expect("a page has items").clone()
}

async fn all_confirmed(world: &World, account: &Account) -> bool {
    batches(world, &account.licence).await.iter().all(|batch| batch["status"] == "confirmed")
}

/// Every billed receipt is in exactly one batch, and the batches chain up to the root on chain.
async fn audit_batches(world: &World, account: &Account, totals: &Totals, billed: &HashSet<String>) {
    let batches = batches(world, &account.licence).await;
    let sum = |name: &str| batches.iter().map(|batch| units(&batch[name])).sum::<u64>();
    assert_eq!((sum("units"), sum("amount")), (totals.units, totals.amount), "batches of {}", account.skill);
    let mut anchored = HashSet::new();
    let mut root = None;
    for (batch, seq) in batches.iter().zip(1..) {
        assert_eq!(units(&batch["seq"]), seq);
        assert!(root.is_none_or(|root| root == batch["prev_root"]), "batch {seq} follows another root");
        root = Some(batch["chain_root"].clone());
        let path = format!("/licences/{}/batches/{seq}", to_base58(&account.licence));
        let detail = world.get(&world.buyer, &path).await.json(200);
        let leaves = detail["leaves"].as_array().expect("the buyer sees the leaves");
        assert_eq!(leaves.len() as u64, units(&batch["count"]));
        for leaf in leaves {
            let id = leaf["receipt"].as_str().expect("an id").to_owned();
            assert!(anchored.insert(id), "{leaf} is anchored twice");
        }
    }
    assert_eq!(&anchored, billed, "the anchored receipts of {} are the billed ones", account.skill);
    let licence = world.ledger().licence_at(&account.licence).await.expect("the chain answers").value.unwrap();
    assert_eq!(licence.usage_seq(), batches.len() as u64);
    if let Some(root) = root {
        assert_eq!(root, to_hex(&licence.chain_root), "the chain's root of {}", account.skill);
    }
}
