//! `Sandbox::run` beside a raw wasmtime loop: the same components and payloads, in the same run.
//!
//! Target (`spec/runtime.md`): ours takes at most 1.3 times as long as raw wasmtime that counts fuel.

mod raw;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use clawos_runtime::wasm::{CompilerCommand, WasmConfig};
use clawos_runtime::{InMemoryModules, Invocation, ModuleRef, Sandbox, WasmSandbox};
use criterion::{Criterion, criterion_group, criterion_main};

use raw::{Care, Raw};

/// The id that every call is told.
const CALL_ID: &str = "run_00000000000000000000000000000000";

/// One component with one call of it.
struct Case {
    name: &'static str,
    component: Vec<u8>,
    endpoint: &'static str,
    payload: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("bench/rivals is in the repository")
}

fn read(path: &str) -> Vec<u8> {
    let path = repository().join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; scripts/bench builds skills", path.display()))
}

/// From hardly any work to a real skill on a real document.
fn cases() -> Vec<Case> {
    let small = r#"{"text":"as it came","list":[1,2.5,null,{"a":true}]}"#;
    let document = String::from_utf8(read("LICENSE")).expect("the licence is text");
    let document = serde_json::json!({ "text": document }).to_string();
    let wat =
        wat::parse_bytes(&read("bench/rivals/components/echo.wat")).expect("the text is a component").into_owned();
    let case =
        |name, component, endpoint, payload: &str| Case { name, component, endpoint, payload: payload.to_owned() };
    vec![
        case("smallest echo (WebAssembly text)", wat, "echo", small),
        case("echo of JSON (Rust guest)", read("tests/guests/loops/skill.wasm"), "echo", small),
        case(
            "text-stats of the Apache licence, 11 KiB",
            read("skills-sdk/rust/examples/text-stats/skill.wasm"),
            "analyse",
            &document,
        ),
    ]
}

/// The sandbox as the server sets it up.
fn sandbox(cache: PathBuf) -> (InMemoryModules, WasmSandbox) {
    let compiler = CompilerCommand { program: env!("CARGO_BIN_EXE_compile").into(), args: Vec::new() };
    let modules = InMemoryModules::default();
    let config = WasmConfig { compiler, ..WasmConfig::new(cache) };
    let sandbox = WasmSandbox::new(config, Arc::new(modules.clone())).expect("the engine starts");
    (modules, sandbox)
}

fn invocation(case: &Case) -> Invocation {
    Invocation {
        seed: [7; 32],
        time_ms: 1_795_000_000_000,
        ..Invocation::new(CALL_ID, case.endpoint, case.payload.clone())
    }
}

async fn run(sandbox: &WasmSandbox, module: &ModuleRef, invocation: &Invocation) -> Bytes {
    let outcome = sandbox.run(module, invocation.clone()).await.expect("there is room");
    outcome.result.expect("the case succeeds")
}

fn calls(criterion: &mut Criterion) {
    let cache = tempfile::tempdir().expect("a folder for temporary files");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    let (modules, sandbox) = runtime.block_on(async { sandbox(cache.path().to_owned()) });
    for case in cases() {
        let raw = |care| Raw::new(&case.component, care).expect("the component compiles");
        let (unmetered, fuelled, guarded) = (raw(Care::None), raw(Care::Fuel), raw(Care::Guarded));
        let module = modules.add(case.component.clone());
        let invocation = invocation(&case);
        let ours = runtime.block_on(run(&sandbox, &module, &invocation));
        let theirs = fuelled.call(case.endpoint, &case.payload).expect("the case succeeds");
        assert_eq!(ours, theirs, "both sides do the same work");
        let mut group = criterion.benchmark_group(case.name);
        group.bench_function("raw wasmtime, no fuel", |bencher| {
            bencher.iter(|| unmetered.call(case.endpoint, &case.payload));
        });
        group.bench_function("raw wasmtime", |bencher| {
            bencher.iter(|| fuelled.call(case.endpoint, &case.payload));
        });
        group.bench_function("raw wasmtime, async, epochs, limiter", |bencher| {
            bencher.to_async(&runtime).iter(|| guarded.call_guarded(case.endpoint, &case.payload));
        });
        group.bench_function("Sandbox::run", |bencher| {
            bencher.to_async(&runtime).iter(|| run(&sandbox, &module, &invocation));
        });
        group.finish();
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
