//! Replay in the real sandbox: a true receipt comes out the same, and every lie about the run is caught.
//!
//! This file has a `main` of its own because the sandbox compiles modules in a child process: this very program, started
//! with the argument `compile`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "verification/sample.rs"]
mod sample;

use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use clawos_interface::Tier;
use clawos_receipts::receipt::{Outcome, Receipt};
use clawos_receipts::sha256;
use clawos_runtime::wasm::{WasmConfig, WasmSandbox, compile};
use clawos_runtime::{InMemoryModules, Invocation, RuntimeKind, Sandbox};
use clawos_verifier::replay::replay;
use clawos_verifier::{Report, Verdict};

/// Answers with eight letters that depend on random bytes and on the whole context, after a loop of as many rounds as the
/// payload has bytes.
const MODULE: &str = r#"(component
  (import "clawos:skill/types@0.1.0" (instance $types
    (type $code' (enum "bad-request" "not-found" "unavailable" "internal"))
    (export $code "error-code" (type (eq $code')))
    (type $error' (record (field "code" $code) (field "message" string)))
    (export $error "skill-error" (type (eq $error')))
    (type $context' (record (field "call-id" string) (field "tier" (option string))
                            (field "fuel-limit" u64) (field "memory-limit" u64)))
    (export $context "context" (type (eq $context')))))
  (alias export $types "skill-error" (type $skill-error))
  (alias export $types "context" (type $context))
  (import "clawos:skill/random@0.1.0" (instance $random (export "bytes" (func (param "n" u32) (result (list u8))))))
  (core module $libc-module
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8)))))
  (core instance $libc (instantiate $libc-module))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $random-bytes (canon lower (func $random "bytes") (memory $memory) (realloc $realloc)))
  (core module $main-module
    (import "libc" "memory" (memory 0))
    (import "host" "random" (func $random (param i32 i32)))
    (func (export "run") (param i32 i32 i32) (param $rounds i32) (param $call-id i32) (param i32)
                         (param i32 i32) (param $tier-len i32) (param $fuel i64) (param $memory i64) (result i32)
      (local $key i32) (local $letter i32)
      (local.set $key (i32.xor (local.get $tier-len)
        (i32.wrap_i64 (i64.xor (local.get $fuel) (local.get $memory)))))
      (call $random (i32.const 8) (i32.const 16))
      (loop $letters
        (i32.store8 offset=1025 (local.get $letter)
          (i32.add (i32.const 97) (i32.and (i32.const 15) (i32.xor (local.get $key) (i32.xor
            (i32.load8_u (i32.add (i32.load (i32.const 16)) (local.get $letter)))
            ;; After `run_`.
            (i32.load8_u offset=4 (i32.add (local.get $call-id) (local.get $letter))))))))
        (local.set $letter (i32.add (local.get $letter) (i32.const 1)))
        (br_if $letters (i32.lt_u (local.get $letter) (i32.const 8))))
      (loop $burn
        (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
        (br_if $burn (i32.gt_s (local.get $rounds) (i32.const 0))))
      (i32.store8 (i32.const 1024) (i32.const 34))
      (i32.store8 (i32.const 1033) (i32.const 34))
      (i32.store (i32.const 32) (i32.const 0))
      (i32.store (i32.const 36) (i32.const 1024))
      (i32.store (i32.const 40) (i32.const 10))
      (i32.const 32)))
  (core instance $main (instantiate $main-module
    (with "libc" (instance $libc))
    (with "host" (instance (export "random" (func $random-bytes))))))
  (func (export "run") (param "endpoint" string) (param "payload" string) (param "ctx" $context)
        (result (result string (error $skill-error)))
    (canon lift (core func $main "run") (memory $memory) (realloc $realloc))))"#;

const INPUT: &[u8] = br#"{"text":"the quick brown fox"}"#;

struct Proxy {
    sandbox: WasmSandbox,
    modules: InMemoryModules,
    module: Bytes,
    _cache: tempfile::TempDir,
}

impl Proxy {
    fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        let modules = InMemoryModules::default();
        let sandbox = WasmSandbox::new(WasmConfig::new(cache.path()), Arc::new(modules.clone())).unwrap();
        Self { sandbox, modules, module: wat::parse_str(MODULE).unwrap().into(), _cache: cache }
    }

    /// A receipt of a real run, as the proxy would write it.
    async fn call(&self) -> Receipt {
        let mut receipt = sample::receipt(None);
        receipt.module_sha256 = sha256(&self.module);
        receipt.input_sha256 = sha256(INPUT);
        receipt.runtime = self.sandbox.engine(RuntimeKind::Wasm).unwrap().to_string();
        let invocation = Invocation {
            tier: receipt.tier.map(|tier| tier.to_string()),
            seed: receipt.seed,
            time_ms: receipt.time,
            ..Invocation::new(&*receipt.id, &*receipt.endpoint, INPUT)
        };
        let outcome = self.sandbox.run(&self.modules.add(self.module.clone()), invocation).await.unwrap();
        receipt.output_sha256 = Some(sha256(&outcome.result.unwrap()));
        receipt.fuel = outcome.usage.fuel;
        receipt
    }

    async fn replay(&self, receipt: &Receipt) -> Report {
        self.replay_of(self.module.clone(), INPUT, receipt).await
    }

    async fn replay_of(&self, module: Bytes, input: &'static [u8], receipt: &Receipt) -> Report {
        let input = Bytes::from_static(input);
        let manifest = serde_json::from_value(sample::manifest()).unwrap();
        replay(&self.sandbox, &self.modules, module, input, receipt, Some(&manifest)).await.unwrap()
    }

    /// Another process with an empty cache, as a validator has.
    async fn elsewhere(&self, receipt: &Receipt) -> Report {
        Self::new().replay(receipt).await
    }
}

#[track_caller]
fn caught(name: &str, report: &Report) {
    let check = report.check(name).unwrap_or_else(|| panic!("no check {name}: {report:#?}"));
    assert_eq!(check.verdict, Verdict::Failed, "{report:#?}");
}

async fn checks() {
    let proxy = Proxy::new();
    let receipt = proxy.call().await;

    for report in [proxy.replay(&receipt).await, proxy.elsewhere(&receipt).await] {
        assert!(report.is_complete(), "{report:#?}");
        assert!(report.check("fuel").is_some() && report.check("output").is_some());
    }

    let lie = |change: fn(&mut Receipt)| {
        let mut lie = receipt.clone();
        change(&mut lie);
        lie
    };
    caught("fuel", &proxy.replay(&lie(|receipt| receipt.fuel += 1)).await);
    caught("output", &proxy.replay(&lie(|receipt| receipt.output_sha256 = Some([0; 32]))).await);
    caught("output", &proxy.replay(&lie(|receipt| receipt.seed[0] ^= 1)).await);
    caught("output", &proxy.replay(&lie(|receipt| receipt.id = clawos_receipts::new_id("run"))).await);
    caught("output", &proxy.replay(&lie(|receipt| receipt.tier = Some(Tier::Commercial))).await);
    caught("output", &proxy.replay(&lie(|receipt| receipt.limits.memory += 1)).await);
    caught("output", &proxy.replay(&lie(|receipt| receipt.limits.fuel += 1)).await);
    caught("outcome", &proxy.replay(&lie(|receipt| receipt.outcome = Outcome::Trap)).await);
    caught("outcome", &proxy.replay(&lie(|receipt| receipt.limits.fuel = 10)).await);
    caught("module", &proxy.replay(&lie(|receipt| receipt.module_sha256 = [0; 32])).await);
    caught("input", &proxy.replay_of(proxy.module.clone(), b"{}", &receipt).await);
    caught("module", &proxy.replay_of(Bytes::from_static(b"\0asm"), INPUT, &receipt).await);

    let other_engine = proxy.replay(&lie(|receipt| receipt.runtime = "wasmtime-1.0.0+costs-0".to_owned())).await;
    let skipped = other_engine.check("replay").unwrap();
    assert_eq!(skipped.verdict, Verdict::Skipped);
    assert!(skipped.evidence.contains("wasmtime-1.0.0+costs-0") && skipped.evidence.contains("release"), "{skipped:?}");
    schema(&proxy, &receipt).await;
    // All that a module can see is derived, so a call that answered cannot be exempt from the check; it runs all the same.
    let evading = proxy.replay(&lie(|receipt| (receipt.replayable, receipt.fuel) = (false, 1))).await;
    caught("replayable", &evading);
    caught("fuel", &evading);
    let late = lie(|receipt| (receipt.replayable, receipt.outcome) = (false, Outcome::Deadline));
    let late = proxy.replay(&late).await;
    assert_eq!(late.check("replay").unwrap().verdict, Verdict::Skipped);
    assert!(late.passed() && !late.is_complete());
    depth(&receipt).await;
}

/// Whether an answer fits its schema is judged by the manifest, not by the proxy.
async fn schema(proxy: &Proxy, receipt: &Receipt) {
    let denied = Receipt { outcome: Outcome::OutputInvalid, output_sha256: None, ..receipt.clone() };
    caught("outcome", &proxy.replay(&denied).await);
    let mut manifest = sample::manifest();
    manifest["endpoints"][0]["output"] = serde_json::json!({ "type": "number" });
    let manifest = serde_json::from_value(manifest).unwrap();
    let judged = async |receipt: &Receipt| {
        let (module, input) = (proxy.module.clone(), Bytes::from_static(INPUT));
        replay(&proxy.sandbox, &proxy.modules, module, input, receipt, Some(&manifest)).await.unwrap()
    };
    assert!(judged(&denied).await.is_complete());
    caught("outcome", &judged(receipt).await);
}

/// A module that gets to the end of its stack here, and of which a proxy says that it answered there.
async fn depth(receipt: &Receipt) {
    let mut proxy = Proxy::new();
    let deep = MODULE
        .replace("(local $letter i32)", "(local $letter i32) (call $down)")
        .replace(r#"(func (export "run") (param i32"#, r#"(func $down (call $down)) (func (export "run") (param i32"#);
    proxy.module = wat::parse_str(deep).unwrap().into();
    let receipt = Receipt { module_sha256: sha256(&proxy.module), ..receipt.clone() };
    let report = proxy.replay(&receipt).await;
    assert_eq!(report.check("replay").unwrap().verdict, Verdict::Skipped);
    assert!(report.passed() && !report.is_complete(), "{report:#?}");
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("compile") {
        return compile::child_main();
    }
    // `cargo test` may ask for a list, or for one test by name.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(checks());
    println!("test replay ... ok");
    ExitCode::SUCCESS
}
