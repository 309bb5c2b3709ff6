//! The rules of `clawos_interface` that every call and every settlement applies: fee, price, terms, validity, usage root.

use std::hint::black_box;

use clawos_interface::accounts::Licence;
use clawos_interface::rules::terms::Terms;
use clawos_interface::rules::{fee, price, usage, validity};
use clawos_interface::{Currency, Kind, LicenceStatus, Tier, Unit, sha256};
use criterion::{Criterion, criterion_group, criterion_main};

/// A moment in the life of [`licence`], Unix seconds.
const NOW: i64 = 1_795_000_000;

/// A usage licence with credit and a daily cap: the longest way through the rule.
fn licence() -> Licence {
    let mut licence = Licence::blank();
    licence.kind = Kind::Usage as u8;
    licence.status = LicenceStatus::Active as u8;
    licence.currency = Currency::Usdc as u8;
    licence.unit_price.set(1_000);
    licence.credit.set(5_000_000);
    licence.max_units_per_day.set(10_000);
    licence.usage_limit.set(1_000_000);
    licence
}

fn terms() -> Terms {
    Terms {
        payout: [1; 32],
        meter: [2; 32],
        price_once: 1_000_000,
        price_period: 500_000,
        price_unit: 1_000,
        period_secs: 86_400,
        refund_window: 0,
        tier_bps: [10_000, 15_000, 50_000],
        currency: Currency::Usdc as u8,
        kinds: 7,
        unit_kind: Unit::Call as u8,
    }
}

fn rules(criterion: &mut Criterion) {
    let (licence, terms) = (licence(), terms());
    assert!(validity::validity(&licence, NOW).valid, "what is measured is a licence that gives access");
    assert_eq!(fee::fee_delta(1_000_000, 40, 250), Ok(1));
    let mut group = criterion.benchmark_group("rules");
    group.bench_function("fee of a payment", |bencher| {
        bencher.iter(|| fee::fee_delta(black_box(123_456_789), black_box(1_000), black_box(250)));
    });
    group.bench_function("price at a tier", |bencher| {
        bencher.iter(|| price::tier_price(black_box(1_000_000), black_box(15_000)));
    });
    group.bench_function("validity of a licence", |bencher| {
        bencher.iter(|| validity::validity(black_box(&licence), black_box(NOW)));
    });
    group.bench_function("terms: price", |bencher| {
        bencher.iter(|| black_box(&terms).price(Kind::Usage, Tier::Commercial));
    });
    group.bench_function("terms: hash", |bencher| {
        bencher.iter(|| black_box(&terms).hash(sha256, black_box(512)));
    });
    group.bench_function("usage: next root", |bencher| {
        bencher.iter(|| usage::next_root(sha256, black_box(&[3; 32]), black_box(&[4; 32])));
    });
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);
