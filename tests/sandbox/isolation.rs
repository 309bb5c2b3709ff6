//! Calls apart from each other: nothing is left behind for the next one, and no crowd of runaways takes the host.

use std::{sync::Arc, time::Duration};

use clawos_runtime::{
    CancellationToken, Failure, Invocation, Limits, Sandbox as _, Unavailable, wasm::CompilerCommand,
};
use clawos_tests::wat_skill::WatSkill;
use tokio::{task::JoinSet, time::timeout};

use crate::host::{Host, call, in_own_process, only_wall, text};

/// How long a test waits for what must happen, before it fails instead of standing still.
const PATIENCE: Duration = Duration::from_secs(300);

/// Fills memory, a table, a global and its stack with a marker.
fn tenant_who_leaves_things_behind() -> Vec<u8> {
    WatSkill::new(
        "(table $t 1000 funcref)
         (global $g (mut i64) (i64.const 0))
         (elem declare func $run)
         (func $run (param i32 i32 i32 i32) (result i32)
           (memory.fill (i32.const 1024) (i32.const 0xAB) (i32.const 20000))
           (drop (memory.grow (i32.const 30)))
           (memory.fill (i32.const 131072) (i32.const 0xAB) (i32.const 1966080))
           (table.fill $t (i32.const 0) (ref.func $run) (i32.const 1000))
           (global.set $g (i64.const 0xABABABAB))
           (drop (call $deep (i32.const 500) (i64.const 0xABABABABABABABAB)))
           (call $ok (local.get 2) (local.get 3)))
         (func $deep (param i32 i64) (result i64)
           (if (result i64) (local.get 0)
             (then (i64.add (local.get 1) (call $deep (i32.sub (local.get 0) (i32.const 1)) (local.get 1))))
             (else (local.get 1))))",
    )
    .build()
}

/// Looks everywhere it can, memory it grows included, and answers `clean` or crashes.
fn tenant_who_looks_around() -> Vec<u8> {
    WatSkill::new(
        r#"(data (i32.const 64) "clean")
         (table $t 1000 funcref)
         (global $g (mut i64) (i64.const 0))
         (func $must-be-empty (param $from i32) (param $to i32)
           (loop $next
             (if (i64.ne (i64.load (local.get $from)) (i64.const 0)) (then unreachable))
             (br_if $next (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 512))) (local.get $to)))))
         (func $run (param i32 i32 i32 i32) (result i32) (local $slot i32)
           (call $must-be-empty (i32.const 1024) (i32.const 30000))
           (drop (memory.grow (i32.const 30)))
           (call $must-be-empty (i32.const 131072) (i32.const 2097000))
           (loop $next
             (if (i32.eqz (ref.is_null (table.get $t (local.get $slot)))) (then unreachable))
             (br_if $next (i32.lt_u (local.tee $slot (i32.add (local.get $slot) (i32.const 1))) (i32.const 1000))))
           (if (i64.ne (global.get $g) (i64.const 0)) (then unreachable))
           (call $ok (i32.const 64) (i32.const 5)))"#,
    )
    .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_three_thousand_alternations_no_tenant_finds_anything_of_another() {
    // Two slots, so that every call reuses what the one before it left.
    let host = Host::with(|config| config.max_concurrent = 2);
    let (messy, curious) = (host.add(tenant_who_leaves_things_behind()), host.add(tenant_who_looks_around()));
    for _ in 0..1_500 {
        let messy = host.sandbox.run(&messy, call(Limits::default())).await.expect("the call takes place");
        assert!(messy.result.is_ok(), "{messy:?}");
        let curious = host.sandbox.run(&curious, call(Limits::default())).await.expect("the call takes place");
        assert_eq!(text(&curious), "clean");
    }
}

