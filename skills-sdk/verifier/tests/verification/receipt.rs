//! Receipts: a true one passes every check, and each thing that can be tampered with is caught by the check that is for it.

use clawos_interface::pda;
use clawos_receipts::Receipt;
use clawos_receipts::merkle::Side;
use clawos_receipts::seal::seal;
use clawos_verifier::Verdict;
use clawos_verifier::anchor::Placement;
use clawos_verifier::receipt::{Evidence, is_proven, verify};

use crate::sample::{key, manifest_sha256, receipt, signer};
use crate::world::{World, caught, certificate};

#[test]
fn a_true_receipt_passes_every_check() {
    let report = World::new().report();
    assert!(report.is_complete() && is_proven(&report), "{report:#?}");
    let names: Vec<_> = report.checks.iter().map(|check| check.name).collect();
    let expected = [
        "form",
        "arithmetic",
        "replayable",
        "chain",
        "path",
        "signature",
        "licence",
        "skill",
        "key",
        "terms",
        "anchor",
        "anchored_root",
        "anchored",
        "batches",
        "batch_roots",
        "hash_chain",
        "totals",
        "publisher",
        "manifest",
    ];
    assert_eq!(names, expected);
    assert!(report.checks.iter().all(|check| !check.evidence.is_empty()));
}

#[test]
fn a_changed_receipt_is_caught() {
    caught(&["path", "arithmetic", "anchor"], |world| world.signed.receipt.amount += 1);
    caught(&["path", "form"], |world| world.signed.receipt.units += 1);
    caught(&["path"], |world| world.signed.receipt.output_sha256 = Some([0; 32]));
    caught(&["path"], |world| world.signed.receipt.wall_us += 1);
    caught(&["path", "terms"], |world| world.signed.receipt.terms_version = Some(4));
    caught(&["path", "licence"], |world| world.signed.receipt.buyer = key("stranger"));
    caught(&["path", "skill"], |world| world.signed.receipt.skill = "acme.other".to_owned());
    caught(&["path", "publisher"], |world| world.signed.receipt.module_sha256 = [0; 32]);
}

#[test]
fn over_billing_by_the_server_itself_is_caught() {
    // The server signs what it likes; arithmetic, terms and anchored totals still tell.
    caught(&["arithmetic", "anchor"], |world| {
        world.signed.receipt.amount += 250;
        world.seal_again("receipt-key");
    });
    caught(&["terms", "anchor"], |world| {
        world.signed.receipt.unit_price *= 2;
        world.signed.receipt.amount *= 2;
        world.seal_again("receipt-key");
    });
}

#[test]
fn an_answer_that_is_said_not_to_be_replayable_is_caught() {
    caught(&["replayable"], |world| {
        world.signed.receipt.replayable = false;
        world.seal_again("receipt-key");
    });
    let mut world = World::new();
    world.signed.receipt.replayable = false;
    world.signed.receipt.runtime = "docker".to_owned();
    assert_eq!(world.report().check("replayable"), None);
}

#[test]
fn changed_proofs_are_caught() {
    caught(&["path"], |world| world.signed.evidence.path[0].hash[3] ^= 1);
    caught(&["path"], |world| {
        let step = &mut world.signed.evidence.path[0];
        step.side = if step.side == Side::Left { Side::Right } else { Side::Left };
    });
    caught(&["path", "signature"], |world| world.signed.evidence.root[0] ^= 1);
    caught(&["signature"], |world| world.signed.evidence.signature[50] ^= 1);
    caught(&["chain"], |world| world.genesis = [8; 32]);
    caught(&["chain", "signature"], |world| world.signed.receipt.program = [8; 32]);
}

#[test]
fn only_a_key_that_the_meter_on_chain_certifies_counts() {
    caught(&["key"], |world| world.seal_again("stranger"));
    caught(&["key"], |world| {
        world.seal_again("stranger");
        world.keys.push(certificate("stranger", "stranger"));
    });
    caught(&["key"], |world| world.keys[0].certificate[0] ^= 1);
    caught(&["key"], |world| world.keys[0].to_ms += 1);
    caught(&["key"], |world| world.licence.meter = key("stranger"));
    caught(&["key"], |world| {
        world.signed.receipt.issued_at += 86_400_000;
        world.seal_again("receipt-key");
    });
    // An old certificate stays published next to a new one.
    let mut world = World::new();
    world.keys.insert(0, certificate("receipt-key", "stranger"));
    assert!(world.report().is_complete());
}

