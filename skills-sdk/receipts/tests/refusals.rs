//! What is refused: tampered receipts field by field, malformed JSON, statements that could be read two ways.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_receipts::receipt::ReceiptError;
use clawos_receipts::seal::{EvidenceError, SealError, seal};
use clawos_receipts::statement::{Challenge, KeyCertificate, StatementError, VersionStatement};
use clawos_receipts::{Receipt, SignedReceipt, SigningKey, canonical_json, merkle, signature, strict_json};
use serde_json::{Map, Value, json};

fn signed() -> Vec<Value> {
    let path = format!("{}/vectors/receipts.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["receipts"].as_array().unwrap().iter().map(|case| case["signed"].clone()).collect()
}

/// A paid, successful call.
fn paid() -> Map<String, Value> {
    let found = signed().into_iter().find(|each| each["amount"] == "2000").unwrap();
    found.as_object().unwrap().clone()
}

fn parse(members: &Map<String, Value>) -> Result<SignedReceipt, serde_json::Error> {
    SignedReceipt::parse(Value::Object(members.clone()).to_string().as_bytes())
}

/// Another value of the same kind, or of any kind: what an attacker might write.
fn other_values(value: &Value) -> Vec<Value> {
    let mut others = vec![Value::Null, json!(7), json!("7"), json!("SOL"), json!("subscription"), json!(false)];
    match value {
        Value::String(text) => {
            let last = text.chars().last().unwrap();
            let other = if last == '1' { '2' } else { '1' };
            others.push(json!(format!("{}{other}", &text[..text.len() - last.len_utf8()])));
            others.push(json!(text.to_uppercase()));
            others.push(json!(format!("{text}0")));
            others.push(json!(format!("0{text}")));
        }
        Value::Object(members) => {
            for name in members.keys() {
                for other in other_values(&members[name]) {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), other);
                    others.push(changed.into());
                }
            }
        }
        _ => {}
    }
    others.retain(|other| other != value);
    others
}

#[test]
fn no_field_of_a_receipt_can_be_changed() {
    for original in signed() {
        let original = original.as_object().unwrap().clone();
        parse(&original).unwrap().verify_evidence().unwrap();
        for (name, value) in original.iter().filter(|(name, _)| *name != "evidence") {
            for other in other_values(value) {
                let mut changed = original.clone();
                changed.insert(name.clone(), other.clone());
                let caught = parse(&changed).map_or(true, |signed| signed.verify_evidence().is_err());
                assert!(caught, "{name} = {other} passed");
            }
        }
    }
}

#[test]
fn no_part_of_the_evidence_can_be_changed() {
    let original = parse(&paid()).unwrap();
    let mut path = original.clone();
    path.evidence.path[0].hash[5] ^= 1;
    assert_eq!(path.verify_evidence(), Err(EvidenceError::Path));

    let mut side = original.clone();
    side.evidence.path[0].side = match side.evidence.path[0].side {
        merkle::Side::Left => merkle::Side::Right,
        merkle::Side::Right => merkle::Side::Left,
    };
    assert_eq!(side.verify_evidence(), Err(EvidenceError::Path));

    // A forger who owns a root of his own still lacks the signature.
    let mut root = original.clone();
    root.evidence.path.clear();
    root.evidence.root = root.receipt.leaf_hash();
    assert!(matches!(root.verify_evidence(), Err(EvidenceError::Signature(_))));

    let mut signature = original.clone();
    signature.evidence.signature[40] ^= 1;
    assert!(matches!(signature.verify_evidence(), Err(EvidenceError::Signature(_))));

    let mut long = original;
    long.evidence.path = vec![long.evidence.path[0]; merkle::MAX_PATH + 1];
    assert_eq!(long.verify_evidence(), Err(EvidenceError::Path));
}

