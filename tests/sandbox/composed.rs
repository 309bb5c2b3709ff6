//! Components made of components, as composition tools make them: parts with memories of their own that pass each other
//! text.

use clawos_tests::wat_skill::WatSkill;
use wac_graph::{CompositionGraph, EncodeOptions, plug, types::Package};

use crate::host::{Host, text};

/// A component that gives back text in capitals, in another encoding than the skill's where `utf16`.
fn voices(utf16: bool) -> Vec<u8> {
    let (unit, encoding) = if utf16 { (2, "utf16") } else { (1, "utf8") };
    let text = format!(
        r#"(component
          (core module $m
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
              (global.get $next)
              (global.set $next (i32.add (global.get $next)
                (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8)))))
            (func (export "shout") (param $at i32) (param $length i32) (result i32)
              (local $end i32)
              (i32.store (i32.const 16) (local.get $at))
              (i32.store (i32.const 20) (local.get $length))
              (local.set $end (i32.add (local.get $at) (i32.mul (local.get $length) (i32.const {unit}))))
              (loop $next
                (if (i32.lt_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 97)) (i32.const 26))
                  (then (i32.store8 (local.get $at) (i32.sub (i32.load8_u (local.get $at)) (i32.const 32)))))
                (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
              (i32.const 16)))
          (core instance $i (instantiate $m))
          (func $shout (param "text" string) (result string)
            (canon lift (core func $i "shout") (memory $i "memory") (realloc (func $i "realloc"))
              string-encoding={encoding}))
          (instance $voices (export "shout" (func $shout)))
          (export "acme:voices/shout@1.0.0" (instance $voices)))"#
    );
    wat::parse_str(text).expect("valid text")
}

/// A skill that answers with what `acme:voices/shout` makes of its payload.
fn shouter() -> Vec<u8> {
    let mut skill = WatSkill::running(
        "(call $shout (local.get $payload) (local.get $payload-len) (i32.const 64))
         (call $ok (i32.load (i32.const 64)) (i32.load (i32.const 68)))",
    );
    skill.imports = r#"(import "acme:voices/shout@1.0.0"
        (instance $voices (export "shout" (func (param "text" string) (result string)))))"#
        .to_owned();
    skill.lowered =
        r#"(core func $shout (canon lower (func $voices "shout") (memory $memory) (realloc $realloc)))"#.to_owned();
    skill.host = r#"(export "shout" (func $shout))"#.to_owned();
    skill.main.insert_str(0, r#"(import "host" "shout" (func $shout (param i32 i32 i32)))"#);
    skill.build()
}

/// The skill with its import given by the other component, as `wac plug` does it.
fn composed(skill: Vec<u8>, given: Vec<u8>) -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, bytes: Vec<u8>| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).expect("a component");
        graph.register_package(package).expect("names are told apart")
    };
    let (skill, given) = (register("acme:skill", skill), register("acme:voices", given));
    plug(&mut graph, vec![given], skill).expect("it gives what the skill imports");
    graph.encode(EncodeOptions::default()).expect("the composition is valid")
}

#[tokio::test]
async fn a_skill_composed_of_two_components_is_taken_and_runs() {
    let host = Host::new();
    let refusal = host.refusal(shouter()).await;
    assert!(refusal.contains("acme:voices/shout@1.0.0"), "alone it lacks what it imports: {refusal}");
    for utf16 in [false, true] {
        let artifact = composed(shouter(), voices(utf16));
        let info = host.prepare(artifact.clone()).await.expect("it is well made");
        assert!(!info.imports.iter().any(|import| import.contains("voices")), "{info:?}");
        let outcome = host.run(artifact).await;
        assert_eq!(text(&outcome), r#"{"N":1}"#);
        assert!(outcome.replayable);
    }
}

/// QuickJS guests are made like this: the engine's own code between two parts uses the memories of both.
#[tokio::test]
async fn parts_of_a_component_may_pass_each_other_text() {
    let host = Host::new();
    let mut skill = WatSkill::echo();
    skill.extras = r#"(component $taker
          (core module $m (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
            (func (export "take") (param i32 i32)))
          (core instance $i (instantiate $m))
          (func (export "take") (param "text" string)
            (canon lift (core func $i "take") (memory $i "memory") (realloc (func $i "realloc")))))
        (component $giver
          (import "take" (func $take (param "text" string)))
          (core module $libc (memory (export "memory") 1))
          (core instance $libc (instantiate $libc))
          (alias core export $libc "memory" (core memory $memory))
          (core func $take (canon lower (func $take) (memory $memory)))
          (core module $m (import "host" "take" (func $take (param i32 i32)))
            (func (export "give") (call $take (i32.const 0) (i32.const 4))))
          (core instance $i (instantiate $m (with "host" (instance (export "take" (func $take))))))
          (func (export "give") (canon lift (core func $i "give"))))
        (instance $one (instantiate $taker))
        (instance $two (instantiate $giver (with "take" (func $one "take"))))
        (export "give" (func $two "give"))"#
        .to_owned();
    let artifact = skill.build();
    host.prepare(artifact.clone()).await.expect("it is well made");
    assert_eq!(text(&host.run(artifact).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn a_core_module_with_two_memories_is_refused() {
    let host = Host::new();
    let mut skill = WatSkill::echo();
    skill.extras = "(core module $m (memory 1) (memory 1)) (core instance (instantiate $m))".to_owned();
    let refusal = host.refusal(skill.build()).await;
    assert!(refusal.contains("more than one memory"), "{refusal}");
    skill.extras = r#"(core module $m (import "libc" "memory" (memory 1)) (memory 1))
        (core instance (instantiate $m (with "libc" (instance $libc))))"#
        .to_owned();
    let refusal = host.refusal(skill.build()).await;
    assert!(refusal.contains("more than one memory"), "one is imported: {refusal}");
}
