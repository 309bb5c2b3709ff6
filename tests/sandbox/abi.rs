//! Abuse of the interface between guest and host: allocators, handles, lists and results that break its rules.

use clawos_runtime::{Failure, Limits};
use clawos_tests::wat_skill::WatSkill;

use crate::host::{Host, text};

/// Limits with little fuel, so that endless work ends soon.
fn frugal() -> Limits {
    Limits { fuel: 1_000_000, ..Limits::default() }
}

#[tokio::test]
async fn a_result_that_is_not_utf8_or_lies_outside_memory_is_a_crash() {
    let host = Host::new();
    let invalid =
        WatSkill::running("(i32.store (i32.const 0) (i32.const 0xfffe)) (call $ok (i32.const 0) (i32.const 2))");
    let outside = WatSkill::running("(call $ok (i32.const 0x7fffff00) (i32.const 1000))");
    let wild = WatSkill::running("(i32.const 0x7ffffff0)");
    let crooked = WatSkill::running("(i32.const 3)");
    for skill in [invalid, outside, wild, crooked] {
        let failure = host.failure(skill.build(), Limits::default()).await;
        assert!(matches!(failure, Failure::Trap(_)), "{failure:?}");
    }
}

#[tokio::test]
async fn an_allocator_that_cheats_the_host_is_a_crash() {
    let host = Host::new();
    for body in ["(i32.const 0x7fffffff)", "(i32.const -1)", "unreachable"] {
        let mut skill = WatSkill::echo();
        skill.libc = format!(
            r#"(memory (export "memory") 2) (func (export "realloc") (param i32 i32 i32 i32) (result i32) {body})"#
        );
        let failure = host.failure(skill.build(), Limits::default()).await;
        assert!(matches!(failure, Failure::Trap(_)), "{body}: {failure:?}");
    }
}

#[tokio::test]
async fn an_allocator_that_loops_pays_for_it() {
    let host = Host::new();
    let mut skill = WatSkill::echo();
    skill.libc = r#"(memory (export "memory") 2)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop $again (br $again)) unreachable)"#
        .to_owned();
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    assert_eq!(host.failure(skill.build(), limits).await, Failure::OutOfFuel);
}

#[tokio::test]
async fn a_log_line_larger_than_any_value_may_be_is_a_crash() {
    let host = Host::new();
    let skill = WatSkill::running(
        "(drop (memory.grow (i32.const 100))) (call $log (i32.const 1) (i32.const 0) (i32.const 6000000)) unreachable",
    );
    let failure = host.failure(skill.build(), Limits::default()).await;
    assert!(matches!(failure, Failure::Trap(_)), "{failure:?}");
}

#[tokio::test]
async fn a_log_level_that_does_not_exist_is_a_crash() {
    let host = Host::new();
    let skill = WatSkill::running("(call $log (i32.const 9) (i32.const 0) (i32.const 1)) unreachable");
    let failure = host.failure(skill.build(), Limits::default()).await;
    assert!(matches!(failure, Failure::Trap(_)), "{failure:?}");
}

#[tokio::test]
async fn an_allocator_that_calls_back_into_the_host_is_a_crash() {
    let host = Host::new();
    // The host calls `realloc` to hand over random bytes, which asks for random bytes, and so on.
    let mut skill = WatSkill::echo();
    skill.libc = r#"(memory (export "memory") 2) (table (export "hook") 1 funcref)
        (type $ask (func (param i32 i32)))
        (global $next (mut i32) (i32.const 32768))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
          (if (i32.eqz (ref.is_null (table.get 0 (i32.const 0))))
            (then (call_indirect (type $ask) (i32.const 16) (i32.const 64) (i32.const 0))))
          (global.set $next (i32.add (global.get $next) (i32.const 64)))
          (global.get $next))"#
        .to_owned();
    skill.main = r#"(import "libc" "hook" (table $hook 1 funcref)) (elem declare func $random)
        (func $run (param i32 i32 i32 i32) (result i32)
          (table.set $hook (i32.const 0) (ref.func $random))
          (call $random (i32.const 16) (i32.const 64)) unreachable)"#
        .to_owned();
    let failure = host.failure(skill.build(), Limits::default()).await;
    assert!(matches!(failure, Failure::Trap(_) | Failure::StackOverflow), "{failure:?}");
}

#[tokio::test]
async fn the_clean_up_after_an_answer_is_under_the_same_limits() {
    let host = Host::new();
    let with_clean_up = |body: &str| {
        let mut skill = WatSkill::echo();
        skill.main.push_str(&format!(r#"(func (export "clean-up") (param i32) {body})"#));
        let lift = r#"(canon lift (core func $main "run") (memory $memory) (realloc $realloc)"#;
        let text = skill.text().replace(lift, &format!(r#"{lift} (post-return (func $main "clean-up"))"#));
        wat::parse_str(text).expect("valid text")
    };
    assert_eq!(text(&host.run(with_clean_up("")).await), r#"{"n":1}"#);
    assert_eq!(host.failure(with_clean_up("(loop $again (br $again))"), frugal()).await, Failure::OutOfFuel);
    let failure = host.failure(with_clean_up("unreachable"), Limits::default()).await;
    assert!(matches!(failure, Failure::Trap(_)), "a call is over when its clean-up is: {failure:?}");
}

#[tokio::test]
async fn handles_are_made_up_to_their_cap_and_their_forgery_is_a_crash() {
    let host = Host::new();
    let with_resource = |body: &str| {
        let mut skill = WatSkill::running(body);
        skill.imports = "(type $thing (resource (rep i32)))".to_owned();
        skill.lowered =
            "(core func $new (canon resource.new $thing)) (core func $drop (canon resource.drop $thing))".to_owned();
        skill.host = r#"(export "new" (func $new)) (export "drop" (func $drop))"#.to_owned();
        let imports = r#"(import "host" "new" (func $new (param i32) (result i32))) (import "host" "drop" (func $drop (param i32)))"#;
        skill.main.insert_str(0, imports);
        skill.build()
    };
    let busy = "(local $left i32) (local.set $left (i32.const 20000))
        (loop $again (call $drop (call $new (i32.const 1)))
          (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $ok (local.get $payload) (local.get $payload-len))";
    assert_eq!(text(&host.run(with_resource(busy)).await), r#"{"n":1}"#);
    for hostile in [
        "(loop $again (drop (call $new (i32.const 1))) (br $again)) unreachable",
        "(call $drop (i32.const 12345)) unreachable",
        "(local $h i32) (local.set $h (call $new (i32.const 1))) (call $drop (local.get $h)) (call $drop (local.get $h)) unreachable",
    ] {
        let failure = host.failure(with_resource(hostile), Limits::default()).await;
        assert!(matches!(failure, Failure::Trap(_)), "{failure:?}");
    }
}
