//! The gate at publish: what a sandbox takes, and the reason it gives for what it does not.

use std::{collections::BTreeSet, num::NonZeroU8, sync::Arc, time::Duration};

use clawos_runtime::{
    Sandbox as _, Unavailable,
    wasm::{CompilerCommand, validate},
};
use clawos_tests::wat_skill::WatSkill;
use futures::future::join_all;
use proptest::prelude::*;

use crate::host::{Host, text};

#[tokio::test]
async fn a_component_of_the_world_skill_is_taken_and_its_permissions_are_read_off_its_imports() {
    let host = Host::new();
    let artifact = WatSkill::echo().build();
    let size = artifact.len() as u64;
    let info = host.prepare(artifact).await.expect("it is well made");
    assert_eq!(info.size, size);
    let imports: Vec<_> = info.imports.iter().map(String::as_str).collect();
    assert_eq!(imports, ["clawos:skill/clock", "clawos:skill/log", "clawos:skill/random"]);
    assert!(info.permissions.is_empty(), "none of these needs a permission");
}

#[tokio::test]
async fn a_run_that_takes_no_context_is_refused_with_what_to_do() {
    let host = Host::new();
    let old = WatSkill::echo().text().replace(r#" (param "ctx" $context)"#, "").replace(
        "(func (export \"run\") (param i32 i32 i32 i32) (param i32 i32) (param i32 i32 i32) (param i64 i64) (result i32)",
        "(func (export \"run\") (param i32 i32 i32 i32) (result i32)
           (local i32 i32 i32 i32 i32 i64 i64)",
    );
    let refusal = host.refusal(wat::parse_str(old).expect("valid text")).await;
    assert_eq!(refusal, "its `run` does not take a context; build it with the present SDK");
}

#[tokio::test]
async fn exports_that_the_world_does_not_know_do_no_harm() {
    let host = Host::new();
    let mut skill = WatSkill::echo();
    skill.extras = r#"(core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "init") (canon lift (core func $i "f")))"#
        .to_owned();
    host.prepare(skill.build()).await.expect("JavaScript and Python guests have such");
}

#[tokio::test]
async fn what_is_not_a_component_is_refused_with_what_it_is() {
    let host = Host::new();
    let component = WatSkill::echo().build();
    for (artifact, reason) in [
        (Vec::new(), "it is empty"),
        (WatSkill::echo().text().into_bytes(), "it is WebAssembly text"),
        (wat::parse_str("(module)").expect("a module"), "it is a core module"),
        (std::fs::read("/bin/sh").expect("every system has it"), "it is native code"),
        (b"\x7fELF\x02\x01\x01 cwasm".to_vec(), "it is native code"),
        (b"#!/bin/sh".to_vec(), "it is not WebAssembly"),
        (vec![0; 100], "it is not WebAssembly"),
        (component[..component.len() / 2].to_vec(), "it is not a valid component"),
        (b"\0asm\x0d\0\x01\0".to_vec(), "it does not export the function `run`"),
        (vec![b'('; 33 * 1024 * 1024], "at most 33554432 are allowed"),
    ] {
        let refusal = host.refusal(artifact).await;
        assert!(refusal.contains(reason), "{reason}: {refusal}");
    }
}

#[tokio::test]
async fn code_that_this_host_compiled_itself_is_refused_as_an_upload() {
    let host = Host::new();
    host.prepare(WatSkill::echo().build()).await.expect("it is well made");
    let compiled = std::fs::read(&host.compiled()[0]).expect("the cache has it");
    let refusal = host.refusal(compiled).await;
    assert!(refusal.contains("it is native code"), "{refusal}");
}

