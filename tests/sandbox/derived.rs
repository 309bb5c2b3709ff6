//! Clock, randomness and fuel follow from the invocation alone: a replay anywhere gives the same output and bill.

use std::collections::BTreeSet;

use clawos_runtime::{Invocation, Limits, Outcome, Sandbox as _, wasm::Cpu};
use clawos_tests::wat_skill::WatSkill;
use sha2::{Digest as _, Sha256};

use crate::host::{Host, call, in_own_process, text};

/// Answers with `now` in hexadecimal digits, twice, then 16 random bytes likewise.
fn teller() -> Vec<u8> {
    WatSkill::new(
        r#"(data (i32.const 16) "0123456789abcdef")
        (global $end (mut i32) (i32.const 256))
        (func $digits (param $number i64) (local $left i32)
          (local.set $left (i32.const 16))
          (loop $again
            (i32.store8 (global.get $end)
              (i32.load8_u offset=16 (i32.wrap_i64 (i64.shr_u (local.get $number) (i64.const 60)))))
            (local.set $number (i64.shl (local.get $number) (i64.const 4)))
            (global.set $end (i32.add (global.get $end) (i32.const 1)))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
        (func $run (param i32 i32 i32 i32) (result i32)
          (call $digits (call $now))
          (call $digits (call $now))
          (call $random (i32.const 16) (i32.const 64))
          (call $digits (i64.load (i32.load (i32.const 64))))
          (call $digits (i64.load offset=8 (i32.load (i32.const 64))))
          (call $ok (i32.const 256) (i32.const 64)))"#,
    )
    .build()
}

/// Computes with floats, integers and memory, NaNs of unknown sign and payload included, and answers with a digest.
fn cruncher() -> Vec<u8> {
    WatSkill::new(
        r#"(data (i32.const 16) "0123456789abcdef")
        (func $run (param i32 i32 i32 i32) (result i32)
          (local $i i32) (local $f f64) (local $h i64)
          (local.set $f (f64.const 1))
          (local.set $h (i64.const 0xcbf29ce484222325))
          (loop $again
            (local.set $f (f64.add (f64.mul (local.get $f) (f64.const 1.0000001)) (f64.sqrt (f64.convert_i32_u (local.get $i)))))
            (local.set $h (i64.mul (i64.xor (local.get $h) (i64.reinterpret_f64 (local.get $f))) (i64.const 0x100000001b3)))
            (local.set $h (i64.xor (local.get $h)
              (i64.reinterpret_f64 (f64.div (f64.const 0) (f64.sub (local.get $f) (local.get $f))))))
            (i64.store (i32.add (i32.const 1024) (i32.and (i32.mul (local.get $i) (i32.const 8)) (i32.const 8191))) (local.get $h))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 3000))))
          (memory.copy (i32.const 16384) (i32.const 1024) (i32.const 4096))
          (local.set $i (i32.const 0))
          (loop $print
            (i32.store8 (i32.add (i32.const 512) (local.get $i))
              (i32.load8_u offset=16 (i32.wrap_i64 (i64.shr_u (local.get $h) (i64.const 60)))))
            (local.set $h (i64.shl (local.get $h) (i64.const 4)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $print (i32.lt_u (local.get $i) (i32.const 16))))
          (call $ok (i32.const 512) (i32.const 16)))"#,
    )
    .build()
}

/// Output hash and fuel: what a validator compares.
fn evidence(outcome: &Outcome) -> (String, u64) {
    (hex::encode(Sha256::digest(text(outcome))), outcome.usage.fuel)
}

#[tokio::test]
async fn the_wall_clock_stands_still_and_randomness_is_the_chacha20_stream_of_the_seed() {
    let host = Host::new();
    let module = host.add(teller());
    let zero = Invocation { seed: [0; 32], ..call(Limits::default()) };
    let outcome = host.sandbox.run(&module, zero).await.expect("the call takes place");
    let answer = text(&outcome);
    let now = format!("{:016x}", 1_700_000_000_123_u64);
    assert_eq!(&answer[..16], now);
    assert_eq!(&answer[16..32], now);
    // RFC 8439, A.1: 76b8e0ada0f13d90 405d6ae55386bd28, read as little-endian numbers.
    assert_eq!(&answer[32..], "903df1a0ade0b87628bd8653e56a5d40");
}

