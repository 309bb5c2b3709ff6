//! The permission `kv`: refused where it is not offered, denied where it is not granted, and with a store that does
//! real I/O behind it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use clawos_runtime::{
    Capabilities, Failure, Invocation, Limits, ModuleRef, Outcome, Permission, Sandbox as _,
    capability::kv::{KeyValue, KeyValueError, KeyValueGrant},
};
use clawos_tests::wat_skill::WatSkill;

use crate::{
    host::{Host, call, text},
    kv_server::KvServer,
};

/// Adds `$get (key len retptr)` and `$set (key len value len retptr)` to a skill.
fn with_kv(mut skill: WatSkill) -> Vec<u8> {
    skill.imports = r#"(import "clawos:skill/kv@0.1.0" (instance $kv
        (type $error' (enum "invalid-key" "value-too-large" "quota-exceeded" "unavailable"))
        (export $error "kv-error" (type (eq $error')))
        (export "get" (func (param "key" string) (result (result (option (list u8)) (error $error)))))
        (export "set" (func (param "key" string) (param "value" (list u8)) (result (result (error $error)))))))"#
        .to_owned();
    skill.lowered = r#"(core func $kv-get (canon lower (func $kv "get") (memory $memory) (realloc $realloc)))
        (core func $kv-set (canon lower (func $kv "set") (memory $memory)))"#
        .to_owned();
    skill.host = r#"(export "get" (func $kv-get)) (export "set" (func $kv-set))"#.to_owned();
    let functions = r#"(import "host" "get" (func $get (param i32 i32 i32)))
        (import "host" "set" (func $set (param i32 i32 i32 i32 i32)))"#;
    skill.main.insert_str(0, functions);
    skill.build()
}

/// Answers with the value of `name`, which must be there; before that it does `first`.
fn reader(first: &str) -> Vec<u8> {
    let skill = WatSkill::new(&format!(
        r#"(data (i32.const 16) "name")
        (func $run (param i32 i32 i32 i32) (result i32) (local $left i32)
          {first}
          (call $get (i32.const 16) (i32.const 4) (i32.const 64))
          (if (i32.load8_u (i32.const 64)) (then unreachable))
          (if (i32.eqz (i32.load8_u (i32.const 68))) (then unreachable))
          (call $ok (i32.load (i32.const 72)) (i32.load (i32.const 76))))"#
    ));
    with_kv(skill)
}

/// Writes its payload under `name`, reads it again, and ends as `last` says.
fn writer(last: &str) -> Vec<u8> {
    let skill = WatSkill::new(&format!(
        r#"(data (i32.const 16) "name")
        (func $run (param i32 i32) (param $payload i32) (param $payload-len i32) (result i32)
          (call $set (i32.const 16) (i32.const 4) (local.get $payload) (local.get $payload-len) (i32.const 64))
          (if (i32.load8_u (i32.const 64)) (then unreachable))
          (call $get (i32.const 16) (i32.const 4) (i32.const 64))
          (if (i32.eqz (i32.load8_u (i32.const 68))) (then unreachable))
          {last})"#
    ));
    with_kv(skill)
}

const ANSWER: &str = "(call $ok (i32.load (i32.const 72)) (i32.load (i32.const 76)))";

/// Computes for many ticks, so that the call moves to the threads of long calls.
const COMPUTE: &str = "(local.set $left (i32.const 60000000))
    (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))";

fn offering() -> Host {
    Host::with(|config| config.offers = [Permission::Kv].into())
}

async fn run_with(host: &Host, module: &ModuleRef, store: Arc<dyn KeyValue>) -> Outcome {
    let limits = Limits { wall: Duration::from_secs(60), ..Limits::default() };
    let granted = Invocation { capabilities: Capabilities::default().with(KeyValueGrant::new(store)), ..call(limits) };
    host.sandbox.run(module, granted).await.expect("the call takes place")
}

#[tokio::test]
async fn a_host_offers_it_or_refuses_the_module_and_the_module_is_known_to_need_it() {
    let refusal = Host::new().refusal(reader("")).await;
    assert!(refusal.contains("the permission `kv` is not available on this server yet"), "{refusal}");
    let info = offering().prepare(reader("")).await.expect("it is offered");
    assert_eq!(info.permissions, [Permission::Kv].into());
    assert!(info.imports.contains("clawos:skill/kv"), "{info:?}");
}

#[tokio::test]
async fn a_call_that_was_not_granted_it_is_denied() {
    assert_eq!(offering().failure(reader(""), Limits::default()).await, Failure::Denied("kv".to_owned()));
}

#[tokio::test]
async fn a_store_can_deny_a_call_too_and_its_other_refusals_are_for_the_guest() {
    /// Answers every request with one refusal.
    #[derive(Debug)]
    struct Refuses(KeyValueError);

    #[async_trait]
    impl KeyValue for Refuses {
        async fn get(&self, _: &str) -> Result<Option<Bytes>, KeyValueError> {
            Err(self.0.clone())
        }

        async fn apply(&self, _: BTreeMap<String, Bytes>) -> Result<(), KeyValueError> {
            Err(self.0.clone())
        }
    }
    let host = offering();
    let module = host.add(reader(""));
    let denied = run_with(&host, &module, Arc::new(Refuses(KeyValueError::Denied))).await;
    assert_eq!(denied.result, Err(Failure::Denied("kv".to_owned())));
    let told = run_with(&host, &module, Arc::new(Refuses(KeyValueError::QuotaExceeded))).await;
    assert!(matches!(told.result, Err(Failure::Trap(_))), "the guest chose to crash: {told:?}");
}

#[tokio::test]
async fn a_guest_on_the_threads_of_long_calls_reaches_a_store_over_tcp() {
    let server = KvServer::start().await;
    server.put("name", "\"Ada\"");
    let host = offering();
    for first in ["", COMPUTE] {
        let module = host.add(reader(first));
        host.sandbox.prepare(&module).await.expect("it is offered");
        let outcome = run_with(&host, &module, Arc::new(server.store())).await;
        assert_eq!(text(&outcome), "\"Ada\"");
        assert!(!outcome.replayable, "it depends on the store");
        assert_eq!(outcome.usage.host_calls, 1);
        let exchange = &outcome.exchanges[0];
        assert_eq!((exchange.permission, &exchange.request[..]), (Permission::Kv, &b"name"[..]));
        assert_eq!(exchange.response.as_deref(), Some(&b"\"Ada\""[..]));
    }
    let threads = server.threads();
    assert_ne!(threads[0], "clawos-guests", "the short call connected on its caller's thread");
    assert_eq!(threads[1], "clawos-guests", "the long one on a thread of its own lane");
}

#[tokio::test]
async fn a_store_that_never_answers_ends_with_the_calls_deadline() {
    #[derive(Debug)]
    struct Silent;

    #[async_trait]
    impl KeyValue for Silent {
        async fn get(&self, _: &str) -> Result<Option<Bytes>, KeyValueError> {
            std::future::pending().await
        }

        async fn apply(&self, _: BTreeMap<String, Bytes>) -> Result<(), KeyValueError> {
            Ok(())
        }
    }
    let host = offering();
    let module = host.add(reader(""));
    let limits = Limits { wall: Duration::from_millis(50), ..Limits::default() };
    let granted =
        Invocation { capabilities: Capabilities::default().with(KeyValueGrant::new(Arc::new(Silent))), ..call(limits) };
    let outcome = host.sandbox.run(&module, granted).await.expect("the call takes place");
    assert_eq!(outcome.result, Err(Failure::Deadline));
}

#[tokio::test]
async fn what_a_call_writes_takes_effect_when_it_is_committed_and_only_then() {
    let server = KvServer::start().await;
    let host = offering();
    let module = host.add(writer(ANSWER));
    let outcome = run_with(&host, &module, Arc::new(server.store())).await;
    assert_eq!(text(&outcome), r#"{"n":1}"#, "it reads its own writes");
    assert_eq!(server.get("name"), None);
    outcome.effects.roll_back();
    assert_eq!(server.get("name"), None);
    let outcome = run_with(&host, &module, Arc::new(server.store())).await;
    outcome.effects.commit().await.expect("the server answers");
    assert_eq!(server.get("name").as_deref(), Some(r#"{"n":1}"#));
}

#[tokio::test]
async fn a_call_that_fails_holds_nothing_to_commit() {
    let server = KvServer::start().await;
    let host = offering();
    for last in ["unreachable", "(call $refuse (i32.const 0) (i32.const 16) (i32.const 4))"] {
        let module = host.add(writer(last));
        let outcome = run_with(&host, &module, Arc::new(server.store())).await;
        assert!(outcome.result.is_err() && outcome.effects.is_empty(), "{outcome:?}");
    }
}