#[tokio::test]
async fn one_instance_serves_one_call() {
    let host = Host::new();
    let counter = WatSkill::new(
        r#"(data (i32.const 64) "0")
           (func $run (param i32 i32 i32 i32) (result i32)
             (i32.store8 (i32.const 64) (i32.add (i32.load8_u (i32.const 64)) (i32.const 1)))
             (call $ok (i32.const 64) (i32.const 1)))"#,
    )
    .build();
    for _ in 0..3 {
        assert_eq!(text(&host.run(counter.clone()).await), "1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_runaways_eight_run_the_rest_are_told_to_wait_and_the_host_stays_awake() {
    let host = Arc::new(Host::new());
    let runaway = host.add(WatSkill::running("(loop $again (br $again)) unreachable").build());
    let echo = host.add(WatSkill::echo().build());
    host.sandbox.prepare(&runaway).await.expect("it looks harmless");
    host.sandbox.prepare(&echo).await.expect("it is harmless");
    let stop = CancellationToken::new();
    let mut crowd = JoinSet::new();
    for _ in 0..1_000 {
        let (host, stop) = (host.clone(), stop.clone());
        let runaway_call = Invocation { cancellation: stop, ..call(only_wall(2 * PATIENCE)) };
        crowd.spawn(async move { host.sandbox.run(&runaway, runaway_call).await });
    }
    let others_are_told_to_wait = async {
        for _ in 0..992 {
            match crowd.join_next().await.expect("a thousand calls").expect("no call panics") {
                Err(Unavailable::PoolFull { retry_after }) => assert!(retry_after > Duration::ZERO),
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(PATIENCE, others_are_told_to_wait).await.expect("nobody is kept waiting");
    // The host's own work goes on beside eight guests that never stop computing, on as many threads as processors.
    let own_work = async {
        for _ in 0..100 {
            tokio::spawn(tokio::time::sleep(Duration::from_millis(1))).await.expect("it sleeps");
        }
    };
    timeout(PATIENCE, own_work).await.expect("the host is awake");
    assert!(crowd.try_join_next().is_none(), "all eight computed meanwhile");
    stop.cancel();
    while let Some(stopped) = timeout(PATIENCE, crowd.join_next()).await.expect("a runaway can be stopped") {
        let outcome = stopped.expect("no call panics").expect("the call took place");
        assert_eq!(outcome.result, Err(Failure::Cancelled));
    }
    let after = host.sandbox.run(&echo, call(Limits::default())).await.expect("there is room again");
    assert_eq!(text(&after), r#"{"n":1}"#);
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_room_for_the_next() {
    let host = Host::with(|config| config.max_concurrent = 1);
    let runaway = host.add(WatSkill::running("(loop $again (br $again)) unreachable").build());
    let echo = host.add(WatSkill::echo().build());
    host.sandbox.prepare(&runaway).await.expect("it looks harmless");
    for _ in 0..20 {
        let call_given_up = host.sandbox.run(&runaway, call(only_wall(Duration::from_secs(60))));
        assert!(timeout(Duration::from_millis(10), call_given_up).await.is_err());
        // A call that computes notices at its next tick.
        let served = async {
            loop {
                match host.sandbox.run(&echo, call(Limits::default())).await {
                    Ok(outcome) => break outcome,
                    Err(Unavailable::PoolFull { .. }) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let outcome = timeout(PATIENCE, served).await.expect("its place is free again");
        assert_eq!(text(&outcome), r#"{"n":1}"#);
    }
}

#[tokio::test]
async fn a_crowd_that_waits_for_the_compiler_keeps_nobody_out_whose_module_is_ready() {
    let host = Host::new();
    let warm = host.add(WatSkill::echo().build());
    host.sandbox.prepare(&warm).await.expect("it is harmless");
    // From now on nothing is ever compiled.
    let stuck = CompilerCommand { program: "/bin/sleep".into(), args: vec!["3600".into()] };
    let host = Arc::new(host.restarted_with(|config| {
        config.compiler = stuck;
        config.compile_wall = 2 * PATIENCE;
    }));
    host.sandbox.prepare(&warm).await.expect("its compiled code is on the disk");
    let mut crowd = JoinSet::new();
    for nth in 0..70 {
        let (host, cold) = (host.clone(), WatSkill::running(&format!("(i32.const {nth}) unreachable")).build());
        crowd.spawn(async move { host.sandbox.run(&host.add(cold), call(Limits::default())).await });
    }
    for _ in 0..6 {
        let answer = timeout(PATIENCE, crowd.join_next()).await.expect("64 may wait, and 6 are turned away");
        let answer = answer.expect("seventy calls").expect("no call panics");
        assert!(matches!(answer, Err(Unavailable::PoolFull { .. })), "{answer:?}");
    }
    for _ in 0..20 {
        let outcome = host.sandbox.run(&warm, call(Limits::default())).await.expect("eight calls have room");
        assert_eq!(text(&outcome), r#"{"n":1}"#);
    }
    assert!(crowd.try_join_next().is_none(), "the 64 others still wait");
}

#[test]
fn a_short_call_ends_on_its_callers_thread_whenever_the_clock_ticks() {
    in_own_process("isolation::makes_short_calls");
}

#[tokio::test]
#[ignore = "run by the test above, in a process whose threads nobody else uses"]
async fn makes_short_calls() {
    /// How often the threads of long calls went back to sleep.
    fn naps() -> u64 {
        let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
        let status = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok());
        let count = |text: String| -> Option<u64> {
            let mut lines = text.lines();
            lines.next()?.ends_with("clawos-guests").then_some(())?;
            lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()
        };
        status.filter_map(count).sum()
    }
    let host = Host::new();
    // A tenth of a tick: a tick falls into every tenth of such calls.
    let short = host.add(
        WatSkill::running(
            "(local $left i32) (local.set $left (i32.const 150000))
             (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
             (call $ok (local.get $payload) (local.get $payload-len))",
        )
        .build(),
    );
    host.sandbox.prepare(&short).await.expect("it is harmless");
    let before = naps();
    for _ in 0..2_000 {
        let outcome = host.sandbox.run(&short, call(Limits::default())).await.expect("the call takes place");
        assert_eq!(text(&outcome), r#"{"n":1}"#);
    }
    // A busy machine may stop a call for longer than a tick, so that a few of them count as long.
    let moved = naps() - before;
    assert!(moved < 100, "{moved} of 2,000 short calls were handed over");
}

#[test]
fn hundreds_of_crashes_leave_nothing_behind() {
    in_own_process("isolation::crashes_hundreds_of_times");
}

#[tokio::test]
#[ignore = "run by the test above, in a process whose memory nobody else uses"]
async fn crashes_hundreds_of_times() {
    let host = Host::with(|config| config.max_concurrent = 1);
    let crash = host.add(
        WatSkill::running(
            "(drop (memory.grow (i32.const 100)))
             (memory.fill (i32.const 131072) (i32.const 1) (i32.const 6000000)) unreachable",
        )
        .build(),
    );
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
    };
    let run = async || {
        let outcome = host.sandbox.run(&crash, call(Limits::default())).await.expect("the call takes place");
        assert!(matches!(outcome.result, Err(Failure::Trap(_))), "{outcome:?}");
    };
    for _ in 0..100 {
        run().await;
    }
    let before = resident();
    for _ in 0..300 {
        run().await;
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "{grown} bytes stayed behind");
}
