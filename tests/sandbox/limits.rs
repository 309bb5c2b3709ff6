//! Every limit: what stays under it works, what goes over it ends with that limit's name, and the host goes on.

use std::time::Duration;

use clawos_runtime::{Failure, GuestErrorCode, Limits};
use clawos_tests::wat_skill::WatSkill;

use crate::host::{Host, only_wall, text};

const MIB: u64 = 1024 * 1024;

/// A loop that never ends.
const FOREVER: &str = "(loop $again (br $again)) unreachable";

/// Sets every byte of `len` from `at`.
fn fill(at: u32, len: u32) -> String {
    format!("(memory.fill (i32.const {at}) (i32.const 120) (i32.const {len}))")
}

#[tokio::test]
async fn a_well_behaved_call_gives_its_result_and_its_bill() {
    let host = Host::new();
    let outcome = host.run(WatSkill::echo().build()).await;
    assert_eq!(text(&outcome), r#"{"n":1}"#);
    let usage = outcome.usage;
    assert!(usage.fuel > 0 && usage.fuel < 10_000, "{usage:?}");
    assert_eq!((usage.bytes_in, usage.bytes_out, usage.host_calls), (11, 7, 0));
    assert_eq!(usage.peak_memory, 2 * 65_536);
    assert!(usage.cpu_us > 0 && usage.wall_us > 0, "{usage:?}");
    assert!(outcome.replayable && outcome.logs.is_empty() && !outcome.logs_truncated);
}

#[tokio::test]
async fn an_answer_of_the_skill_that_is_an_error_keeps_its_code_and_text() {
    let host = Host::new();
    let skill = WatSkill::new(
        r#"(data (i32.const 64) "no such document")
           (func $run (param i32 i32 i32 i32) (result i32) (call $refuse (i32.const 1) (i32.const 64) (i32.const 16)))"#,
    );
    let failure = host.failure(skill.build(), Limits::default()).await;
    let message = "no such document".to_owned();
    assert_eq!(failure, Failure::GuestError { code: GuestErrorCode::NotFound, message });
}

#[tokio::test]
async fn a_failed_call_smuggles_out_no_more_than_a_kibibyte() {
    let host = Host::new();
    let body = format!("{} (call $refuse (i32.const 0) (i32.const 0) (i32.const 30000))", fill(0, 30_000));
    match host.failure(WatSkill::running(&body).build(), Limits::default()).await {
        Failure::GuestError { message, .. } => assert_eq!(message.len(), 1024),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_infinite_loop_runs_out_of_fuel() {
    let host = Host::new();
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    let outcome = host.run_with(WatSkill::running(FOREVER).build(), limits).await;
    assert_eq!(outcome.result, Err(Failure::OutOfFuel));
    assert_eq!(outcome.usage.fuel, 1_000_000, "all of it was used");
}

#[tokio::test]
async fn an_infinite_loop_with_endless_fuel_meets_its_deadline() {
    let host = Host::new();
    host.run(WatSkill::echo().build()).await;
    let artifact = WatSkill::running(FOREVER).build();
    host.prepare(artifact.clone()).await.expect("it looks harmless");
    let outcome = host.run_with(artifact, only_wall(Duration::from_millis(100))).await;
    assert_eq!(outcome.result, Err(Failure::Deadline));
    assert!(!outcome.replayable, "how far it came depends on the host");
    assert!(outcome.usage.wall_us >= 100_000, "it had all its time: {:?}", outcome.usage);
}

#[tokio::test]
async fn a_start_function_that_loops_is_stopped_by_the_same_limits() {
    let host = Host::new();
    let mut skill = WatSkill::echo();
    skill.main.push_str("(func $begin (loop $again (br $again))) (start $begin)");
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    assert_eq!(host.failure(skill.build(), limits).await, Failure::OutOfFuel);
    let refusal = host.refusal(skill.build()).await;
    assert!(refusal.contains("an instance of it cannot be made"), "{refusal}");
}

#[tokio::test]
async fn endless_recursion_overflows_the_guests_stack_and_not_the_hosts() {
    let host = Host::new();
    let skill = WatSkill::new(
        "(func $run (param i32 i32 i32 i32) (result i32)
        (call $run (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
    );
    assert_eq!(host.failure(skill.build(), Limits::default()).await, Failure::StackOverflow);
    assert!(!host.run(skill.build()).await.replayable, "how deep it came depends on the processor");
    let deep = WatSkill::new(
        "(func $run (param i32 i32 i32 i32) (result i32)
          (call $down (i32.const 2000)) (call $ok (local.get 2) (local.get 3)))
        (func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))",
    );
    assert_eq!(text(&host.run(deep.build()).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn memory_may_grow_to_the_limit_and_not_a_page_further() {
    let host = Host::new();
    let grow_to = |pages: u32| {
        WatSkill::running(&format!(
            "(drop (memory.grow (i32.const {}))) (call $ok (local.get $payload) (local.get $payload-len))",
            pages - 2
        ))
        .build()
    };
    let limits = Limits { memory_bytes: MIB, ..Limits::default() };
    let outcome = host.run_with(grow_to(16), limits).await;
    assert_eq!(text(&outcome), r#"{"n":1}"#);
    assert_eq!(outcome.usage.peak_memory, MIB);
    assert_eq!(host.failure(grow_to(17), limits).await, Failure::Memory);
}

#[tokio::test]
async fn growing_memory_in_a_loop_ends_at_the_limit() {
    let host = Host::new();
    let skill = WatSkill::running("(loop $more (drop (memory.grow (i32.const 1))) (br $more)) unreachable");
    assert_eq!(host.failure(skill.build(), Limits::default()).await, Failure::Memory);
}

#[tokio::test]
async fn growing_memory_costs_fuel_by_the_page() {
    let host = Host::new();
    let fuel = async |pages: u32| {
        let body = format!("(drop (memory.grow (i32.const {pages}))) (call $ok (i32.const 0) (i32.const 0))");
        host.run(WatSkill::running(&body).build()).await.usage.fuel
    };
    assert_eq!(fuel(101).await - fuel(1).await, 100 * 255);
}

#[tokio::test]
async fn a_guest_whose_memory_starts_above_the_limit_of_a_call_fails_that_call_only() {
    let host = Host::new();
    let mut skill = WatSkill::echo();
    skill.libc = skill.libc.replace(r#"(export "memory") 2"#, r#"(export "memory") 32"#);
    let limits = Limits { memory_bytes: MIB, ..Limits::default() };
    assert_eq!(host.failure(skill.build(), limits).await, Failure::Memory);
    assert_eq!(text(&host.run(skill.build()).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn tables_count_as_memory() {
    let host = Host::new();
    let skill = WatSkill::new(
        "(table $t 1 funcref)
         (func $run (param i32 i32 i32 i32) (result i32)
           (drop (table.grow $t (ref.null func) (i32.const 10000))) (call $ok (local.get 2) (local.get 3)))",
    );
    let outcome = host.run(skill.build()).await;
    assert_eq!(outcome.usage.peak_memory, 2 * 65_536 + 10_001 * 8);
    let limits = Limits { memory_bytes: 2 * 65_536 + 10_000 * 8, ..Limits::default() };
    assert_eq!(host.failure(skill.build(), limits).await, Failure::Memory);
}

#[tokio::test]
async fn an_output_at_the_limit_is_given_and_one_byte_more_is_not() {
    let host = Host::new();
    let answer =
        |len: u32| WatSkill::running(&format!("{} (call $ok (i32.const 0) (i32.const {len}))", fill(0, len))).build();
    let limits = Limits { output_bytes: 1000, ..Limits::default() };
    assert_eq!(text(&host.run_with(answer(1000), limits).await).len(), 1000);
    assert_eq!(host.failure(answer(1001), limits).await, Failure::OutputTooLarge);
}

#[tokio::test]
async fn an_output_of_64_mib_is_refused_without_copying_it() {
    let host = Host::new();
    let skill =
        WatSkill::running("(drop (memory.grow (i32.const 1100))) (call $ok (i32.const 0) (i32.const 67108864))");
    let limits = Limits { memory_bytes: 128 * MIB, ..Limits::default() };
    assert_eq!(host.failure(skill.build(), limits).await, Failure::OutputTooLarge);
}

#[tokio::test]
async fn crashes_say_what_happened() {
    let host = Host::new();
    for (body, words) in [
        ("unreachable", "unreachable"),
        ("(i32.load (i32.const 0x7fffffff))", "out of bounds"),
        ("(i32.div_u (i32.const 1) (i32.const 0))", "divide by zero"),
    ] {
        match host.failure(WatSkill::running(body).build(), Limits::default()).await {
            Failure::Trap(text) => assert!(text.contains(words), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Logs 100 bytes `times` times, then answers.
fn chatty(times: u32) -> Vec<u8> {
    WatSkill::running(&format!(
        "(local $left i32) {} (local.set $left (i32.const {times}))
         (loop $again
           (call $log (i32.const 1) (i32.const 0) (i32.const 100))
           (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
         (call $ok (local.get $payload) (local.get $payload-len))",
        fill(0, 100)
    ))
    .build()
}

#[tokio::test]
async fn a_log_flood_is_cut_and_marked_and_does_not_fail_the_call() {
    let host = Host::new();
    let quiet = host.run(chatty(3)).await;
    assert_eq!((quiet.logs.len(), quiet.logs_truncated, quiet.usage.host_calls), (3, false, 3));
    let flood = host.run(chatty(10_000)).await;
    assert_eq!(text(&flood), r#"{"n":1}"#);
    assert!(flood.logs_truncated);
    let kept: usize = flood.logs.iter().map(|line| line.message.len()).sum();
    assert!(kept > 15 * 1024 && kept <= 16 * 1024, "{kept}");
}

#[tokio::test]
async fn random_bytes_are_given_64_kib_at_a_time_and_paid_for() {
    let host = Host::new();
    let ask = |bytes: u32| {
        WatSkill::running(&format!(
            "(call $random (i32.const {bytes}) (i32.const 64)) (call $ok (local.get $payload) (local.get $payload-len))"
        ))
        .build()
    };
    let small = host.run(ask(16)).await.usage;
    let large = host.run(ask(65_536)).await.usage;
    assert!(large.fuel - small.fuel >= 65_520, "{small:?} {large:?}");
    for bytes in [65_537, u32::MAX] {
        match host.failure(ask(bytes), Limits::default()).await {
            Failure::Trap(text) => assert!(text.contains("at most 65536 are given"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn progress_reports_are_counted_and_paid_for_by_the_byte_and_need_no_listener() {
    let host = Host::new();
    let reporting = |times: u32, note_bytes: u32| {
        let mut skill = WatSkill::running(&format!(
            "(local $left i32) (local.set $left (i32.const {times}))
             (loop $again
               (call $report (i32.const 1) (i32.const 2) (i32.const 1024) (i32.const {note_bytes}))
               (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
             (call $ok (local.get $payload) (local.get $payload-len))"
        ));
        skill.imports = r#"(import "clawos:skill/progress@0.1.0" (instance $progress
            (export "report" (func (param "done" u32) (param "total" u32) (param "note" string)))))"#
            .to_owned();
        skill.lowered = r#"(core func $report (canon lower (func $progress "report") (memory $memory)))"#.to_owned();
        skill.host = r#"(export "report" (func $report))"#.to_owned();
        skill.main.insert_str(0, r#"(import "host" "report" (func $report (param i32 i32 i32 i32)))"#);
        skill.build()
    };
    let short = host.run(reporting(3, 0)).await;
    assert_eq!((text(&short), short.usage.host_calls), (r#"{"n":1}"#, 3));
    let long = host.run(reporting(3, 10_000)).await;
    assert_eq!((text(&long), long.usage.host_calls), (r#"{"n":1}"#, 3));
    assert_eq!(long.usage.fuel - short.usage.fuel, 3 * 10_000);
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    assert_eq!(host.failure(reporting(u32::MAX, 64), limits).await, Failure::OutOfFuel);
}

#[tokio::test]
async fn host_calls_cost_fuel_so_a_guest_cannot_make_the_host_work_for_nothing() {
    let host = Host::new();
    let skill = WatSkill::running("(loop $again (drop (call $now)) (br $again)) unreachable");
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    let outcome = host.run_with(skill.build(), limits).await;
    assert_eq!(outcome.result, Err(Failure::OutOfFuel));
    assert!(outcome.usage.host_calls < 2_000, "{:?}", outcome.usage);
}

#[tokio::test]
async fn a_payload_that_is_not_text_never_reaches_the_guest() {
    let host = Host::new();
    let module = host.add(WatSkill::echo().build());
    let mut call = crate::host::call(Limits::default());
    call.payload = vec![0xff, 0xfe].into();
    let outcome = clawos_runtime::Sandbox::run(&host.sandbox, &module, call).await.expect("the call takes place");
    assert_eq!(outcome.usage.fuel, 0);
    assert!(matches!(outcome.result, Err(Failure::GuestError { code: GuestErrorCode::BadRequest, .. })));
}
