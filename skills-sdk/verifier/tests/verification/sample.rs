//! A receipt of a successful call, paid or free, and the keys it names.

use clawos_interface::rules::bill;
use clawos_interface::{Currency, Key, Kind, PROGRAM_ID, Tier, Unit};
use clawos_receipts::receipt::{Limits, Outcome, Receipt, seed_of};
use clawos_receipts::signature::public_key;
use clawos_receipts::{Hash, SigningKey, canonical_json, new_id, sha256};
use serde_json::{Value, json};

pub(crate) const GENESIS: Key = [7; 32];
pub(crate) const SKILL: &str = "acme.word-count";
pub(crate) const ISSUED_AT: u64 = 1_795_000_000_000;
/// Base units per megafuel.
pub(crate) const UNIT_PRICE: u64 = 250;

pub(crate) fn signer(name: &str) -> SigningKey {
    SigningKey::from_bytes(&sha256(name.as_bytes()))
}

pub(crate) fn key(name: &str) -> Key {
    public_key(&signer(name))
}

/// The manifest of the version that ran.
pub(crate) fn manifest() -> Value {
    json!({
        "skill": {
            "id": SKILL, "version": "1.2.0", "summary": "Counts words", "description": "", "category": "analysis",
            "tags": [], "license": "MIT",
        },
        "runtime": { "kind": "wasm" },
        "limits": { "fuel": 1_000_000_000, "memory_mib": 64, "wall_ms": 5_000, "output_kib": 256 },
        "permissions": { "http": [], "kv": false, "skills": [] },
        "prices": null,
        "endpoints": [{
            "name": "count", "summary": "Counts", "input": { "type": "object" }, "output": { "type": "string" },
            "examples": [],
        }],
    })
}

pub(crate) fn manifest_sha256(manifest: &Value) -> Hash {
    sha256(canonical_json(manifest).unwrap().as_bytes())
}

pub(crate) fn receipt(licence: Option<Key>) -> Receipt {
    let id = new_id("run");
    let paid = licence.is_some();
    let (fuel, unit_price) = (2_500_000, if paid { UNIT_PRICE } else { 0 });
    let units = bill::units(Unit::Megafuel, true, fuel);
    Receipt {
        amount: units * unit_price,
        buyer: key("buyer"),
        currency: paid.then_some(Currency::Usdc),
        endpoint: "count".to_owned(),
        exchanges_sha256: None,
        fee_bps: 250,
        fuel,
        genesis: GENESIS,
        input_sha256: sha256(b"input"),
        issued_at: ISSUED_AT,
        key: key("receipt-key"),
        kind: paid.then_some(Kind::Usage),
        licence,
        licence_age_ms: paid.then_some(12),
        licence_slot: paid.then_some(4_900),
        limits: Limits { fuel: 1_000_000_000, memory: 64 << 20, output: 256 << 10 },
        manifest_sha256: manifest_sha256(&manifest()),
        module_sha256: sha256(b"module"),
        outcome: Outcome::Ok,
        output_sha256: Some(sha256(b"output")),
        parent: None,
        peak_memory: 65_536,
        program: PROGRAM_ID,
        replayable: true,
        runtime: "wasmtime-48.0.8+costs-1".to_owned(),
        seed: seed_of(&id),
        seller: key("seller"),
        skill: SKILL.to_owned(),
        terms_version: paid.then_some(3),
        tier: paid.then_some(Tier::Personal),
        time: ISSUED_AT,
        unit: Unit::Megafuel,
        unit_price,
        units,
        v: 1,
        version: "1.2.0".to_owned(),
        wall_us: 900,
        id,
    }
}
