//! The crate against `vectors/`, which a second implementation (or the RFC) made.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_interface::Unit;
use clawos_interface::rules::bill;
use clawos_receipts::exchange::{Exchange, exchanges_sha256};
use clawos_receipts::merkle::{Leaf, Step, Tree, verify_path};
use clawos_receipts::statement::{CertifiedKey, Challenge, VersionStatement};
use clawos_receipts::text::{from_base58, from_decimal, from_hex, to_base58, to_hex};
use clawos_receipts::{SignedReceipt, SigningKey, batch::Batch, canonical_json, seal::seal, signature};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value}"))
}

fn hash(value: &Value, name: &str) -> [u8; 32] {
    from_hex(text(value, name)).unwrap()
}

fn key(value: &Value, name: &str) -> [u8; 32] {
    from_base58(text(value, name)).unwrap()
}

fn signer(value: &Value, name: &str) -> SigningKey {
    SigningKey::from_bytes(&hash(value, name))
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let items = value[name].as_array().unwrap();
    assert!(!items.is_empty());
    items
}

#[test]
fn canonical_documents_are_those_of_rfc_8785() {
    for case in items(&vectors("canonical"), "documents") {
        let value: Value = serde_json::from_str(text(case, "json")).unwrap();
        let canonical = canonical_json(&value).unwrap();
        assert_eq!(canonical, text(case, "canonical"), "{}", case["name"]);
    }
}

#[test]
fn canonical_doubles_are_written_as_ecmascript_writes_them() {
    for case in items(&vectors("canonical"), "doubles") {
        let double = f64::from_bits(u64::from_str_radix(text(case, "bits"), 16).unwrap());
        assert_eq!(canonical_json(&Value::from(double)).unwrap(), text(case, "canonical"), "{}", case["bits"]);
    }
}

#[test]
fn integers_beyond_a_double_are_refused() {
    for case in items(&vectors("canonical"), "refused") {
        let value: Value = serde_json::from_str(case.as_str().unwrap()).unwrap();
        assert!(canonical_json(&value).is_err(), "{case}");
    }
}

#[test]
fn receipts_encode_hash_and_seal_as_the_vectors_say() {
    let file = vectors("receipts");
    let mut receipts = Vec::new();
    for case in items(&file, "receipts") {
        let signed = SignedReceipt::parse(case["signed"].to_string().as_bytes()).unwrap();
        signed.receipt.check().unwrap();
        signed.verify_evidence().unwrap();
        assert_eq!(String::from_utf8(signed.receipt.canonical_bytes()).unwrap(), text(case, "canonical"));
        assert_eq!(signed.receipt.leaf_hash(), hash(case, "leaf_hash"));
        assert_eq!(serde_json::to_value(&signed).unwrap(), case["signed"]);
        receipts.push(signed);
    }
    let shuffled = receipts.iter().rev().map(|signed| signed.receipt.clone()).collect();
    assert_eq!(seal(shuffled, &signer(&file, "receipt_key_seed")).unwrap(), receipts);
}

#[test]
fn exchanges_hash_as_the_vectors_say() {
    let file = &vectors("receipts")["exchanges"];
    let items: Vec<_> = items(file, "items")
        .iter()
        .map(|each| Exchange {
            permission: text(each, "permission"),
            request: text(each, "request").as_bytes(),
            response: each["response"].as_str().map(str::as_bytes),
        })
        .collect();
    let found = exchanges_sha256(items.clone());
    assert_eq!(found, Some(hash(file, "sha256")));
    assert_ne!(found, exchanges_sha256(items.iter().rev().copied()), "their order counts");
    // What was not there differs from what was empty.
    assert_ne!(found, exchanges_sha256(items.iter().map(|each| Exchange { response: Some(b""), ..*each })));
    assert_eq!(exchanges_sha256([]), None);
}

#[test]
fn trees_and_batches_hash_as_the_vectors_say() {
    let file = vectors("merkle");
    for case in items(&file, "trees") {
        let number = |leaf: &Value, name: &str| from_decimal(text(leaf, name)).unwrap();
        let leaf = |leaf: &Value| Leaf {
            units: number(leaf, "units"),
            amount: number(leaf, "amount"),
            receipt_sha256: hash(leaf, "receipt_sha256"),
        };
        let leaves: Vec<_> = items(case, "leaves").iter().map(|each| leaf(each).hash()).collect();
        let tree = Tree::from_leaves(leaves.clone()).unwrap();
        assert_eq!(tree.root(), hash(case, "root"));
        for (index, path) in items(case, "paths").iter().enumerate() {
            let path: Vec<Step> = serde_json::from_value(path.clone()).unwrap();
            assert_eq!(tree.path(index).unwrap(), path);
            assert!(verify_path(leaves[index], &path, tree.root()));
        }
        assert!(tree.path(leaves.len()).is_none());
    }
    for case in items(&file, "batches") {
        let batch: Batch = serde_json::from_value(case["batch"].clone()).unwrap();
        assert_eq!(to_hex(&batch.anchored_root()), text(case, "anchored_root"));
        assert_eq!(serde_json::to_value(&batch).unwrap(), case["batch"]);
    }
}

#[test]
fn statements_read_and_sign_as_the_vectors_say() {
    let file = vectors("statements");

    let case = &file["challenge"];
    let challenge = Challenge {
        origin: text(case, "origin").to_owned(),
        genesis: key(case, "genesis"),
        handle: text(case, "handle").to_owned(),
        wallet: key(case, "wallet"),
        nonce: text(case, "nonce").to_owned(),
        expires_at_ms: from_decimal(text(case, "expires_at_ms")).unwrap(),
    };
    assert_eq!(challenge.text().unwrap(), text(case, "text"));
    assert_eq!(Challenge::parse(text(case, "text")).unwrap(), challenge);
    let signature = challenge.sign(&signer(case, "wallet_seed")).unwrap();
    assert_eq!(to_base58(&signature), text(case, "signature"));
    challenge.verify(&signature).unwrap();

    let case = &file["version"];
    let statement = VersionStatement {
        skill: text(case, "skill").to_owned(),
        version: text(case, "version").to_owned(),
        module_sha256: hash(case, "module_sha256"),
        manifest_sha256: hash(case, "manifest_sha256"),
    };
    let publisher = signer(case, "publisher_seed");
    assert_eq!(statement.text().unwrap(), text(case, "text"));
    let signature = statement.sign(&publisher).unwrap();
    assert_eq!(to_base58(&signature), text(case, "signature"));
    statement.verify(&signature::public_key(&publisher), &signature).unwrap();

    let case = &file["receipt_key"];
    let certified: CertifiedKey = serde_json::from_value(case["certified"].clone()).unwrap();
    let statement = certified.statement(key(case, "genesis"), key(case, "program"));
    assert_eq!(to_hex(&statement.message()), text(case, "message"));
    assert_eq!(statement.sign(&signer(case, "meter_seed")), certified);
    statement.verify(&key(case, "meter"), &certified.certificate).unwrap();
}

#[test]
fn bills_are_those_of_the_vectors() {
    for case in vectors("bill").as_array().unwrap() {
        let number = |name| from_decimal(text(case, name)).unwrap();
        let unit: Unit = serde_json::from_value(case["unit"].clone()).unwrap();
        let units = bill::units(unit, case["ok"].as_bool().unwrap(), number("fuel"));
        assert_eq!(units, number("units"), "{case}");
        let amount = case["amount"].as_str().map(|amount| from_decimal(amount).unwrap());
        assert_eq!(bill::cost(units, number("unit_price")).ok(), amount, "{case}");
    }
}