#[tokio::test]
async fn an_import_that_is_not_given_is_refused_by_name() {
    let host = Host::new();
    for (import, reason) in [
        ("clawos:skill/kv@0.1.0", "the permission `kv` is not available on this server yet"),
        ("clawos:skill/http@0.1.0", "the permission `http` is not available on this server yet"),
        ("clawos:skill/skills@0.1.0", "the permission `skills` is not available on this server yet"),
        ("wasi:sockets/tcp@0.2.0", "which skills are not given"),
        ("wasi:http/outgoing-handler@0.2.0", "which skills are not given"),
        ("clawos:skill/log@9.0.0", "this server has version 0.1.0"),
        ("acme:made/up@1.0.0", "which skills are not given"),
    ] {
        let mut skill = WatSkill::echo();
        skill.imports = format!(r#"(import "{import}" (instance (export "f" (func))))"#);
        let refusal = host.refusal(skill.build()).await;
        assert!(refusal.contains(import) && refusal.contains(reason), "{import}: {refusal}");
    }
    let mut skill = WatSkill::echo();
    skill.imports = r#"(import "escape" (func))"#.to_owned();
    assert!(host.refusal(skill.build()).await.contains("`escape`"));
}

#[tokio::test]
async fn an_import_of_the_wrong_type_or_a_function_that_does_not_exist_is_refused() {
    let host = Host::new();
    for wrong in ["(func (result u32))", "(func (param \"x\" u64) (result u64))"] {
        let artifact = WatSkill::echo().text().replace("(func (result u64))", wrong);
        // The main module must agree with what it imports, or the text would not even be valid.
        let artifact = artifact.replace("(import \"host\" \"now\" (func $now (result i64)))", "");
        let artifact = artifact.replace("(export \"now\" (func $clock-now))", "");
        let refusal = host.refusal(wat::parse_str(artifact).expect("valid text")).await;
        assert!(refusal.contains("does not fit this server"), "{refusal}");
    }
    let mut skill = WatSkill::echo();
    skill.imports = r#"(import "wasi:random/insecure@0.2.0" (instance (export "get-keys" (func))))"#.to_owned();
    let refusal = host.refusal(skill.build()).await;
    assert!(refusal.contains("get-keys"), "{refusal}");
}

#[tokio::test]
async fn a_missing_or_mistyped_run_is_refused() {
    let host = Host::new();
    let renamed = WatSkill::echo().text().replace(r#"(func (export "run") (param"#, r#"(func (export "walk") (param"#);
    let refusal = host.refusal(wat::parse_str(renamed).expect("valid text")).await;
    assert!(refusal.contains("does not export the function `run`"), "{refusal}");
    let mistyped = WatSkill::echo().text().replace(
        r#"(func (export "run") (param "endpoint" string) (param "payload" string)"#,
        r#"(func (export "run") (param "endpoint" string) (param "payload" (list u8))"#,
    );
    let refusal = host.refusal(wat::parse_str(mistyped).expect("valid text")).await;
    assert!(refusal.contains("an instance of it cannot be made"), "{refusal}");
}

#[tokio::test]
async fn shapes_that_are_dear_to_compile_are_refused_before_compiling() {
    let host = Host::new();
    let with = |definitions: String| {
        let mut skill = WatSkill::echo();
        skill.extras = definitions;
        wat::parse_str(skill.text()).expect("valid text")
    };
    let nested = format!("{}{}", "(component ".repeat(12), ")".repeat(12));
    let blocks = format!("(core module (func {}{}))", "(block ".repeat(2_500), ")".repeat(2_500));
    let table = format!("(core module (func (br_table {}(i32.const 0))))", "0 ".repeat(9_000));
    let locals = format!("(core module (func {}))", "(local i32)".repeat(10_001));
    let modules = "(core module)".repeat(70);
    for (definitions, reason) in [
        (nested, "nests components more than 8 deep"),
        (blocks, "nests blocks more than 2000 deep"),
        (table, "more than 8192 targets"),
        (locals, "more than 10000 local variables"),
        (modules, "more than 64 core modules"),
    ] {
        let refusal = host.refusal(with(definitions)).await;
        assert!(refusal.contains(reason), "{refusal}");
    }
    let giant = with_core_module(WatSkill::echo().build(), 1, &heavy_body(60_000));
    assert!(host.refusal(giant).await.contains("split it"));
    let many = with_core_module(WatSkill::echo().build(), 100_001, &[0, 0x0b]);
    assert!(host.refusal(many).await.contains("more than 100000 functions"));
}

#[tokio::test]
async fn a_proposal_that_is_switched_off_is_refused_by_the_compiler() {
    let host = Host::new();
    for definitions in [
        "(core module (func (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))) (memory 1))",
        "(core module (func $f (return_call $f)))",
        "(core module (type (struct)))",
    ] {
        let mut skill = WatSkill::echo();
        skill.extras = definitions.to_owned();
        let refusal = host.refusal(wat::parse_str(skill.text()).expect("valid text")).await;
        assert!(refusal.contains("does not compile"), "{definitions}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_publishers_than_spare_instances_take_turns() {
    let host = Host::with(|config| config.max_concurrent = 1);
    // Its first function computes for a while, so that many are tried out at once.
    let slow = |nth: u32| {
        let mut skill = WatSkill::echo();
        skill.main.push_str(&format!(
            "(func $begin (local $left i32) (local.set $left (i32.const {}))
               (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
             (start $begin)",
            20_000_000 + nth
        ));
        skill.build()
    };
    let artifacts: Vec<_> = (0..8).map(slow).collect();
    for artifact in &artifacts {
        host.prepare(artifact.clone()).await.expect("alone each of them is taken");
    }
    let all = join_all(artifacts.into_iter().map(|artifact| host.prepare(artifact))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compile_bomb_is_killed_once_it_has_computed_enough_while_calls_go_on() {
    let patient = Host::new();
    let echo = WatSkill::echo().build();
    patient.prepare(echo.clone()).await.expect("a small skill compiles");
    // However busy the machine, its wall clock is not what stops the child.
    let host = Arc::new(patient.restarted_with(|config| {
        config.compile_cpu_secs = NonZeroU8::MIN;
        config.compile_wall = Duration::from_secs(3_600);
    }));
    // Within every bound of the static pass, and minutes of work for the compiler.
    let bomb = host.add(with_core_module(echo.clone(), 60, &heavy_body(50_000)));
    let bombing = tokio::spawn({
        let host = Arc::clone(&host);
        async move { host.sandbox.prepare(&bomb).await }
    });
    let mut calls = 0;
    while !bombing.is_finished() {
        assert_eq!(text(&host.run(echo.clone()).await), r#"{"n":1}"#);
        calls += 1;
    }
    match bombing.await.expect("no sandbox panics") {
        Err(Unavailable::InvalidModule(reason)) => {
            assert!(reason.contains("cannot be compiled within the limits"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert!(calls > 10, "only {calls} calls got through beside the bomb");
    assert_eq!(host.compiled().len(), 1, "nothing of the bomb was kept");
}

#[tokio::test]
async fn a_compiler_that_does_not_get_on_is_killed_and_the_artifact_is_not_blamed() {
    let wall = Duration::from_millis(50);
    let host = Host::with(|config| {
        config.compiler = CompilerCommand { program: "/bin/sleep".into(), args: vec!["3600".into()] };
        config.compile_wall = wall;
    });
    match host.prepare(WatSkill::echo().build()).await {
        Err(Unavailable::PoolFull { retry_after }) => assert_eq!(retry_after, wall),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_static_pass_survives_any_damage(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        shorten in any::<bool>(),
    ) {
        let mut artifact = WatSkill::echo().build();
        for (at, byte) in edits {
            let at = at.index(artifact.len());
            artifact[at] = byte;
        }
        if shorten {
            artifact.truncate(cut.index(artifact.len()));
        }
        // Any verdict will do; a panic would not.
        let _ = validate::check(&artifact, &BTreeSet::new());
    }
}

/// Adds a core module of `count` functions with this body to a component. Nothing uses it, but all of it is compiled.
fn with_core_module(mut component: Vec<u8>, count: u32, body: &[u8]) -> Vec<u8> {
    let mut functions = unsigned(count);
    functions.extend((0..count).flat_map(|_| [0]));
    let mut code = unsigned(count);
    for _ in 0..count {
        code.extend(unsigned(u32::try_from(body.len()).expect("a short body")));
        code.extend_from_slice(body);
    }
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    section(&mut module, 1, &[1, 0x60, 0, 0]);
    section(&mut module, 3, &functions);
    section(&mut module, 10, &code);
    section(&mut component, 1, &module);
    component
}

/// A function body of some nine bytes per round that mixes 1,000 variables in a loop: all of them live all the way, hard
/// work for a register allocator.
fn heavy_body(rounds: u32) -> Vec<u8> {
    let mut body = vec![1];
    body.extend(unsigned(1_000));
    body.push(0x7e);
    body.extend([0x03, 0x40]); // loop
    for round in 0..rounds {
        let variable = |step: u32| unsigned(round.wrapping_mul(step) % 1_000);
        body.push(0x20);
        body.extend(variable(7));
        body.push(0x20);
        body.extend(variable(13));
        body.push(0x7e);
        body.push(0x21);
        body.extend(variable(31));
    }
    body.extend([0x20, 0x00, 0x50, 0x0d, 0x00, 0x0b]); // again while the first variable is zero
    body.push(0x0b);
    body
}

fn section(out: &mut Vec<u8>, id: u8, contents: &[u8]) {
    out.push(id);
    out.extend(unsigned(u32::try_from(contents.len()).expect("a short section")));
    out.extend_from_slice(contents);
}

/// LEB128.
fn unsigned(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).expect("seven bits");
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