#[test]
fn members_may_not_be_missing_unknown_or_repeated() {
    let original = paid();
    for name in original.keys() {
        let mut without = original.clone();
        without.remove(name);
        assert!(parse(&without).is_err(), "missing {name} passed");
    }
    let mut unknown = original.clone();
    unknown.insert("discount".into(), json!("0"));
    assert!(parse(&unknown).is_err());
    let text = Value::Object(original).to_string();
    let repeated = text.replacen('{', "{\"amount\":\"1\",", 1);
    assert!(SignedReceipt::parse(repeated.as_bytes()).unwrap_err().to_string().contains("twice"));
}

fn changed(change: impl FnOnce(&mut Receipt)) -> Result<(), ReceiptError> {
    let mut receipt = parse(&paid()).unwrap().receipt;
    receipt.check().unwrap();
    change(&mut receipt);
    receipt.check()
}

#[test]
fn a_receipt_that_contradicts_itself_is_refused() {
    use clawos_interface::Kind;
    use clawos_receipts::receipt::Outcome;
    assert_eq!(changed(|r| r.amount += 1), Err(ReceiptError::Amount { billed: 2001, due: 2000 }));
    assert_eq!(changed(|r| r.units = 1), Err(ReceiptError::Units { billed: 1, due: 2 }));
    assert_eq!(changed(|r| r.fuel = 2_000_001), Err(ReceiptError::Units { billed: 2, due: 3 }));
    for unit_price in [u64::MAX, 1 << 62] {
        assert_eq!(changed(|r| r.unit_price = unit_price), Err(ReceiptError::Overflow { units: 2, unit_price }));
    }
    let failed = changed(|r| {
        r.outcome = Outcome::Trap;
        r.output_sha256 = None;
    });
    assert_eq!(failed, Err(ReceiptError::Units { billed: 2, due: 0 }), "a failed call costs nothing");
    let field = |result: Result<(), ReceiptError>| match result {
        Err(ReceiptError::Field { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(changed(|r| r.v = 2)), "v");
    assert_eq!(field(changed(|r| r.id = "run_1".into())), "id");
    assert_eq!(field(changed(|r| r.seed[0] ^= 1)), "seed");
    assert_eq!(field(changed(|r| r.parent = Some("job_1".into()))), "parent");
    assert_eq!(field(changed(|r| r.skill = String::new())), "skill");
    assert_eq!(field(changed(|r| r.fee_bps = 10_001)), "fee_bps");
    assert_eq!(field(changed(|r| r.outcome = Outcome::Trap)), "output_sha256");
    assert_eq!(field(changed(|r| r.licence = None)), "licence");
    assert_eq!(field(changed(|r| r.currency = None)), "currency");
    assert_eq!(field(changed(|r| r.kind = Some(Kind::OneTime))), "unit_price");
    assert_eq!(field(changed(|r| r.runtime = "docker".into())), "unit");
}

#[test]
fn a_group_is_of_one_key_one_chain_and_distinct_ids() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let mut receipt = parse(&paid()).unwrap().receipt;
    assert_eq!(seal(vec![], &key), Err(SealError::Empty));
    assert_eq!(seal(vec![receipt.clone()], &key), Err(SealError::Stranger(receipt.id.clone())));
    receipt.key = signature::public_key(&key);
    let alone = seal(vec![receipt.clone()], &key).unwrap().remove(0);
    assert!(alone.evidence.path.is_empty());
    alone.verify_evidence().unwrap();
    assert_eq!(seal(vec![receipt.clone(), receipt.clone()], &key), Err(SealError::DuplicateId(receipt.id)));
}

#[test]
fn strict_json_refuses_what_two_readers_could_read_differently() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    for good in ["1", " [1, 2] ", r#"{"a":{"b":1},"b":{"b":1}}"#, r#""\ud83d\ude00""#, &nested(strict_json::MAX_DEPTH)]
    {
        strict_json::check(good.as_bytes()).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    let bad = [
        "",
        " ",
        "1 2",
        "{",
        "[1,]",
        "{a:1}",
        "NaN",
        "1e999",
        "01",
        "'a'",
        "\u{feff}1",
        r#""\ud800""#,
        "\"\n\"",
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"[{"x":{"b":1,"c":2,"b":3}}]"#,
        &nested(strict_json::MAX_DEPTH + 1),
    ];
    for bad in bad {
        assert!(strict_json::check(bad.as_bytes()).is_err(), "{bad} passed");
    }
    assert!(strict_json::check(b"\"\xff\"").unwrap_err().to_string().contains("UTF-8"));
    let twice = strict_json::check(br#"{"a":1,"a":1}"#).unwrap_err().to_string();
    assert!(twice.contains("\"a\" appears twice") && twice.contains("line 1"), "{twice}");
}

#[test]
fn a_value_nested_without_end_has_no_canonical_form() {
    let deep = (0..200).fold(json!(1), |value, _| json!([value]));
    assert!(canonical_json(&deep).is_err());
}

fn challenge() -> Challenge {
    Challenge {
        origin: "https://clawos.example".into(),
        genesis: [1; 32],
        handle: "acme".into(),
        wallet: signature::public_key(&SigningKey::from_bytes(&[3; 32])),
        nonce: "00ff".into(),
        expires_at_ms: 5,
    }
}

#[test]
fn a_challenge_is_read_only_byte_for_byte() {
    let text = challenge().text().unwrap();
    let variants = [
        text.trim_end().to_owned(),
        format!("{text}\n"),
        format!("{text}extra: 1\n"),
        text.replace('\n', "\r\n"),
        text.replace("expires: 5", "expires: 05"),
        text.replace("expires: 5", "expires: +5"),
        text.replace("/v1", "/v2"),
        text.replace("handle: acme\n", "handle: acme\nhandle: acme\n"),
        text.replace("handle: acme", "handle: "),
        text.replace("nonce: 00ff", "nonce:  00ff"),
        text.replace("origin", "Origin"),
    ];
    for variant in variants {
        assert!(Challenge::parse(&variant).is_err(), "{variant:?} passed");
    }
    let injected = Challenge { handle: "acme\nwallet: other".into(), ..challenge() };
    assert_eq!(injected.text(), Err(StatementError::Field { field: "handle" }));
    assert!(Challenge { origin: "x".repeat(257), ..challenge() }.text().is_err());
}

#[test]
fn a_statement_holds_only_for_its_key_and_its_words() {
    let (wallet, stranger) = (SigningKey::from_bytes(&[3; 32]), SigningKey::from_bytes(&[4; 32]));
    let signature = challenge().sign(&wallet).unwrap();
    challenge().verify(&signature).unwrap();
    assert!(challenge().verify(&challenge().sign(&stranger).unwrap()).is_err());
    assert!(Challenge { expires_at_ms: 6, ..challenge() }.verify(&signature).is_err());

    let version = VersionStatement {
        skill: "a.b".into(),
        version: "1.0.0".into(),
        module_sha256: [1; 32],
        manifest_sha256: [2; 32],
    };
    let publisher = signature::public_key(&wallet);
    let signature = version.sign(&wallet).unwrap();
    version.verify(&publisher, &signature).unwrap();
    assert!(VersionStatement { module_sha256: [3; 32], ..version.clone() }.verify(&publisher, &signature).is_err());
    assert!(version.verify(&signature::public_key(&stranger), &signature).is_err());

    let key = KeyCertificate { genesis: [1; 32], program: [2; 32], key: [3; 32], from_ms: 10, to_ms: 20 };
    let certified = key.sign(&wallet);
    key.verify(&publisher, &certified.certificate).unwrap();
    assert!(KeyCertificate { to_ms: 21, ..key }.verify(&publisher, &certified.certificate).is_err());
    assert!(KeyCertificate { genesis: [9; 32], ..key }.verify(&publisher, &certified.certificate).is_err());
    assert!(certified.covers(10) && certified.covers(19) && !certified.covers(9) && !certified.covers(20));
    assert!(!certified.covers(u64::MAX));
}

#[test]
fn a_small_order_key_signs_nothing() {
    // The neutral point would "verify" anything under lax rules.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut forged = [0; 64];
    forged[0] = 1;
    assert!(signature::verify(&neutral, b"anything", &forged).is_err());
}
