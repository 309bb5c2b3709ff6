//! One interface over two engines: programs and WASM components behind one dispatcher, from one folder of artifacts.

mod back_end;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use clawos_runtime::{
    Capabilities, Dispatcher, EventSink, Failure, GuestErrorCode, InMemoryModules, Invocation, Limits, LogLine,
    ModuleFile, ModuleRef, ModuleSource, Outcome, RuntimeKind, Sandbox, Unavailable, WasmSandbox,
    capability::kv::KeyValueGrant, wasm::WasmConfig,
};
use clawos_tests::wat_skill::WatSkill;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::fs::File;

use crate::{
    host::{compiler, text},
    kv_server::KvServer,
};
use back_end::NativeSandbox;

/// Artifacts as files that are read a piece at a time.
struct Folder(PathBuf);

#[async_trait]
impl ModuleSource for Folder {
    async fn open(&self, module: &ModuleRef) -> io::Result<ModuleFile> {
        ModuleFile::on_disk(File::open(self.0.join(hex::encode(module.sha256))).await?).await
    }
}

/// Both back ends, over one folder.
struct Both {
    sandbox: Dispatcher,
    program: ModuleRef,
    component: ModuleRef,
    folder: TempDir,
}

impl Both {
    fn new() -> Self {
        let folder = TempDir::new().expect("the system's folder for temporary files can be used");
        let keep = |kind, artifact: &[u8]| {
            let sha256: [u8; 32] = Sha256::digest(artifact).into();
            std::fs::write(folder.path().join(hex::encode(sha256)), artifact).expect("the folder can be written");
            ModuleRef { kind, sha256 }
        };
        let program = std::fs::read(env!("CARGO_BIN_EXE_native-skill")).expect("it is built with this test");
        let program = keep(RuntimeKind::Docker, &program);
        let component = keep(RuntimeKind::Wasm, &WatSkill::echo().build());
        let source: Arc<dyn ModuleSource> = Arc::new(Folder(folder.path().to_owned()));
        let config =
            WasmConfig { compiler: compiler(), max_concurrent: 2, ..WasmConfig::new(folder.path().join("compiled")) };
        let wasm = WasmSandbox::new(config, source.clone()).expect("the sandbox starts");
        let sandbox = Dispatcher::new(vec![Arc::new(wasm), Arc::new(NativeSandbox::new(source))]);
        Self { sandbox, program, component, folder }
    }

    async fn run(&self, endpoint: &str) -> Outcome {
        self.sandbox.run(&self.program, call(endpoint)).await.expect("the call takes place")
    }
}