#[tokio::test]
async fn another_seed_gives_other_randomness_and_another_time_another_clock() {
    let host = Host::new();
    let module = host.add(teller());
    let run = async |change: fn(&mut Invocation)| {
        let mut invocation = call(Limits::default());
        change(&mut invocation);
        text(&host.sandbox.run(&module, invocation).await.expect("the call takes place")).to_owned()
    };
    let base = run(|_| {}).await;
    assert_eq!(base, run(|_| {}).await);
    let reseeded = run(|invocation| invocation.seed[31] ^= 1).await;
    assert_eq!(base[..32], reseeded[..32]);
    assert_ne!(base[32..], reseeded[32..]);
    let later = run(|invocation| invocation.time_ms += 1).await;
    assert_ne!(base[..32], later[..32]);
    assert_eq!(base[32..], later[32..]);
}

/// Answers with the context: id, tier if there is one, and both limits as 16 hexadecimal digits.
fn context_teller() -> Vec<u8> {
    WatSkill::new(
        r#"(data (i32.const 16) "0123456789abcdef")
        (global $end (mut i32) (i32.const 256))
        (func $text (param $at i32) (param $length i32)
          (memory.copy (global.get $end) (local.get $at) (local.get $length))
          (global.set $end (i32.add (global.get $end) (local.get $length))))
        (func $digits (param $number i64) (local $left i32)
          (local.set $left (i32.const 16))
          (loop $again
            (call $text (i32.add (i32.const 16) (i32.wrap_i64 (i64.shr_u (local.get $number) (i64.const 60)))) (i32.const 1))
            (local.set $number (i64.shl (local.get $number) (i64.const 4)))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
        (func $run (param i32 i32 i32 i32) (result i32)
          (call $text (global.get $call-id) (global.get $call-id-len))
          (if (global.get $has-tier) (then (call $text (global.get $tier) (global.get $tier-len))))
          (call $digits (global.get $fuel-limit))
          (call $digits (global.get $memory-limit))
          (call $ok (i32.const 256) (i32.sub (global.get $end) (i32.const 256))))"#,
    )
    .build()
}

#[tokio::test]
async fn a_guest_is_told_the_calls_id_tier_and_limits() {
    let host = Host::new();
    let module = host.add(context_teller());
    let limits = Limits { fuel: 0x1234_5678, memory_bytes: 0x0fed_cba0, ..Limits::default() };
    let told = async |tier: Option<&str>| {
        let invocation = Invocation { tier: tier.map(str::to_owned), ..call(limits) };
        text(&host.sandbox.run(&module, invocation).await.expect("the call takes place")).to_owned()
    };
    let limits = "0000000012345678000000000fedcba0";
    assert_eq!(told(None).await, format!("run_0123456789abcdef0123456789abcdef{limits}"));
    assert_eq!(told(Some("commercial")).await, format!("run_0123456789abcdef0123456789abcdefcommercial{limits}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_runs_give_one_output_and_one_bill() {
    let host = Host::new();
    let module = host.add(cruncher());
    let mut seen = BTreeSet::new();
    for _ in 0..250 {
        let run = || async { host.sandbox.run(&module, call(Limits::default())).await.expect("the call takes place") };
        let (a, b, c, d) = tokio::join!(run(), run(), run(), run());
        seen.extend([a, b, c, d].iter().map(evidence));
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn code_for_any_processor_gives_the_same_output_and_bill_as_code_for_this_one() {
    let native = Host::with(|config| config.cpu = Cpu::Native);
    let baseline = Host::with(|config| config.cpu = Cpu::Baseline);
    for artifact in [cruncher(), teller()] {
        let here = native.run(artifact.clone()).await;
        let anywhere = baseline.run(artifact).await;
        assert_eq!(evidence(&here), evidence(&anywhere));
    }
    let name = |host: &Host| host.compiled()[0].file_name().map(std::ffi::OsStr::to_owned);
    assert_ne!(name(&native), name(&baseline), "they are compiled differently");
}

#[tokio::test]
async fn another_process_gives_the_same_output_and_bill() {
    let here = evidence(&Host::new().run(cruncher()).await);
    let printed = in_own_process("derived::prints_one_run");
    assert!(printed.contains(&format!("evidence {} {}", here.0, here.1)), "{here:?} is not in:\n{printed}");
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn prints_one_run() {
    let (hash, fuel) = evidence(&Host::new().run(cruncher()).await);
    println!("\nevidence {hash} {fuel}");
}

#[tokio::test]
async fn failures_are_billed_the_same_each_time_too() {
    let host = Host::new();
    let artifact = WatSkill::running("(drop (call $now)) (i32.div_u (i32.const 1) (i32.const 0))").build();
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        let outcome = host.run(artifact.clone()).await;
        assert!(outcome.result.is_err());
        seen.insert(outcome.usage.fuel);
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}
