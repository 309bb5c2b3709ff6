//! Receipts: sealing groups (one signature each, whatever their size), and checking one as a validator does.

use std::hint::black_box;

use clawos_interface::{Currency, Kind, Tier, Unit};
use clawos_receipts::receipt::{Limits, Outcome, VERSION, seed_of};
use clawos_receipts::{Receipt, SigningKey, id, seal, signature};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Receipts in a group: a lone call, 16 callers at once, and the most that the server puts in one.
const GROUPS: [usize; 3] = [1, 16, 256];

/// The receipt of a call that was billed.
fn receipt(key: &SigningKey) -> Receipt {
    let id = id::new_id("run");
    Receipt {
        amount: 1_000,
        buyer: [1; 32],
        currency: Some(Currency::Usdc),
        endpoint: "analyse".to_owned(),
        exchanges_sha256: None,
        fee_bps: 250,
        fuel: 1_234_567,
        genesis: [2; 32],
        input_sha256: [3; 32],
        issued_at: 1_795_000_000_123,
        key: signature::public_key(key),
        kind: Some(Kind::Usage),
        licence: Some([4; 32]),
        licence_age_ms: Some(1_200),
        licence_slot: Some(123_456),
        limits: Limits { fuel: 1_000_000_000, memory: 64 << 20, output: 256 << 10 },
        manifest_sha256: [10; 32],
        module_sha256: [5; 32],
        outcome: Outcome::Ok,
        output_sha256: Some([6; 32]),
        parent: None,
        peak_memory: 1 << 20,
        program: [7; 32],
        replayable: true,
        runtime: "wasmtime-48.0.8+costs-1".to_owned(),
        seed: seed_of(&id),
        seller: [8; 32],
        skill: "acme.text-stats".to_owned(),
        terms_version: Some(1),
        tier: Some(Tier::Personal),
        time: 1_795_000_000_000,
        unit: Unit::Call,
        unit_price: 1_000,
        units: 1,
        v: VERSION,
        version: "1.0.0".to_owned(),
        wall_us: 321,
        id,
    }
}

fn receipts(criterion: &mut Criterion) {
    let key = SigningKey::from_bytes(&[9; 32]);
    let mut group = criterion.benchmark_group("receipts");
    for size in GROUPS {
        let receipts: Vec<Receipt> = (0..size).map(|_| receipt(&key)).collect();
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::new("seal a group of", size), &receipts, |bencher, receipts| {
            let sealed = |receipts| seal::seal(receipts, &key).expect("they are one group");
            bencher.iter_batched(|| receipts.clone(), sealed, BatchSize::LargeInput);
        });
    }
    group.throughput(Throughput::Elements(1));
    let sealed = seal::seal((0..256).map(|_| receipt(&key)).collect(), &key).expect("they are one group");
    sealed[0].receipt.check().expect("what is measured is a sound receipt");
    sealed[0].verify_evidence().expect("what is measured is a sound proof");
    group.bench_function("verify one of 256", |bencher| {
        bencher.iter(|| black_box(&sealed[0]).verify_evidence());
    });
    group.finish();
}

criterion_group!(benches, receipts);
criterion_main!(benches);
