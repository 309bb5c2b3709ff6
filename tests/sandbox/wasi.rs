//! An ordinary `wasm32-wasip2` program: its WASI imports are there, with nothing behind them.

use std::time::Duration;

use clawos_runtime::{Failure, Limits, LogLevel, wasm::bindings::LINKED};
use clawos_tests::wat_skill::WatSkill;

use crate::host::{Host, text};

/// Imports of the interfaces below, as a program compiled for `wasm32-wasip2` has them.
const IMPORTS: &str = r#"
  (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $error'))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export $pollable "pollable" (type (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
    (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable'))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export $out "output-stream" (type (sub resource)))
    (export $in "input-stream" (type (sub resource)))
    (alias outer 1 $error' (type $e))
    (export $error "error" (type (eq $e)))
    (type $stream-error (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export $se "stream-error" (type (eq $stream-error)))
    (export "[method]output-stream.write"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $se)))))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $se)))))))
  (alias export $streams "output-stream" (type $out'))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $out' (type $o)) (export $out "output-stream" (type (eq $o)))
    (export "get-stdout" (func (result (own $out))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))
    (export "initial-cwd" (func (result (option string))))))
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))
    (export "exit-with-code" (func (param "status-code" u8)))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $monotonic
    (alias outer 1 $pollable' (type $p)) (export $pollable "pollable" (type (eq $p)))
    (export "now" (func (result u64)))
    (export "resolution" (func (result u64)))
    (export "subscribe-instant" (func (param "when" u64) (result (own $pollable))))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
    (type $d' (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export $d "datetime" (type (eq $d')))
    (export "now" (func (result $d)))
    (export "resolution" (func (result $d)))))
  (import "wasi:random/random@0.2.0" (instance $wasi-random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:filesystem/types@0.2.0" (instance $files
    (export $descriptor "descriptor" (type (sub resource)))
    (export "[method]descriptor.sync" (func (param "self" (borrow $descriptor)) (result (result))))))
  (alias export $files "descriptor" (type $descriptor'))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor' (type $d')) (export $descriptor "descriptor" (type (eq $d')))
    (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))
"#;

