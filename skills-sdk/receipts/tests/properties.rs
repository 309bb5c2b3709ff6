//! What must hold for every input: proofs, canonical JSON, strict JSON, texts, statements.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_receipts::merkle::{Leaf, Tree, verify_path};
use clawos_receipts::statement::Challenge;
use clawos_receipts::text::{from_base58, from_decimal, from_hex, to_base58, to_hex};
use clawos_receipts::{canonical_json, strict_json};
use proptest::prelude::*;
use serde_json::Value;

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |double| double.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Equal as JSON means it: 1 and 1.0 and -0.0 are what a double says they are.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn leaf(units: u64, amount: u64) -> Leaf {
    Leaf { units, amount, receipt_sha256: [9; 32] }
}

proptest! {
    #[test]
    fn canonical_json_reads_back_and_is_its_own_canonical_form(value in json()) {
        let text = canonical_json(&value).unwrap();
        let again: Value = serde_json::from_str(&text).unwrap();
        prop_assert!(same(&value, &again), "{value} became {again}");
        // A double beyond 2^53 may read back as an integer, which only a string may carry.
        if let Ok(twice) = canonical_json(&again) {
            prop_assert_eq!(&twice, &text);
        }
        strict_json::check(text.as_bytes()).unwrap();
    }

    #[test]
    fn every_leaf_proves_itself_and_no_flipped_bit_does(
        count in 1_usize..70, pick in any::<prop::sample::Index>(), bit in 0_usize..256, step in any::<prop::sample::Index>()
    ) {
        let leaves: Vec<_> = (0..count).map(|i| leaf(i as u64, 5).hash()).collect();
        let tree = Tree::from_leaves(leaves.clone()).unwrap();
        let index = pick.index(count);
        let path = tree.path(index).unwrap();
        prop_assert!(verify_path(leaves[index], &path, tree.root()));

        let flip = |mut hash: [u8; 32]| { hash[bit / 8] ^= 1 << (bit % 8); hash };
        prop_assert!(!verify_path(flip(leaves[index]), &path, tree.root()));
        prop_assert!(!verify_path(leaves[index], &path, flip(tree.root())));
        if !path.is_empty() {
            let mut wrong = path.clone();
            let at = step.index(path.len());
            wrong[at].hash = flip(wrong[at].hash);
            prop_assert!(!verify_path(leaves[index], &wrong, tree.root()));
            prop_assert!(!verify_path(leaves[index], &path[..path.len() - 1], tree.root()));
        }
        let other = (index + 1) % count;
        prop_assert!(other == index || !verify_path(leaves[other], &path, tree.root()));
    }

    #[test]
    fn whoever_changes_what_one_leaf_bills_changes_the_root(
        bills in prop::collection::vec((any::<u64>(), any::<u64>()), 1..40), pick in any::<prop::sample::Index>(),
        other in any::<u64>(), moved in 1_u64..=u64::MAX
    ) {
        let root = |leaves: &[Leaf]| Tree::from_leaves(leaves.iter().map(Leaf::hash).collect()).unwrap().root();
        let honest: Vec<Leaf> = bills.into_iter().map(|(units, amount)| leaf(units, amount)).collect();
        let at = pick.index(honest.len());
        let changes: [fn(&mut Leaf, u64); 3] = [
            |leaf, other| leaf.units = other,
            |leaf, other| leaf.amount = other,
            |leaf, other| leaf.receipt_sha256[..8].copy_from_slice(&other.to_le_bytes()),
        ];
        for change in changes {
            let mut changed = honest.clone();
            change(&mut changed[at], other);
            prop_assert_eq!(root(&changed) == root(&honest), changed == honest);
        }
        // Moving units into another leaf keeps the total and changes the root all the same.
        let next = (at + 1) % honest.len();
        if next != at {
            let mut changed = honest.clone();
            changed[at].units = changed[at].units.wrapping_sub(moved);
            changed[next].units = changed[next].units.wrapping_add(moved);
            prop_assert_ne!(root(&changed), root(&honest));
        }
        // Nor does swapping units and amount.
        let mut swapped = honest.clone();
        (swapped[at].units, swapped[at].amount) = (honest[at].amount, honest[at].units);
        prop_assert_eq!(root(&swapped) == root(&honest), swapped == honest);
    }

    #[test]
    fn texts_have_one_form(bytes in any::<[u8; 32]>(), number in any::<u64>(), junk in any::<String>()) {
        prop_assert_eq!(from_hex::<32>(&to_hex(&bytes)), Ok(bytes));
        prop_assert_eq!(from_base58::<32>(&to_base58(&bytes)), Ok(bytes));
        prop_assert_eq!(from_decimal(&number.to_string()), Ok(number));
        if let Ok(read) = from_hex::<4>(&junk) { prop_assert_eq!(to_hex(&read), junk.clone()); }
        if let Ok(read) = from_base58::<4>(&junk) { prop_assert_eq!(to_base58(&read), junk.clone()); }
        if let Ok(read) = from_decimal(&junk) { prop_assert_eq!(read.to_string(), junk); }
    }

    #[test]
    fn a_challenge_reads_back_and_no_other_text_is_one(
        origin in "[!-~]{1,60}", handle in "[a-z0-9-]{1,30}", nonce in "[0-9a-f]{32}", wallet in any::<[u8; 32]>(),
        genesis in any::<[u8; 32]>(), expires_at_ms in any::<u64>(),
        at in any::<prop::sample::Index>(), character in any::<char>()
    ) {
        let challenge = Challenge { origin, genesis, handle, wallet, nonce, expires_at_ms };
        let text = challenge.text().unwrap();
        prop_assert_eq!(&Challenge::parse(&text).unwrap(), &challenge);
        let mut changed: Vec<char> = text.chars().collect();
        let at = at.index(changed.len());
        changed.insert(at, character);
        let changed: String = changed.into_iter().collect();
        if let Ok(other) = Challenge::parse(&changed) {
            prop_assert_eq!(other.text().unwrap(), changed);
        }
    }

    #[test]
    fn no_bytes_upset_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        let strict = strict_json::check(&bytes).is_ok();
        prop_assert!(!strict || serde_json::from_slice::<Value>(&bytes).is_ok());
        prop_assert!(clawos_receipts::SignedReceipt::parse(&bytes).is_err());
        prop_assert!(Challenge::parse(&text).is_err());
    }
}
