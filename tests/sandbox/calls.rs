//! What a caller says of a call: its deadline, its cancellation, its parent, and who listens.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use clawos_runtime::{
    EventSink, Failure, Invocation, Limits, LogLine, ModuleRef, RuntimeKind, Sandbox as _, Unavailable,
};
use clawos_tests::wat_skill::WatSkill;
use tokio::time::{sleep, timeout};

use crate::host::{Host, call, only_wall, text};

const FOREVER: &str = "(loop $again (br $again)) unreachable";

/// A host with a skill that never ends, ready to be called.
async fn host_and_runaway() -> (Host, ModuleRef) {
    let host = Host::with(|config| config.max_concurrent = 1);
    let runaway = host.add(WatSkill::running(FOREVER).build());
    host.sandbox.prepare(&runaway).await.expect("it looks harmless");
    (host, runaway)
}

#[tokio::test]
async fn a_call_ends_at_its_callers_deadline_when_that_is_earlier_than_its_limit() {
    let (host, runaway) = host_and_runaway().await;
    let deadline = Instant::now() + Duration::from_millis(50);
    let hurried = Invocation { deadline: Some(deadline), ..call(only_wall(Duration::from_secs(60))) };
    let outcome = host.sandbox.run(&runaway, hurried).await.expect("the call takes place");
    assert_eq!(outcome.result, Err(Failure::Deadline));
    assert!(!outcome.replayable);
    let late = Invocation { deadline: Some(deadline), ..call(Limits::default()) };
    let refusal = host.sandbox.run(&runaway, late).await.expect_err("it is too late");
    assert_eq!(refusal, Unavailable::DeadlinePassed);
}

#[tokio::test]
async fn a_cancelled_call_ends_soon_and_says_so() {
    let (host, runaway) = host_and_runaway().await;
    let invocation = call(only_wall(Duration::from_secs(60)));
    let cancellation = invocation.cancellation.clone();
    let cancel = async {
        sleep(Duration::from_millis(20)).await;
        cancellation.cancel();
    };
    let (outcome, ()) = tokio::join!(host.sandbox.run(&runaway, invocation.clone()), cancel);
    let outcome = outcome.expect("the call takes place");
    assert_eq!(outcome.result, Err(Failure::Cancelled));
    assert!(outcome.usage.fuel > 0 && outcome.usage.wall_us < 30_000_000 && !outcome.replayable, "{outcome:?}");
    let refusal = host.sandbox.run(&runaway, invocation).await.expect_err("it was cancelled before it began");
    assert_eq!(refusal, Unavailable::Cancelled);
}

#[tokio::test]
async fn a_caller_who_gives_up_does_not_wait_for_the_compiler() {
    let stuck = clawos_runtime::wasm::CompilerCommand { program: "/bin/sleep".into(), args: vec!["60".into()] };
    let host = Host::with(|config| config.compiler = stuck);
    let cold = host.add(WatSkill::echo().build());
    let hurried = Invocation { deadline: Some(Instant::now() + Duration::from_millis(50)), ..call(Limits::default()) };
    let answer = timeout(Duration::from_secs(10), host.sandbox.run(&cold, hurried)).await.expect("nobody waits for it");
    assert_eq!(answer.expect_err("it was never ready"), Unavailable::DeadlinePassed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nested_call_has_room_when_its_parents_take_all_of_it() {
    let (host, runaway) = host_and_runaway().await;
    let host = Arc::new(host);
    let echo = host.add(WatSkill::echo().build());
    host.sandbox.prepare(&echo).await.expect("it is harmless");
    // A chain of calls, each of which is still running when the next one is made.
    let mut parents = vec![call(only_wall(Duration::from_secs(60)))];
    for nth in 2..=4 {
        let parent = parents.last().map(|parent| parent.call.clone());
        let alike = parents[0].clone();
        parents.push(Invocation { call: format!("run_{nth}").into(), parent, ..alike });
    }
    let leaf = Invocation { parent: parents.last().map(|parent| parent.call.clone()), ..call(Limits::default()) };
    let cancellation = parents[0].cancellation.clone();
    let mut running = Vec::new();
    for parent in parents {
        let host = host.clone();
        running.push(tokio::spawn(async move { host.sandbox.run(&runaway, parent).await }));
        sleep(Duration::from_millis(30)).await;
    }
    let stranger = host.sandbox.run(&echo, call(Limits::default())).await.expect_err("the one place is taken");
    assert!(matches!(stranger, Unavailable::PoolFull { .. }), "{stranger:?}");
    let nested = host.sandbox.run(&echo, leaf).await.expect("a nested call has room");
    assert_eq!(text(&nested), r#"{"n":1}"#);
    cancellation.cancel();
    for parent in running {
        let outcome = parent.await.expect("no call panics").expect("each of them took place");
        assert_eq!(outcome.result, Err(Failure::Cancelled));
    }
}

#[tokio::test]
async fn log_lines_are_told_as_they_come() {
    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<LogLine>>);

    impl EventSink for Heard {
        fn log(&self, line: &LogLine) {
            self.0.lock().expect("no test panics with it").push(line.clone());
        }
    }
    let host = Host::new();
    let chatty = host.add(
        WatSkill::new(
            r#"(data (i32.const 16) "heard")
            (func $run (param i32 i32 i32 i32) (result i32)
              (call $log (i32.const 1) (i32.const 16) (i32.const 5)) unreachable)"#,
        )
        .build(),
    );
    let heard = Arc::new(Heard::default());
    let outcome = host.sandbox.run(&chatty, Invocation { events: heard.clone(), ..call(Limits::default()) }).await;
    let outcome = outcome.expect("the call takes place");
    assert!(matches!(outcome.result, Err(Failure::Trap(_))), "{outcome:?}");
    let heard = heard.0.lock().expect("no test panics with it");
    assert_eq!(*heard, outcome.logs);
    assert_eq!(heard[0].message, "heard");
}

#[tokio::test]
async fn a_module_of_another_kind_is_refused_with_the_kinds_there_are() {
    let host = Host::new();
    let image = ModuleRef { kind: RuntimeKind::Docker, ..host.add(WatSkill::echo().build()) };
    let refusals = [
        host.sandbox.prepare(&image).await.map(drop),
        host.sandbox.run(&image, call(Limits::default())).await.map(drop),
    ];
    for refusal in refusals {
        let text = "its runtime kind is `docker`; this host runs: wasm".to_owned();
        assert_eq!(refusal, Err(Unavailable::InvalidModule(text)));
    }
}

#[tokio::test]
async fn where_nothing_is_reserved_for_nested_calls_each_is_told_to_try_again() {
    let host = Host::with(|config| config.max_nested = 0);
    let echo = host.add(WatSkill::echo().build());
    let nested = Invocation { parent: Some("run_parent".into()), ..call(Limits::default()) };
    let refused = timeout(Duration::from_secs(60), host.sandbox.run(&echo, nested)).await.expect("it never waits");
    assert!(matches!(refused, Err(Unavailable::PoolFull { .. })), "{refused:?}");
}