#[test]
fn changed_accounts_are_caught() {
    caught(&["licence"], |world| world.owner = [9; 32]);
    caught(&["licence"], |world| world.licence_address = [9; 32]);
    caught(&["licence"], |world| world.licence.buyer = key("stranger"));
    caught(&["licence"], |world| world.licence.version = 2);
    caught(&["hash_chain"], |world| world.licence.chain_root[0] ^= 1);
    caught(&["hash_chain"], |world| world.licence.created_slot.set(1));
    caught(&["totals"], |world| world.licence.usage_total.set(1));
    caught(&["totals"], |world| world.licence.billed_total.set(1));
    caught(&["terms"], |world| world.licence.unit_price.set(1));
    caught(&["terms"], |world| world.licence.currency = 0);
    caught(&["skill"], |world| world.skill.skill_id = [1; 32]);
    caught(&["skill"], |world| world.skill.creator = key("stranger"));
}

#[test]
fn changed_anchors_and_batches_are_caught() {
    caught(&["anchor"], |world| world.anchor().path[0].hash[0] ^= 1);
    caught(&["anchor"], |world| world.anchor().path.clear());
    caught(&["anchor", "anchored_root"], |world| world.anchor().batch.licence = [9; 32]);
    caught(&["anchored_root"], |world| world.anchor().anchored_root[0] ^= 1);
    // A batch that proves the receipt perfectly but never went on chain.
    caught(&["anchored"], |world| {
        world.anchor().batch.tree_root = world.signed.receipt.leaf_hash();
        world.anchor().path.clear();
        world.anchor().anchored_root = world.anchor().batch.anchored_root();
    });
    caught(&["batch_roots", "hash_chain", "totals"], |world| world.batches[0].batch.units += 1);
    caught(&["batch_roots", "hash_chain"], |world| world.batches[0].batch.tree_root[0] ^= 1);
    caught(&["hash_chain", "totals"], |world| {
        world.batches[2].batch.amount += 1;
        world.batches[2].anchored_root = world.batches[2].batch.anchored_root();
    });
    caught(&["hash_chain"], |world| world.batches[1].prev_root[0] ^= 1);
    caught(&["hash_chain"], |world| world.batches[1].chain_root[0] ^= 1);
    caught(&["batches", "hash_chain", "totals"], |world| {
        world.batches.remove(0);
    });
    caught(&["batches", "totals"], |world| {
        world.batches.pop();
    });
    caught(&["batches", "hash_chain"], |world| world.batches.swap(0, 1));
    caught(&["batches"], |world| world.batches[0].batch.licence = [9; 32]);
}

#[test]
fn a_module_its_publisher_did_not_sign_is_caught() {
    caught(&["publisher"], |world| world.version.signature[0] ^= 1);
    caught(&["publisher"], |world| world.version.statement.version = "1.2.1".to_owned());
    caught(&["publisher"], |world| world.version.statement.manifest_sha256[0] ^= 1);
    caught(&["publisher"], |world| {
        // The publisher's own signature, of another manifest than the call ran under.
        world.version.statement.manifest_sha256 = [1; 32];
        world.version.signature = world.version.statement.sign(&signer("seller")).unwrap();
    });
    caught(&["publisher"], |world| {
        // The server signs a swapped module with a wallet of its own.
        world.version.publisher = key("stranger");
        world.version.signature = world.version.statement.sign(&signer("stranger")).unwrap();
    });
}

#[test]
fn limits_that_are_not_the_signed_manifests_are_caught() {
    // The proxy lets the call have more fuel than its publisher allowed, and signs that.
    let over: [fn(&mut Receipt); 5] = [
        |receipt| receipt.limits.fuel += 1,
        |receipt| receipt.limits.memory += 1,
        |receipt| receipt.limits.output += 1,
        |receipt| receipt.endpoint = "another".to_owned(),
        |receipt| (receipt.exchanges_sha256, receipt.replayable) = (Some([1; 32]), false),
    ];
    for change in over {
        caught(&["manifest"], |world| {
            change(&mut world.signed.receipt);
            world.seal_again("receipt-key");
        });
    }
    // Nor does another manifest than the signed one help, whether the receipt names it or not.
    caught(&["manifest"], |world| world.version.manifest["limits"]["fuel"] = 2_000_000_000.into());
    caught(&["publisher"], |world| {
        world.version.manifest["limits"]["fuel"] = 2_000_000_000.into();
        world.signed.receipt.limits.fuel = 2_000_000_000;
        world.signed.receipt.manifest_sha256 = manifest_sha256(&world.version.manifest);
        world.seal_again("receipt-key");
    });
}

#[test]
fn a_call_that_may_learn_from_outside_need_not_be_replayable() {
    let mut world = World::new();
    world.version.manifest["permissions"]["kv"] = true.into();
    world.version.statement.manifest_sha256 = manifest_sha256(&world.version.manifest);
    world.version.signature = world.version.statement.sign(&signer("seller")).unwrap();
    let receipt = &mut world.signed.receipt;
    receipt.manifest_sha256 = world.version.statement.manifest_sha256;
    (receipt.exchanges_sha256, receipt.replayable) = (Some([1; 32]), false);
    world.settle_alone(|_| (), "receipt-key");
    let report = world.report();
    assert!(report.is_complete() && report.check("replayable").is_none(), "{report:#?}");
}

