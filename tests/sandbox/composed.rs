//! Components made of components, as composition tools make them: parts with memories of their own that pass each other
//! text.

use clawos_tests::composed_skill::{composed, shouter, voices};
use clawos_tests::wat_skill::WatSkill;

use crate::host::{Host, text};

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