fn call(endpoint: &str) -> Invocation {
    Invocation::new("run_1", endpoint, r#"{"n":1}"#)
}

#[tokio::test]
async fn each_module_runs_on_the_engine_for_its_kind_and_the_outcome_names_it() {
    let both = Both::new();
    for (module, engine) in [(both.program, "native-1"), (both.component, "wasmtime-48.0.8+costs-3")] {
        let info = both.sandbox.prepare(&module).await.expect("it is in order");
        let file = std::fs::metadata(both.folder.path().join(hex::encode(module.sha256))).expect("it is kept there");
        assert_eq!(info.size, file.len());
        let outcome = both.sandbox.run(&module, call("echo")).await.expect("the call takes place");
        assert_eq!(text(&outcome), r#"{"n":1}"#);
        assert_eq!(&*outcome.engine, engine);
        assert_eq!(both.sandbox.engine(module.kind).as_deref(), Some(engine));
        assert_eq!((outcome.usage.bytes_in, outcome.usage.bytes_out), (11, 7));
    }
}

#[tokio::test]
async fn a_kind_without_an_engine_is_refused_with_those_there_are() {
    let modules = InMemoryModules::default();
    let only_programs = Dispatcher::new(vec![Arc::new(NativeSandbox::new(Arc::new(modules.clone())))]);
    let component = modules.add(WatSkill::echo().build());
    let refusals = [
        only_programs.prepare(&component).await.map(drop),
        only_programs.run(&component, call("echo")).await.map(drop),
    ];
    for refusal in refusals {
        let text = "its runtime kind is `wasm`; this host runs: docker".to_owned();
        assert_eq!(refusal, Err(Unavailable::InvalidModule(text)));
    }
    assert_eq!(only_programs.engine(RuntimeKind::Wasm), None);
}

#[tokio::test]
async fn a_program_ends_at_its_deadline_or_when_it_is_cancelled() {
    let both = Both::new();
    both.sandbox.prepare(&both.program).await.expect("it is in order");
    let started = Instant::now();
    let limits = Limits { wall: Duration::from_millis(200), ..Limits::default() };
    let slow = both.sandbox.run(&both.program, Invocation { limits, ..call("sleep") }).await;
    assert_eq!(slow.expect("the call takes place").result, Err(Failure::Deadline));
    let deadline = Some(Instant::now() + Duration::from_millis(200));
    let slow = both.sandbox.run(&both.program, Invocation { deadline, ..call("sleep") }).await;
    assert_eq!(slow.expect("the call takes place").result, Err(Failure::Deadline));
    let unwanted = call("sleep");
    let cancellation = unwanted.cancellation.clone();
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        cancellation.cancel();
    };
    let (outcome, ()) = tokio::join!(both.sandbox.run(&both.program, unwanted.clone()), cancel);
    assert_eq!(outcome.expect("the call takes place").result, Err(Failure::Cancelled));
    let refusal = both.sandbox.run(&both.program, unwanted).await.expect_err("it was cancelled before it began");
    assert_eq!(refusal, Unavailable::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(30), "nothing waited for a program that sleeps for ever");
}

#[tokio::test]
async fn a_programs_refusals_and_crashes_are_failures_like_any_other() {
    let both = Both::new();
    let message = "there is no such endpoint".to_owned();
    let refused = Failure::GuestError { code: GuestErrorCode::NotFound, message };
    assert_eq!(both.run("nothing").await.result, Err(refused));
    assert!(matches!(both.run("crash").await.result, Err(Failure::Trap(_))));
    assert_eq!(both.run("count").await.result, Err(Failure::Denied("kv".to_owned())), "it was granted no store");
}

#[tokio::test]
async fn a_programs_progress_and_log_are_told_as_they_come() {
    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<String>>);

    impl EventSink for Heard {
        fn progress(&self, done: u64, total: u64, note: &str) {
            self.0.lock().expect("no test panics with it").push(format!("{done}/{total} {note}"));
        }

        fn log(&self, line: &LogLine) {
            self.0.lock().expect("no test panics with it").push(line.message.clone());
        }
    }
    let both = Both::new();
    let heard = Arc::new(Heard::default());
    let invocation = Invocation { events: heard.clone(), ..call("echo") };
    both.sandbox.run(&both.program, invocation).await.expect("the call takes place");
    assert_eq!(*heard.0.lock().expect("no test panics with it"), ["1/2 half of it", "echoing"]);
}

#[tokio::test]
async fn a_programs_writes_are_held_back_like_a_components() {
    let (both, server) = (Both::new(), KvServer::start().await);
    let count = async || {
        let capabilities = Capabilities::default().with(KeyValueGrant::new(Arc::new(server.store())));
        let invocation = Invocation { capabilities, ..call("count") };
        both.sandbox.run(&both.program, invocation).await.expect("the call takes place")
    };
    count().await.effects.roll_back();
    let first = count().await;
    assert_eq!((text(&first), first.exchanges[0].response.as_deref()), ("1", None));
    first.effects.commit().await.expect("the server answers");
    let second = count().await;
    assert_eq!((text(&second), second.exchanges[0].response.as_deref()), ("2", Some(&b"1"[..])));
    assert_eq!(server.get("count").as_deref(), Some("1"));
}
