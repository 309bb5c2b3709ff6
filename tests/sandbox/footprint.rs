//! What one instance of a module takes of the host: counted at publish, before anything is compiled, and refused with the
//! reason; and a module that is refused costs nothing a second time.

use clawos_runtime::{Limits, Sandbox as _, Unavailable, wasm::CompilerCommand};
use clawos_tests::wat_skill::WatSkill;

use crate::host::{Host, call, compiler, text};

/// A skill with further definitions.
fn with(definitions: &str) -> Vec<u8> {
    let mut skill = WatSkill::echo();
    skill.extras = definitions.to_owned();
    skill.build()
}

/// A core module that is instantiated `times` times.
fn instances(module: &str, times: usize) -> String {
    format!("(core module $m {module}) {}", "(core instance (instantiate $m))".repeat(times))
}

#[tokio::test]
async fn memories_and_tables_that_are_too_many_too_large_or_of_another_kind_are_refused() {
    let host = Host::new();
    for (definitions, reason) in [
        (instances("(memory 1)", 4), "has 5 memories; it may have no more than 4"),
        (instances("(memory 1)", 60), "has 61 memories"),
        (instances("(memory 65536)", 1), "a memory starts at more than"),
        ("(core module (memory 4097))".to_owned(), "a memory starts at more than"),
        (instances("(memory 2000)", 3), "its memories start at more than"),
        (instances("(memory i64 1)", 1), "64-bit, shared or odd-paged memory"),
        (instances("(memory 1 2 shared)", 1), "64-bit, shared or odd-paged memory"),
        (instances("(table 4000000000 funcref)", 1), "a table starts with more than"),
        (instances("(table 1 funcref)", 9), "has 9 tables; it may have no more than 8"),
        (instances("(table 1 funcref) (table 1 funcref)", 5), "has 10 tables"),
        (instances("(tag)", 1), "exceptions"),
    ] {
        let refusal = host.refusal(with(&definitions)).await;
        assert!(refusal.contains(reason), "{definitions:.60}: {refusal}");
    }
}

#[tokio::test]
async fn instances_that_are_too_many_are_refused_however_they_come_about() {
    let host = Host::new();
    let echo = 2;
    let doubling = {
        let mut text = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
        for nth in 1..=40 {
            let inner = format!("(instance (instantiate $b{nth}))");
            let last = nth - 1;
            text += &format!("(component $c{nth} (alias outer 1 $c{last} (component $b{nth})) {inner} {inner})");
        }
        text + "(instance (instantiate $c40))"
    };
    let empty = format!("(component $c) {}", "(instance (instantiate $c))".repeat(300));
    for (definitions, reason) in [
        (instances("", 65 - echo), "has 65 core instances; it may have no more than 64"),
        (instances("", 200), "core instances"),
        (doubling, "core instances"),
        (empty, "has 300 component instances"),
    ] {
        let refusal = host.refusal(with(&definitions)).await;
        assert!(refusal.contains(reason), "{definitions:.60}: {refusal}");
    }
}

#[tokio::test]
async fn what_fits_exactly_and_what_is_never_instantiated_is_taken() {
    let host = Host::new();
    for definitions in [
        instances("", 62),
        instances("(memory 1)", 3),
        instances("(table 1 funcref) (table 1 funcref)", 4),
        "(core module (memory 4096) (table 20000 funcref))".repeat(10),
    ] {
        let artifact = with(&definitions);
        host.prepare(artifact.clone()).await.unwrap_or_else(|refusal| panic!("{definitions:.60}: {refusal}"));
        assert_eq!(text(&host.run(artifact).await), r#"{"n":1}"#);
    }
}

/// A module whose instance needs more of the host than a slot has, which only the engine can tell: each of its functions
/// can be called from outside.
fn bulky() -> Vec<u8> {
    let functions: String = (0..40_000).map(|nth| format!("(func (export \"f{nth}\"))")).collect();
    with(&instances(&functions, 1))
}

#[tokio::test]
async fn a_module_that_is_refused_is_not_compiled_again_by_whoever_calls_it() {
    let folder = tempfile::tempdir().expect("the system's folder for temporary files can be used");
    let log = folder.path().join("compiled");
    let counted = CompilerCommand {
        program: "/bin/sh".into(),
        args: ["-c".into(), r#"echo >> "$0"; exec "$1""#.into(), log.clone().into(), compiler().program.into()].into(),
    };
    let host = Host::with(|config| config.compiler = counted);
    let compilations = || std::fs::read_to_string(&log).map_or(0, |lines| lines.len());
    let refusal = host.refusal(bulky()).await;
    assert!(refusal.contains("instance size does not fit"), "{refusal}");
    assert!(!refusal.contains('\n'), "{refusal}");
    let module = host.add(bulky());
    for _ in 0..3 {
        let again = host.sandbox.run(&module, call(Limits::default())).await;
        assert!(matches!(again, Err(Unavailable::InvalidModule(ref reason)) if *reason == refusal), "{again:?}");
    }
    assert_eq!(host.refusal(bulky()).await, refusal);
    assert_eq!(compilations(), 1);
    let many = host.add(with(&instances("(memory 1)", 60)));
    let called = host.sandbox.run(&many, call(Limits::default())).await;
    assert!(matches!(called, Err(Unavailable::InvalidModule(_))), "{called:?}");
    assert_eq!(compilations(), 1, "the static pass needs no compiler");
}