#[test]
fn the_publisher_is_the_skills_creator_or_its_seller() {
    // Sold on: the creator still publishes, the receipt names the new seller.
    let mut world = World::new();
    world.skill.seller = key("new seller");
    world.signed.receipt.seller = key("new seller");
    world.seal_again("receipt-key");
    assert_eq!(world.report().check("publisher").unwrap().verdict, Verdict::Ok);
    // The present seller signed, who was not the seller when the receipt was made.
    caught(&["publisher"], |world| {
        world.skill.seller = key("new seller");
        world.version.publisher = key("new seller");
        world.version.signature = world.version.statement.sign(&signer("new seller")).unwrap();
    });
}

#[test]
fn batches_newer_than_the_account_are_left_out() {
    let mut world = World::new();
    let mut newer = world.batches[2].clone();
    newer.batch.seq = 4;
    world.batches.push(newer);
    assert!(world.report().is_complete());
    world.anchor().batch.seq = 4;
    world.anchor().anchored_root = world.anchor().batch.anchored_root();
    assert_eq!(world.report().check("anchored").unwrap().verdict, Verdict::Skipped);
}

#[test]
fn what_is_not_at_hand_is_skipped_and_said_and_proves_nothing() {
    let world = World::new();
    let report = verify(&Evidence {
        genesis: world.genesis,
        signed: &world.signed,
        keys: &world.keys,
        config: None,
        licence: None,
        skill: None,
        placement: &Placement::Unknown("nobody was asked".to_owned()),
        batches: None,
        version: None,
    });
    assert!(report.passed() && !report.is_complete());
    assert!(!is_proven(&report), "a stranger's key and an address where nothing stands look just like this");
    for name in ["licence", "key", "terms", "anchor", "hash_chain", "publisher"] {
        assert_eq!(report.check(name).unwrap().verdict, Verdict::Skipped, "{name}");
    }
}

#[test]
fn a_sellers_own_call_is_true_and_said_to_be_no_sale() {
    let world = World::new();
    let own = Receipt { buyer: key("seller"), ..receipt(None) };
    let own = seal(vec![own], &signer("receipt-key")).unwrap().remove(0);
    let config = world.config.encode();
    let evidence = Evidence {
        genesis: world.genesis,
        signed: &own,
        keys: &world.keys,
        config: Some(world.account(pda::config().0, &config)),
        licence: None,
        skill: None,
        placement: &Placement::Unknown("nobody was asked".to_owned()),
        batches: None,
        version: Some(&world.version),
    };
    let report = verify(&evidence);
    assert!(report.passed() && is_proven(&report), "{report:#?}");
    let licence = report.check("licence").unwrap();
    assert_eq!(licence.verdict, Verdict::NotApplicable);
    assert_eq!(licence.evidence, "the seller's own call: free, and no sale");
    // Who would make it look like a sale has to name a licence, and that is on chain or not.
    let mut priced = own.receipt.clone();
    priced.unit_price = 250;
    assert!(priced.check().is_err());
}

#[test]
fn a_free_call_is_vouched_for_by_the_platforms_meter() {
    let world = World::new();
    let free = seal(vec![receipt(None)], &signer("receipt-key")).unwrap().remove(0);
    let config = world.config.encode();
    let evidence = Evidence {
        genesis: world.genesis,
        signed: &free,
        keys: &world.keys,
        config: Some(world.account(pda::config().0, &config)),
        licence: None,
        skill: None,
        placement: &Placement::Unknown("nobody was asked".to_owned()),
        batches: None,
        version: Some(&world.version),
    };
    let report = verify(&evidence);
    assert!(report.passed(), "{report:#?}");
    assert!(is_proven(&report));
    let unread = verify(&Evidence { config: None, ..evidence.clone() });
    assert!(unread.passed() && !is_proven(&unread), "who the platform's meter is says the chain alone");
    let publisher = report.check("publisher").unwrap();
    assert_eq!(publisher.verdict, Verdict::Skipped);
    assert!(publisher.evidence.contains("only the server names this publisher"));
    let mut swapped = world.version.clone();
    swapped.publisher = key("stranger");
    swapped.signature = swapped.statement.sign(&signer("stranger")).unwrap();
    let report = verify(&Evidence { version: Some(&swapped), ..evidence.clone() });
    assert_eq!(report.check("publisher").unwrap().verdict, Verdict::Failed);
    let elsewhere = world.account([1; 32], &config);
    assert!(!verify(&Evidence { config: Some(elsewhere), ..evidence.clone() }).passed());
    let mut other = world.config;
    other.meter = key("stranger");
    let other = other.encode();
    let report = verify(&Evidence { config: Some(world.account(pda::config().0, &other)), ..evidence });
    assert_eq!(report.check("key").unwrap().verdict, Verdict::Failed);
}