/// What is linked beyond that, with its published types.
const MORE_IMPORTS: &str = r#"
  (import "clawos:skill/progress@0.1.0" (instance
    (export "report" (func (param "done" u32) (param "total" u32) (param "note" string)))))
  (alias export $streams "input-stream" (type $in'))
  (import "wasi:cli/stdin@0.2.3" (instance
    (alias outer 1 $in' (type $i)) (export $in "input-stream" (type (eq $i)))
    (export "get-stdin" (func (result (own $in))))))
  (import "wasi:cli/stderr@0.2.3" (instance
    (alias outer 1 $out' (type $o)) (export $out "output-stream" (type (eq $o)))
    (export "get-stderr" (func (result (own $out))))))
  (import "wasi:cli/terminal-input@0.2.3" (instance $terminal-input (export "terminal-input" (type (sub resource)))))
  (alias export $terminal-input "terminal-input" (type $tin'))
  (import "wasi:cli/terminal-output@0.2.3" (instance $terminal-output (export "terminal-output" (type (sub resource)))))
  (alias export $terminal-output "terminal-output" (type $tout'))
  (import "wasi:cli/terminal-stdin@0.2.3" (instance
    (alias outer 1 $tin' (type $t)) (export $terminal "terminal-input" (type (eq $t)))
    (export "get-terminal-stdin" (func (result (option (own $terminal)))))))
  (import "wasi:cli/terminal-stdout@0.2.3" (instance
    (alias outer 1 $tout' (type $t)) (export $terminal "terminal-output" (type (eq $t)))
    (export "get-terminal-stdout" (func (result (option (own $terminal)))))))
  (import "wasi:cli/terminal-stderr@0.2.3" (instance
    (alias outer 1 $tout' (type $t)) (export $terminal "terminal-output" (type (eq $t)))
    (export "get-terminal-stderr" (func (result (option (own $terminal)))))))
  (import "wasi:random/insecure@0.2.3" (instance
    (export "get-insecure-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-insecure-random-u64" (func (result u64)))))
  (import "wasi:random/insecure-seed@0.2.3" (instance
    (export "insecure-seed" (func (result (tuple u64 u64))))))
"#;

const LOWERED: &str = r#"
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $memory)))
  (core func $print (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory)))
  (core func $get-environment (canon lower (func $environment "get-environment") (memory $memory) (realloc $realloc)))
  (core func $get-arguments (canon lower (func $environment "get-arguments") (memory $memory) (realloc $realloc)))
  (core func $get-directories (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))
  (core func $exit (canon lower (func $exit "exit")))
  (core func $monotonic-now (canon lower (func $monotonic "now")))
  (core func $subscribe (canon lower (func $monotonic "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $poll-all (canon lower (func $poll "poll") (memory $memory) (realloc $realloc)))
  (core func $drop-pollable (canon resource.drop $pollable'))
  (core func $wall-now (canon lower (func $wall "now") (memory $memory)))
  (core func $random-u64 (canon lower (func $wasi-random "get-random-u64")))
  (core func $random-many (canon lower (func $wasi-random "get-random-bytes") (memory $memory) (realloc $realloc)))
"#;

/// Each lowered function's name in the main module and its core type.
const FUNCTIONS: &[(&str, &str)] = &[
    ("get-stdout", "(result i32)"),
    ("write", "(param i32 i32 i32 i32)"),
    ("print", "(param i32 i32 i32 i32)"),
    ("get-environment", "(param i32)"),
    ("get-arguments", "(param i32)"),
    ("get-directories", "(param i32)"),
    ("exit", "(param i32)"),
    ("monotonic-now", "(result i64)"),
    ("subscribe", "(param i64) (result i32)"),
    ("block", "(param i32)"),
    ("poll-all", "(param i32 i32 i32)"),
    ("drop-pollable", "(param i32)"),
    ("wall-now", "(param i32)"),
    ("random-u64", "(result i64)"),
    ("random-many", "(param i64 i32)"),
];

/// Limits that a busy machine keeps to as well.
fn patient() -> Limits {
    Limits { wall: Duration::from_secs(60), ..Limits::default() }
}

/// Writes a handle `$many` times from 4096 on.
const LIST: &str = "(func $list (param $handle i32) (param $many i32)
  (loop $again
    (local.set $many (i32.sub (local.get $many) (i32.const 1)))
    (i32.store offset=4096 (i32.mul (local.get $many) (i32.const 4)) (local.get $handle))
    (br_if $again (local.get $many))))";

/// A skill that imports all of the above and whose `run` has this body.
fn program(body: &str) -> Vec<u8> {
    let mut skill = WatSkill::running(body);
    let imports: String =
        FUNCTIONS.iter().map(|(name, ty)| format!(r#"(import "host" "{name}" (func ${name} {ty}))"#)).collect();
    skill.main = format!(r#"{imports} (data (i32.const 64) "hello\nworld\n") {LIST} {}"#, skill.main);
    skill.imports = IMPORTS.to_owned();
    skill.lowered = LOWERED.to_owned();
    skill.host = FUNCTIONS.iter().map(|(name, _)| format!(r#"(export "{name}" (func ${name}))"#)).collect();
    skill.build()
}

const ANSWER: &str = "(call $ok (local.get $payload) (local.get $payload-len))";
/// Crashes when the value on top is not zero.
const MUST_BE_ZERO: &str = "(if (then unreachable))";

/// Polls one timer, named `many` times in the list.
fn polling(many: u32) -> String {
    format!(
        "(call $list (call $subscribe (i64.const 1)) (i32.const {many}))
         (call $poll-all (i32.const 4096) (i32.const {many}) (i32.const 520))
         (call $drop-pollable (i32.load (i32.const 4096)))"
    )
}

#[tokio::test]
async fn its_imports_are_permissions_like_any_other() {
    let info = Host::new().prepare(program(ANSWER)).await.expect("all of them are linked");
    for name in ["wasi:cli/environment", "wasi:filesystem/preopens", "wasi:random/random", "wasi:io/streams"] {
        assert!(info.imports.contains(name), "{name} is missing in {:?}", info.imports);
    }
}

#[tokio::test]
async fn every_linked_function_has_its_published_type() {
    let mut skill = WatSkill::echo();
    skill.imports = format!("{IMPORTS}{MORE_IMPORTS}");
    let info = Host::new().prepare(skill.build()).await.expect("all of them fit");
    let linked: Vec<_> = LINKED.iter().map(|interface| interface.name).collect();
    let missing: Vec<_> = linked.iter().filter(|name| !info.imports.contains(**name)).collect();
    assert!(missing.is_empty(), "this test does not import {missing:?}");
}

#[tokio::test]
async fn standard_output_is_the_log_line_by_line() {
    let host = Host::new();
    let body = format!("(call $print (call $get-stdout) (i32.const 64) (i32.const 12) (i32.const 0)) {ANSWER}");
    let outcome = host.run(program(&body)).await;
    assert_eq!(text(&outcome), r#"{"n":1}"#);
    let lines: Vec<_> = outcome.logs.iter().map(|line| (line.level, line.message.as_str())).collect();
    assert_eq!(lines, [(LogLevel::Info, "hello"), (LogLevel::Info, "world")]);
}

#[tokio::test]
async fn a_flood_of_standard_output_is_cut_and_the_call_succeeds() {
    let host = Host::new();
    let body = format!(
        "(local $left i32) (local $out i32)
         (local.set $out (call $get-stdout)) (local.set $left (i32.const 20000))
         (loop $again
           (call $print (local.get $out) (i32.const 64) (i32.const 4096) (i32.const 0))
           (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
         {ANSWER}"
    );
    let outcome = host.run_with(program(&body), patient()).await;
    assert_eq!(text(&outcome), r#"{"n":1}"#);
    assert!(outcome.logs_truncated);
    let kept: usize = outcome.logs.iter().map(|line| line.message.len()).sum();
    assert!(kept <= 16 * 1024, "{kept}");
}

#[tokio::test]
async fn what_is_printed_in_pieces_is_one_line_whichever_handle_it_went_through() {
    let host = Host::new();
    let print = |from: u32, len: u32| {
        format!("(call $print (call $get-stdout) (i32.const {from}) (i32.const {len}) (i32.const 0))")
    };
    let outcome = host.run(program(&format!("{} {} {ANSWER}", print(64, 3), print(67, 6)))).await;
    let lines: Vec<_> = outcome.logs.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(lines, ["hello", "wor"]);
}

#[tokio::test]
async fn a_write_above_the_streams_permit_is_a_crash() {
    let host = Host::new();
    let write = |len: u32| {
        format!(
            "(drop (memory.grow (i32.const 4)))
             (call $write (call $get-stdout) (i32.const 64) (i32.const {len}) (i32.const 0)) {ANSWER}"
        )
    };
    assert_eq!(text(&host.run(program(&write(65_536))).await), r#"{"n":1}"#);
    match host.failure(program(&write(65_537)), Limits::default()).await {
        Failure::Trap(text) => assert!(text.contains("at most 65536 are taken"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn streams_cost_fuel_by_the_call_and_by_the_byte_the_same_each_time() {
    let host = Host::new();
    let fuel = async |bytes: u32| {
        let body = format!(
            "(call $print (call $get-stdout) (i32.const 64) (i32.const {bytes}) (i32.const 0))
             (call $print (call $get-stdout) (i32.const 64) (i32.const 0) (i32.const 0)) {ANSWER}"
        );
        let artifact = program(&body);
        let first = host.run(artifact.clone()).await.usage.fuel;
        assert_eq!(host.run(artifact).await.usage.fuel, first);
        first
    };
    let none = fuel(0).await;
    assert_eq!(fuel(4_000).await, none + 4_000);
    assert!(none > 4 * 500, "two streams and two writes cost {none}");
}

#[tokio::test]
async fn a_poll_costs_by_the_pollables_it_asks() {
    let host = Host::new();
    let fuel = async |many: u32| {
        let outcome = host.run(program(&format!("{} {ANSWER}", polling(many)))).await;
        assert_eq!(text(&outcome), r#"{"n":1}"#);
        outcome.usage.fuel
    };
    let (one, many) = (fuel(1).await, fuel(900).await);
    assert!(many - one >= 899 * 500, "{one} and {many}");
}

#[tokio::test]
async fn the_host_does_not_work_for_nothing_on_streams_and_polls() {
    let host = Host::new();
    let line_feeds = "(local $out i32) (local.set $out (call $get-stdout))
        (memory.fill (i32.const 4096) (i32.const 10) (i32.const 4096))
        (loop $again (call $print (local.get $out) (i32.const 4096) (i32.const 4096) (i32.const 0)) (br $again))
        unreachable"
        .to_owned();
    let polls = format!("(loop $again {} (br $again)) unreachable", polling(900));
    let fuel = 10_000_000;
    for body in [line_feeds, polls] {
        let outcome = host.run_with(program(&body), Limits { fuel, ..patient() }).await;
        assert_eq!(outcome.result, Err(Failure::OutOfFuel));
        assert_eq!(outcome.usage.fuel, fuel, "all of it was used");
        // A loop of plain instructions takes some 10 ms for this much; here the host is not optimised.
        assert!(outcome.usage.cpu_us < 2_000_000, "{:?}", outcome.usage);
    }
}

#[tokio::test]
async fn it_finds_no_environment_no_arguments_and_no_directories() {
    let host = Host::new();
    let count_of =
        |function: &str| format!("(call ${function} (i32.const 256)) (i32.load (i32.const 260)) {MUST_BE_ZERO}");
    let lists = ["get-environment", "get-arguments", "get-directories"].map(count_of).concat();
    assert_eq!(text(&host.run(program(&format!("{lists} {ANSWER}"))).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn sleeping_an_hour_takes_no_time_and_moves_its_clock_by_an_hour() {
    let host = Host::new();
    let artifact = program(&format!(
        "(call $block (call $subscribe (i64.const 3600000000000)))
         (i64.lt_u (call $monotonic-now) (i64.const 3600000000000)) {MUST_BE_ZERO}
         (i64.gt_u (call $monotonic-now) (i64.const 3600001000000)) {MUST_BE_ZERO}
         {ANSWER}"
    ));
    host.prepare(artifact.clone()).await.expect("it is well made");
    let first = host.run(artifact.clone()).await;
    assert_eq!(text(&first), r#"{"n":1}"#);
    assert_eq!(host.run(artifact).await.usage.fuel, first.usage.fuel);
}

#[tokio::test]
async fn of_two_timers_the_shorter_one_is_ready_first() {
    let host = Host::new();
    let artifact = program(&format!(
        "(i32.store (i32.const 512) (call $subscribe (i64.const 7200000000000)))
         (i32.store (i32.const 516) (call $subscribe (i64.const 3600000000000)))
         (call $poll-all (i32.const 512) (i32.const 2) (i32.const 520))
         (i32.ne (i32.load (i32.const 524)) (i32.const 1)) {MUST_BE_ZERO}
         (i32.ne (i32.load (i32.load (i32.const 520))) (i32.const 1)) {MUST_BE_ZERO}
         (i64.ge_u (call $monotonic-now) (i64.const 7200000000000)) {MUST_BE_ZERO}
         {ANSWER}"
    ));
    assert_eq!(text(&host.run(artifact).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn a_million_timers_meet_the_resource_limit() {
    let host = Host::new();
    let artifact = program("(loop $more (drop (call $subscribe (i64.const 1))) (br $more)) unreachable");
    let failure = host.failure(artifact, Limits::default()).await;
    assert!(matches!(failure, Failure::Trap(_)), "{failure:?}");
    let tidy = program(&format!(
        "(local $left i32) (local.set $left (i32.const 5000))
         (loop $more
           (call $drop-pollable (call $subscribe (i64.const 1)))
           (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
         {ANSWER}"
    ));
    assert_eq!(text(&host.run(tidy).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn the_wall_clock_is_the_calls_time_and_randomness_is_one_stream() {
    let host = Host::new();
    let artifact = program(&format!(
        "(call $wall-now (i32.const 256))
         (i64.ne (i64.load (i32.const 256)) (i64.const 1700000000)) {MUST_BE_ZERO}
         (i32.ne (i32.load (i32.const 264)) (i32.const 123000000)) {MUST_BE_ZERO}
         (i64.eq (call $random-u64) (call $random-u64)) {MUST_BE_ZERO}
         {ANSWER}"
    ));
    assert_eq!(text(&host.run(artifact).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn asking_for_a_terabyte_of_randomness_or_leaving_is_a_crash() {
    let host = Host::new();
    for (body, words) in [
        ("(call $random-many (i64.const 1099511627776) (i32.const 256)) unreachable", "random bytes"),
        ("(call $exit (i32.const 0)) unreachable", "exited instead of answering"),
        ("(call $poll-all (i32.const 512) (i32.const 0) (i32.const 520)) unreachable", "empty poll list"),
        (
            "(drop (memory.grow (i32.const 200))) (call $poll-all (i32.const 0) (i32.const 1000000) (i32.const 520)) unreachable",
            "too much data",
        ),
        ("(call $print (i32.const 77) (i32.const 64) (i32.const 5) (i32.const 0)) unreachable", "handle"),
    ] {
        match host.failure(program(body), Limits::default()).await {
            Failure::Trap(text) => assert!(text.contains(words), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}
